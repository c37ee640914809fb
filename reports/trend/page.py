"""A trend as one HTML file that opens offline: a chart over the runs, where it changed, and every run in a table."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite, isinf
from typing import TYPE_CHECKING, Any, Final

from lab.model.words import counted
from reports import offline, units
from reports.comparison import words as figures
from reports.comparison.metrics import Unit
from reports.drawing import MS, Chart, inert, rounded
from reports.trend import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.trend.result import Point, Trend

TEMPLATE: Final = "trend.html.j2"
MOST_ROWS: Final = 500
TICKS: Final = 5
_SCALES: Final = {Unit.TIME: (MS, "ms"), Unit.RATE: (1, "/s"), Unit.SHARE: (0.01, "%"), Unit.CPU: (MS, "CPU ms")}
"""By how much figures are divided to be drawn, and the unit that they are in then."""


def render(trend: Trend) -> str:
    """Give the whole page."""
    drawn = chart(trend)
    return offline.page(
        TEMPLATE,
        {drawn.id: drawn.figure} if drawn.figure else {},
        trend=trend,
        chart=drawn,
        points=trend.points[: -MOST_ROWS - 1 : -1],
        beginnings={change.run_id: change for change in trend.changes},
        words=words,
        figure=lambda value: figures.figure(trend.metric, value),
    )


def chart(trend: Trend) -> Chart:
    """Draw the figures over the runs, hollow where a run cannot be believed, and the level between two changes."""
    title = f"{figures.capital(words.subject(trend))} over the runs"
    shown = [point.value for point in trend.points if point.value is not None and isfinite(point.value)]
    if not shown:
        return Chart("trend", title, "No run has a figure, so there is nothing to draw.", "", None)
    scale, unit = _SCALES[trend.metric.unit]
    top = max(shown) / scale
    believed = [number for number, point in enumerate(trend.points) if point.believed and _drawn(point)]
    hollow = [number for number, point in enumerate(trend.points) if not point.believed and _drawn(point)]
    never = [number for number, point in enumerate(trend.points) if point.value is not None and isinf(point.value)]
    traces = [
        _levels(trend, scale),
        _dots(trend, "believed", believed, "circle", "series-1"),
        _dots(trend, "INVALID or not judged", hollow, "circle-open", "planned"),
        _dots(trend, units.NO_ANSWER, never, "x", "failed", top * 1.08),
    ]
    layout = {
        "hovermode": "closest",
        "showlegend": len(believed) < len(trend.points) or bool(trend.changes),
        "xaxis": {"zeroline": False, "range": [-0.7, len(trend.points) - 0.3], **_days(trend.points)},
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero", "nticks": 6},
        "shapes": _bands(trend),
    }
    ends = " to ".join(figures.figure(trend.metric, end) for end in (min(shown), max(shown)))
    note = "A dot is a run, in the order of time."
    if trend.changes:
        note += " Lines are the levels between changes, each a mean of its runs; every second one has a darker ground."
    summary = f"{counted(len(shown), 'run')} with a figure, {ends}; {counted(len(trend.changes), 'change')} seen."
    return Chart("trend", title, summary, note, {"data": [trace for trace in traces if trace["x"]], "layout": layout})


def _drawn(point: Point) -> bool:
    return point.value is not None and isfinite(point.value)


def _dots(  # noqa: PLR0913, PLR0917 - what a kind of dots is
    trend: Trend, name: str, places: Sequence[int], symbol: str, colour: str, height: float | None = None
) -> dict[str, Any]:
    scale, _ = _SCALES[trend.metric.unit]
    points = [trend.points[place] for place in places]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": list(places),
        "y": rounded([(point.value or 0.0) / scale if height is None else height for point in points]),
        "text": [_told(trend, point) for point in points],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 9, "symbol": symbol},
        "meta": {"colour": colour},
    }


def _told(trend: Trend, point: Point) -> str:
    """Name a run where somebody points at it."""
    said = [units.plain(point.run_id, 60), words.about(point), figures.figure(trend.metric, point.value)]
    if not point.believed:
        said.append(str(point.validity or "not judged"))
    return "<br>".join(inert(text) for text in said if text)


def _edges(trend: Trend) -> list[int]:
    return [0, *(change.place for change in trend.changes), len(trend.points)]


def _levels(trend: Trend, scale: float) -> dict[str, Any]:
    """Draw the level of the runs between two changes."""
    means = [*(change.before for change in trend.changes), *(change.after for change in trend.changes[-1:])]
    x: list[float | None] = []
    y: list[float | None] = []
    for (begin, end), mean in zip(pairwise(_edges(trend)), means, strict=False):
        x += [begin - 0.5, end - 0.5, None]
        y += [mean / scale, mean / scale, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "level",
        "x": x,
        "y": rounded(y),
        "hoverinfo": "skip",
        "line": {"width": 2, "dash": "dash"},
        "meta": {"colour": "series-2"},
    }


def _bands(trend: Trend) -> list[dict[str, Any]]:
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "x0": begin - 0.5,
            "x1": end - 0.5,
        }
        for begin, end in list(pairwise(_edges(trend)))[1::2]
    ]


def _days(points: Sequence[Point]) -> dict[str, Any]:
    """Label some of the runs with the day on which they were made; a day is named once."""
    firsts = list({point.started[:10]: place for place, point in reversed(list(enumerate(points)))}.values())[::-1]
    kept = _spread(firsts, len(points))
    # The year is left out where it is the same for all: a telephone is narrow.
    begin = 5 if len({point.started[:4] for point in points}) == 1 else 2
    return {"tickvals": kept, "ticktext": [points[place].started[begin:10] for place in kept], "tickangle": 0}


def _spread(places: Iterable[int], number: int) -> list[int]:
    """Keep of some places those that stand apart by enough for their labels."""
    apart = number / TICKS
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] >= apart:
            kept.append(place)
    return kept
