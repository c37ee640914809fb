"""What a reader should know beside the figures: each sentence once, with the rows that it holds for."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

from reports import units
from reports.comparison import words
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.comparison.result import Caution, Comparison, Row

MOST_FIGURES: Final = 4
"""Of a sentence that holds for more rows than this, the single rows' figures are left to the JSON."""
OFTEN: Final = 3
"""A reason that stands at fewer rows than this is written where it stands."""
_SHORT: Final = 40


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence and where it holds: `booking p95, p99; login p50`, or empty where it is about all of it."""

    where: str
    sentence: str

    def __str__(self) -> str:
        """Write both on one line."""
        return f"{self.where}: {self.sentence}" if self.where else self.sentence


def notes(found: Comparison) -> list[Note]:
    """Give what is to be known: of all rows first, then of single ones."""
    cautions: dict[str, dict[tuple[str, str, str], tuple[Row, Caution]]] = {}
    rows = (*found.rows, *found.steps)
    for row in rows:
        for caution in row.warnings:
            # A step and what all steps did so far are two rows about one thing.
            place = (row.candidate, row.operation, row.metric.name)
            cautions.setdefault(caution.sentence, {}).setdefault(place, (row, caution))
    several = len(found.candidates) > 1
    every = len({(row.candidate, row.operation, row.metric.name) for row in rows})
    return [Note("", units.plain(text, 600)) for text in found.warnings] + [
        Note(
            "every row" if len(held) == every > 1 else _where(list(held.values()), several=several),
            units.plain(sentence, 600),
        )
        for sentence, held in cautions.items()
    ]


def _where(held: Sequence[tuple[Row, Caution]], *, several: bool) -> str:
    """List rows, by candidate where there are several and by operation, each with its figures where they are few."""
    by_side: dict[str, dict[str, list[str]]] = {}
    for row, caution in held:
        figures = f" ({units.plain(caution.figures, 120)})" if caution.figures and len(held) <= MOST_FIGURES else ""
        operation = words.subject(row).removesuffix(words.name(row.metric)).rstrip()
        names = by_side.setdefault(row.candidate if several else "", {}).setdefault(operation, [])
        names.append(f"{words.name(row.metric)}{figures}")
    return "; ".join(
        f"{f'in {units.plain(side, _SHORT)}: ' if side else ''}{'; '.join(_named(by_operation))}"
        for side, by_operation in by_side.items()
    )


def _named(by_operation: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{operation} {', '.join(names)}".lstrip() for operation, names in by_operation.items()]


def keyed(rows: Sequence[Row], least: int) -> dict[str, str]:
    """Give letters to the reasons that stand at so many rows or more, so that each is written only once.

    Returns:
        The letter, or the letters, of each such reason.
    """
    reasons = [row.ruling.reason for row in rows if row.ruling.answer is Answer.INCONCLUSIVE]
    often = [reason for reason in dict.fromkeys(reasons) if reason and reasons.count(reason) >= least]
    open_ones = {row.ruling.reason for row in rows if row.ruling.runs_more is not None}
    return {reason: _letters(number) for number, reason in enumerate(r for r in often if r not in open_ones)}


def _letters(number: int) -> str:
    high, low = divmod(number, len(ascii_lowercase))
    return (_letters(high - 1) if high else "") + ascii_lowercase[low]
