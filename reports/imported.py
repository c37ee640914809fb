"""What an imported run says of its file: the figures that stand there, as they are, and what to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import units
from reports.layout import BOLD, DIM, FIGURE, WARN, Span, title, trend_rows, wrapped
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.importers.figures import Cell, Figures, Table
    from reports.layout import Line

DIGITS: Final = 3
MOST_ROWS: Final = 60


def cell(value: Cell) -> str:
    """Write a figure to three digits after the point (µs, of ms); a dash for one that the file does not have."""
    if value is None:
        return units.NO_FIGURE
    if isinstance(value, str):
        return units.plain(value, 120)
    return f"{value:,}" if isinstance(value, int) else units.trimmed(value, DIGITS)


def lines(figures: Figures, width: int) -> Iterator[Line]:
    """Give the block line by line."""
    yield from title("FIGURES OF THE FILE")
    whose = f"{figures.file}, {figures.tool} {figures.form}"
    kept = "single requests, counted here" if figures.samples else "no samples; these are its own figures"
    yield from wrapped((Span("    "),), f"{units.plain(whose)}: {kept}", width, DIM, 4)
    for table in figures.tables:
        yield ()
        yield from _table(table, width)
    for note in figures.notes:
        yield from wrapped((Span("    "), Span(f"{Mark.WARN} ", WARN)), units.plain(note, 600), width, hang=6)
    yield ()


def _table(table: Table, width: int) -> Iterator[Line]:
    yield (Span(f"    {units.plain(table.title)}", BOLD),)
    rows = [(*_row(table, row),) for row in table.rows[:MOST_ROWS]]
    if rows:
        yield from trend_rows(rows, width)
    if len(table.rows) > MOST_ROWS:
        yield (Span(f"      … and {len(table.rows) - MOST_ROWS:,} more, in the report", FIGURE),)


def _row(table: Table, row: tuple[Cell, ...]) -> tuple[str, int, list[str]]:
    """Give the words of a row and its figures, each with its heading."""
    named = list(zip(table.columns, row, strict=False))
    words = [str(value) for _, value in named if isinstance(value, str) and value]
    shown = [f"{units.plain(name, 40)}={cell(value)}" for name, value in named if not isinstance(value, str)]
    return units.plain(" ".join(words), 120), 4, shown
