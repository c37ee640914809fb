"""A comparison for a terminal: the answer first, then a line per row, what was left out of account, and the method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units
from reports.comparison import words
from reports.comparison.headline import main_operation
from reports.comparison.ledger import SHOWN, ledger
from reports.comparison.notes import OFTEN, keyed, notes
from reports.layout import BAD, BOLD, DIM, FIGURE, GOOD, WARN, Span, draw, plain, title, wrapped
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from reports.comparison.result import Comparison, Row
    from reports.layout import Line

NARROWEST: Final = 80
USUAL_WIDTH: Final = 100
WIDEST: Final = 140
MOST_NOTES: Final = 12
_STYLES: Final = {Mark.GOOD: GOOD, Mark.BAD: BAD, Mark.WARN: WARN, Mark.NONE: DIM}
_VERDICT_ROOM: Final = 12
_INDENT: Final = 6
_NARROW_COLUMNS: Final = 4
_LONGEST_NOTE: Final = 200


def summary(found: Comparison, width: int = USUAL_WIDTH) -> str:
    """Write a comparison as plain text, without colour; it ends with a line break.

    Args:
        found: the comparison.
        width: columns; kept between 80 and 140.
    """
    return plain(lines(found, width))


def show(found: Comparison, console: Console) -> None:
    """Write a comparison to a console: in colour on a terminal, as plain text to a file or a pipe."""
    draw(lines(found, console.width), console)


def lines(found: Comparison, width: int = USUAL_WIDTH) -> Iterator[Line]:
    """Give a comparison line by line, as styled spans."""
    columns = min(max(width, NARROWEST), WIDEST)
    yield ()
    yield from wrapped((Span("  "),), found.headline, columns, BOLD, 2)
    if found.forced:
        yield from title("NOT COMPARABLE, AND FORCED")
        yield from _list(found.forced, Mark.WARN, columns)
    for side in found.candidates:
        yield from title(f"{units.plain(side.label, 40)} against {units.plain(found.baseline.label, 40)}")
        yield from _table(found, [row for row in found.rows if row.candidate == side.label], columns)
        yield from _because(found, side.label, columns)
    yield from _ledger(found, columns)
    yield from title("RUNS")
    told = len(found.candidates) > 1  # by the iterations: what each of them should give
    for side in (found.baseline, *found.candidates):
        note = "" if told and side is not found.baseline else units.plain(side.note, _LONGEST_NOTE)
        about = ", ".join(text for text in (units.plain(side.revision, 80), note) if text)
        head = (Span("    "), Span(f"{units.plain(side.label, 40)}: ", BOLD))
        yield from wrapped(head, f"{words.health(side)}{f' ({about})' if about else ''}", columns)
    if known := notes(found):
        yield from title("TO BE KNOWN")
        yield from _list([str(note) for note in known], Mark.WARN, columns)
    yield ()
    yield from wrapped((Span("  "),), words.method(found), columns, DIM, 2)


def _table(found: Comparison, rows: Sequence[Row], width: int) -> Iterator[Line]:
    """Lay rows out in columns; on a narrow terminal what comes after the ratio goes on the line below."""
    letters = keyed(rows, OFTEN)
    cells = [(words.name(row.metric), *words.cells(row, letters)[1:]) for row in rows]
    headings = words.headings(found)
    sizes = [max(units.cells(line[place]) for line in (headings, *cells)) for place in range(len(headings) - 1)]
    below = width - sum(sizes) - 2 * len(sizes) - _INDENT < _VERDICT_ROOM
    if below:
        sizes = sizes[:_NARROW_COLUMNS]
    yield (Span(" " * _INDENT), Span(_padded(headings, sizes) + ("" if below else headings[-1]), DIM))
    operation = ""
    for row, line in zip(rows, cells, strict=True):
        if row.operation != operation:
            operation = row.operation
            yield (Span(f"    {units.plain(operation, 60)}", BOLD),)
        mark = words.MARKS[row.ruling.answer]
        style = _STYLES[mark]
        head: Line = (Span("    "), Span(f"{mark} ", style), Span(_padded(line, sizes), FIGURE))
        if below:
            yield head
            about = "; ".join(f"{name} {cell}" for name, cell in zip(headings[4:7], line[4:7], strict=True))
            yield from wrapped((Span("        "),), f"{line[-1]}; {about}", width, style, 8)
        else:
            yield from wrapped(head, line[-1], width, style, 8)
        if row.before_band and row.after_band:
            bands = [
                " to ".join(words.figure(row.metric, end) for end in ends) for ends in (row.before_band, row.after_band)
            ]
            yield from wrapped((Span("        "),), f"within the run {bands[0]}, and {bands[1]}", width, DIM, 8)
    for reason, letter in letters.items():
        yield from wrapped((Span(f"    ({letter}) ", DIM),), units.plain(reason, 600), width, DIM, 8)


def _because(found: Comparison, label: str, width: int) -> Iterator[Line]:
    """Say which parts of which services explain the difference, where their target told."""
    causes, steps = found.causes(label), words.main_causes(found.causes(label, step=True))
    if causes or steps:
        yield ()
        yield (Span(" " * _INDENT), Span(f"{words.WHERE} ({words.TOGETHER})", DIM))
    for sentence in (*map(str, causes), *(words.stepped(cause) for cause in steps)):
        yield from wrapped((Span(" " * _INDENT),), sentence, width, "", _INDENT + 2)


def _padded(cells: Sequence[str], sizes: Sequence[int]) -> str:
    """Set the first column to the left, and the figures to the right; cells without a size are left out."""
    first, *others = [(cell, size - units.cells(cell)) for cell, size in zip(cells, sizes, strict=False)]
    return f"{first[0]}{' ' * first[1]}  " + "".join(f"{' ' * fill}{cell}  " for cell, fill in others)


def _ledger(found: Comparison, width: int) -> Iterator[Line]:
    operation = main_operation(found.rows)
    for place, metric in enumerate(SHOWN):
        entries = list(ledger(found, operation, metric))
        if not entries:
            continue
        yield from title(f"ITERATIONS: {words.subject(entries[0].cumulative)}")
        for entry in entries:
            mark = words.MARKS[entry.step.ruling.answer]
            head = (Span("    "), Span(f"{mark} ", _STYLES[mark]), Span(f"{units.plain(entry.candidate, 40)}: ", BOLD))
            note = "" if place else units.plain(entry.note, _LONGEST_NOTE)
            about = ", ".join(text for text in (units.plain(entry.revision, 120), note) if text)
            step = f"step {words.movement(entry.step)} {entry.step.ruling.answer}"
            whole = f"from the start {words.movement(entry.cumulative)} {entry.cumulative.ruling.answer}"
            yield from wrapped(head, f"{step}; {whole}{f' ({about})' if about else ''}", width)


def _list(texts: Sequence[str], mark: Mark, width: int) -> Iterator[Line]:
    for text in texts[:MOST_NOTES]:
        yield from wrapped((Span("    "), Span(f"{mark} ", _STYLES[mark])), units.plain(text, 600), width)
    if len(texts) > MOST_NOTES:
        yield (Span(f"      … and {counted(len(texts) - MOST_NOTES, 'more note')}, in the JSON", DIM),)
