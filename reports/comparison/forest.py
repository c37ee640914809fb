"""The forest plot: each row's change with its interval on an axis that all rows of its kind share."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Final

from reports.comparison.result import Row
from reports.drawing import even_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

_RATIOS: Final = (
    *(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    *(1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0),
)
_FINE: Final = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06)
_FEWEST_TICKS: Final = 4
_NEAREST: Final = 9.0
"""Two labels of an axis are at least this many hundredths of it apart."""
_WIDEST: Final = log(4)
_POINTS: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A row on the axis. Places are hundredths of the axis: of the change, the interval and the band of equivalence.

    `beyond` says whether the interval goes on beyond the axis, below and above.
    """

    row: Row
    at: float
    ends: tuple[float, float] | None
    margin: tuple[float, float]
    beyond: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows that share an axis: its title, its labels with their places, where no change lies, and a line per row."""

    title: str
    ticks: tuple[tuple[float, str], ...]
    neutral: float
    lines: tuple[Line, ...]


def forests(rows: Sequence[Row]) -> list[Forest]:
    """Draw ratios on one axis and differences on another; rows without a change are left out."""
    found = []
    for absolute, title in ((False, "ratio (log)"), (True, "difference in points")):
        mine = [row for row in rows if row.change is not None and row.metric.absolute is absolute]
        if mine:
            found.append(_forest(mine, title))
    return found


def _forest(rows: Sequence[Row], title: str) -> Forest:
    low, high = _limits(rows)

    def place(value: float) -> float:
        return round(min(max((value - low) / (high - low), 0.0), 1.0) * 100, 2)

    lines = []
    for row in rows:
        change, ends = (
            _scaled(row, row.change or 0.0),
            row.interval and tuple(_scaled(row, end) for end in row.interval),
        )
        lines.append(
            Line(
                row,
                place(change),
                (place(ends[0]), place(ends[1])) if ends else None,
                (place(-row.metric.limit), place(row.metric.limit)),
                (min((change, *(ends or ()))) < low, max((change, *(ends or ()))) > high),
            )
        )
    ticks = _points(low, high) if rows[0].metric.absolute else _ratios(low, high)
    return Forest(title, _apart([(place(value), text) for value, text in ticks], place(0.0)), place(0.0), tuple(lines))


def _scaled(row: Row, value: float) -> float:
    return value if row.metric.absolute else log(max(value, exp(-700)))


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    """Choose the ends of the axis: all changes and margins fit, and intervals unless one of them dwarfs the rest."""
    must = [end for row in rows for end in (-row.metric.limit, row.metric.limit, _scaled(row, row.change or 0.0))]
    ends = [_scaled(row, end) for row in rows for end in row.interval or ()]
    reach = max(abs(value) for value in must)
    most = 3 * reach if rows[0].metric.absolute else max(3 * reach, _WIDEST)
    low = min(*must, *(max(end, -most) for end in ends)) if ends else min(must)
    high = max(*must, *(min(end, most) for end in ends)) if ends else max(must)
    room = (high - low) * 0.04
    return low - room, high + room


def _ratios(low: float, high: float) -> list[tuple[float, str]]:
    for known in (_RATIOS, _FINE):
        found = [(log(ratio), f"{ratio:g}") for ratio in known if low <= log(ratio) <= high]
        if len(found) >= _FEWEST_TICKS:
            return found
    return [(log(ratio), f"{ratio:.6g}") for ratio in even_ticks(exp(low), exp(high), _FEWEST_TICKS)]


def _points(low: float, high: float) -> list[tuple[float, str]]:
    return [(value, f"{value * _POINTS:+.3g}" if value else "0") for value in even_ticks(low, high, _FEWEST_TICKS)]


def _apart(ticks: Sequence[tuple[float, str]], neutral: float) -> tuple[tuple[float, str], ...]:
    """Leave out labels that would run into each other; the one at no change always stays."""
    kept: list[tuple[float, str]] = []
    for tick in sorted(ticks, key=lambda tick: abs(tick[0] - neutral)):
        if all(abs(tick[0] - other[0]) >= _NEAREST for other in kept):
            kept.append(tick)
    return tuple(sorted(kept))
