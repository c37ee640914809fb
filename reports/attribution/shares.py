"""What the stacked bars show, as figures: tables for who cannot see the bars or wants to know it exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import units
from reports.attribution.charts import MOST_OPERATIONS, REST, named, part_of
from reports.attribution.difference import ms
from reports.attribution.operation import SHOWN, leading, shown
from reports.attribution.table import ROUNDING, WHOLE, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.attribution.operation import Band, Operation

NOTHING: Final = "0"
_LARGE_US: Final = 10_000


@dataclass(frozen=True, slots=True)
class Shares:
    """Of an operation the ms of each part by band, as text; the last row is the whole, which the others add up to."""

    operation: str
    bands: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def shares(operations: Sequence[Operation]) -> list[Shares]:
    """Give the tables of the operations that are drawn."""
    found = []
    for operation in leading(operations)[:MOST_OPERATIONS]:
        if bands := [band for band in map(operation.band, SHOWN) if band is not None]:
            chosen = named([band.parts for band in bands])
            labels = [label for label in chosen if label != REST]
            columns = [_column(band, labels) for band in bands]
            names = [*(units.plain(shown(label), 70) for label in labels), REST if REST in chosen else ROUNDING, WHOLE]
            rows = tuple(zip(names, zip(*columns, strict=True), strict=True))
            kept = tuple(row for place, row in enumerate(rows) if place != len(labels) or set(row[1]) - {NOTHING})
            found.append(Shares(operation.name, tuple(band.ranks.name for band in bands), kept))
    return found


def _column(band: Band, labels: Sequence[str]) -> list[str]:
    """Give the figures of the parts, of what is left, and of the whole."""
    digits = 1 if band.us >= _LARGE_US else 2
    figures = [ms(part_of(band.parts, label, labels), digits) for label in labels]
    whole = ms(band.us, digits)
    left = round(whole - sum(figures), digits)
    return [*(text(figure, digits) for figure in figures), text(left, digits) if left else NOTHING, text(whole, digits)]
