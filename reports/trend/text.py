"""A trend for the terminal: a line per run, the oldest first, with the figure as a dot on a common scale."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isinf
from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units
from reports.comparison import words as figures
from reports.layout import BAD, BOLD, DIM, FIGURE, WARN, Span, draw, plain, wrapped
from reports.trend import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from reports.layout import Line
    from reports.trend.result import Point, Trend

NARROWEST: Final = 80
WIDEST: Final = 140
MOST_RUNS: Final = 40
MOST_NOTES: Final = 12
FEWEST_DOTS: Final = 16
WEAK: Final = "~"
DOT, HOLLOW, NEVER = "●", "○", "✗"
_ID: Final = 28
_ABOUT: Final = 18
_GAP: Final = 2


def summary(trend: Trend, width: int = NARROWEST) -> str:
    """Write a trend as plain text, without colour; it ends with a line break."""
    return plain(lines(trend, width))


def show(trend: Trend, console: Console) -> None:
    """Write a trend to a console: in colour on a terminal, as plain text to a file or a pipe."""
    draw(lines(trend, console.width), console)


def lines(trend: Trend, width: int = NARROWEST) -> Iterator[Line]:
    """Give a trend line by line, as styled spans."""
    columns = min(max(width, NARROWEST), WIDEST)
    yield ()
    yield from wrapped((Span("  "),), words.headline(trend), columns, BOLD, 2)
    yield from wrapped((Span("  "),), words.EXPLORATORY, columns, DIM, 2)
    yield ()
    yield from _table(trend, columns)
    yield ()
    for heading, texts in (("left out", trend.left_out), ("to be known", trend.notes)):
        for text in texts[:MOST_NOTES]:
            yield from wrapped((Span(f"  {heading}: ", WARN),), text, columns, hang=4)
        if len(texts) > MOST_NOTES:
            yield (Span(f"  … and {len(texts) - MOST_NOTES} more, in --json", DIM),)
    yield from wrapped((Span("  "),), words.method(trend), columns, DIM, 2)
    yield ()


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a figure's dot stands: `low` and `high` are the ends, on the scale that effects are on."""

    low: float
    high: float
    dots: int

    @classmethod
    def of(cls, trend: Trend, dots: int) -> _Scale:
        values = [trend.metric.scaled(p.value) for p in trend.points if p.value is not None and isfinite(p.value)]
        known = [value for value in values if isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)
        # So that runs which are as good as equal are not drawn far apart.
        short = max(4 * trend.metric.limit - (high - low), 0.0)
        least = 0.0 if trend.metric.absolute else float("-inf")
        low = max(low - short / 2, least)
        return cls(low, max(high + short / 2, low + 4 * trend.metric.limit), dots)

    def place(self, value: float) -> int:
        """Give a column; what has no place on the scale, such as 0 on that of logarithms, stands at its beginning."""
        if not isfinite(value):
            return 0
        return round((value - self.low) / (self.high - self.low) * (self.dots - 1))


def _table(trend: Trend, width: int) -> Iterator[Line]:
    points = trend.points[-MOST_RUNS:]
    older = len(trend.points) - len(points)
    if older:
        yield (Span(f"  … {counted(older, 'older run')}, in --html and --json", DIM),)
    values = [_figure(trend, point) for point in points]
    sizes = (
        min(_longest(units.plain(point.run_id, _ID * 2) for point in points), _ID),
        min(_longest(words.about(point) for point in points), _ABOUT),
        _longest(values),
    )
    scale = _Scale.of(trend, max(width - 2 - sum(sizes) - 3 * _GAP, FEWEST_DOTS))
    began = {change.place - older: change for change in trend.changes}
    if any(point.value is not None and isfinite(point.value) for point in trend.points):
        yield _ends(trend, scale, sum(sizes) + 3 * _GAP)
    for place, (point, value) in enumerate(zip(points, values, strict=True)):
        if change := began.get(place):
            said = f" {words.change(trend.metric, change)} "
            yield (Span("  "), Span(f"──{said}".ljust(width - 4, "─"), WARN))
        yield _line(trend, point, value, sizes, scale)


def _ends(trend: Trend, scale: _Scale, before: int) -> Line:
    low, high = (figures.figure(trend.metric, trend.metric.unscaled(end)) for end in (scale.low, scale.high))
    return (Span(" " * (2 + before)), Span(low, DIM), Span(high.rjust(max(scale.dots - len(low), len(high) + 1)), DIM))


def _line(trend: Trend, point: Point, value: str, sizes: Sequence[int], scale: _Scale) -> Line:
    run, about = (_cut(text, size) for text, size in zip((point.run_id, words.about(point)), sizes, strict=False))
    style = "" if point.believed else "magenta"
    head = (
        Span(f"  {run}  {about}  ", style),
        Span(value.rjust(sizes[2]), FIGURE if point.believed else style),
        Span("  "),
    )
    if point.value is None:
        return head
    if isinf(point.value):
        return (*head, Span(" " * (scale.dots - 1)), Span(NEVER, BAD))
    place = scale.place(trend.metric.scaled(point.value))
    return (*head, Span("·" * place, DIM), Span(DOT if point.believed else HOLLOW, style or FIGURE))


def _figure(trend: Trend, point: Point) -> str:
    weak = point.weak and point.value is not None and not isinf(point.value)
    return f"{WEAK if weak else ''}{figures.figure(trend.metric, point.value)}"


def _longest(texts: Iterable[str]) -> int:
    return max(map(units.cells, texts), default=0)


def _cut(text: str, size: int) -> str:
    """Bring a text to a number of columns."""
    plain = units.plain(text, size * 2)
    while units.cells(plain) > size:
        plain = f"{plain.removesuffix('…')[:-1]}…"
    return plain + " " * (size - units.cells(plain))
