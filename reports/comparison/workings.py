"""The figures behind each row, so that a reader can check what was worked out from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from reports import units
from reports.comparison import words
from reports.comparison.result import Row
from reports.stats.effect import quantile

if TYPE_CHECKING:
    from reports.comparison.result import Comparison

HEADINGS: Final = ("k", "mean of d", "s", "s/√k", "degrees of freedom", "t*", "t", "p", "p of sign flips", "q")


@dataclass(frozen=True, slots=True)
class Working:
    """A row's figures, by HEADINGS, as text."""

    row: Row
    cells: tuple[str, ...]


def workings(found: Comparison) -> list[Working]:
    """Give the figures of every row that has any, steps between iterations last."""
    return [Working(row, _cells(row, found.levels.alpha)) for row in (*found.rows, *found.steps) if row.effect]


def _cells(row: Row, alpha: float) -> tuple[str, ...]:
    effect = row.effect
    if effect is None:
        return ()
    return (
        str(effect.runs),
        f"{effect.mean:+.5f}",
        f"{effect.error * sqrt(effect.runs):.5f}" if effect.paired else units.NO_FIGURE,
        f"{effect.error:.5f}",
        units.trimmed(effect.freedom, 1),
        f"{quantile(1 - alpha / 2, effect.freedom):.3f}",
        f"{effect.mean / effect.error:+.2f}" if effect.error else units.NO_FIGURE,
        words.probability(effect.p),
        words.probability(row.p_flip),
        words.probability(row.q),
    )
