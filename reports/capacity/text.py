"""A capacity for a terminal: the answer, the steps, the law, what was full, and where each threshold broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import units
from reports.capacity import words
from reports.full import LOAD, by_tag
from reports.layout import BAD, BOLD, DIM, FIGURE, GOOD, WARN, Span, draw, plain, title, wrapped
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from reports.capacity.result import Capacity, Measured
    from reports.layout import Line

NARROWEST: Final = 80
USUAL_WIDTH: Final = 100
WIDEST: Final = 120
BARS: Final = 8
HEADINGS: Final = ("users", "requests/s", "", "median", "p95", "failed", "CPU")


def summary(found: Capacity, width: int = USUAL_WIDTH) -> str:
    """Write it as plain text, without colour; it ends with a line break. `width` is kept between 80 and 120."""
    return plain(lines(found, width))


def show(found: Capacity, console: Console) -> None:
    """Write it to a console: in colour on a terminal, as plain text to a file or a pipe."""
    draw(lines(found, console.width), console)


def lines(found: Capacity, width: int = USUAL_WIDTH) -> Iterator[Line]:
    """Give it line by line, as styled spans."""
    columns = min(max(width, NARROWEST), WIDEST)
    yield ()
    yield from wrapped((Span("  "),), units.plain(words.headline(found), 2000), columns, BOLD, 2)
    if caution := words.caution(found):
        yield ()
        yield from wrapped((Span("  "), Span(f"{Mark.WARN} ", WARN)), caution, columns, WARN, 4)
    yield from title("STEPS")
    yield from _steps(found)
    yield from title("LAW")
    if found.law is not None:
        for name, text in words.law_lines(found.law):
            yield (Span(f"    {name:<28} "), Span(text, FIGURE))
        yield ()
    style = WARN if found.no_peak else ""
    yield from wrapped((Span("    "),), words.peak(found), columns, style, 4)
    yield from wrapped((Span("    "),), words.bend(found), columns, "", 4)
    yield from title("WHAT WAS FULL")
    if found.full:
        for item in found.full:
            yield from wrapped((Span("    "), Span(f"{Mark.BAD} ", BAD)), units.plain(item.what, 600), columns)
        if found.unseen:
            yield from wrapped((Span("    "),), f"Not looked at: {', '.join(found.unseen)}.", columns, DIM, 4)
    else:
        yield from wrapped((Span("    "),), words.stopped_by(found), columns, "", 4)
    if found.breaks:
        yield from title("THRESHOLDS")
        for each in found.breaks:
            mark, style = (Mark.NONE, DIM) if each.held is None and each.broke is None else (Mark.GOOD, GOOD)
            mark, style = (Mark.BAD, BAD) if each.broke is not None else (mark, style)
            head = (Span("    "), Span(f"{mark} ", style))
            sentence = f"{units.plain(each.threshold, 100)}: {words.broken(each)}"
            yield from wrapped(head, sentence, columns)
    yield ()
    yield from wrapped((Span("  "),), words.METHOD, columns, DIM, 2)


def _steps(found: Capacity) -> Iterator[Line]:
    rows = [HEADINGS, *(_row(step, found.most) for step in found.steps)]
    sizes = [max(units.cells(row[place]) for row in rows) for place in range(len(HEADINGS))]
    for number, row in enumerate(rows):
        cells = [
            f"{text:<{size}}" if place == 2 else f"{text:>{size}}"  # noqa: PLR2004 - the bar's column
            for place, (text, size) in enumerate(zip(row, sizes, strict=True))
        ]
        step = found.steps[number - 1] if number else None
        yield (Span("    " + "  ".join(cells), FIGURE if number else DIM), Span(_mark(found, step), WARN))


def _mark(found: Capacity, step: Measured | None) -> str:
    if step is None:
        return ""
    if step.generator:
        return f"  {Mark.WARN} generator"
    return "  ← plateau" if step is found.plateau else ""


def _row(step: Measured, most: Measured) -> tuple[str, ...]:
    level = step.level
    cpu = by_tag(level.gauges, "cpu", "process")
    platform = [share for process, share in cpu.items() if process != LOAD]
    return (
        f"{step.users:,}",
        f"{level.rate:,.1f}{words.plus_minus(step)}",
        "█" * max(round(BARS * level.rate / most.level.rate), 0) if most.level.rate else "",
        units.duration(level.median),
        units.duration(level.p95),
        units.percent(level.failed),
        f"{sum(platform):.2f}" if platform else units.NO_FIGURE,
    )
