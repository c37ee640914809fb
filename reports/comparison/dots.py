"""Charts with a dot per run: over its side, so that the spread is seen, and over time, so that a drift is seen.

As in `reports.charts`, a trace names its colour and the page gives it that of its theme.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from statistics import mean
from typing import TYPE_CHECKING, Any, Final

from lab.model.words import counted
from reports import units
from reports.comparison import words
from reports.comparison.members import Member, colour, every_side, label, members, told
from reports.comparison.metrics import WHOLE, Metric, Unit
from reports.drawing import MS, Chart, inert, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.comparison.result import Comparison, Row

MOST_PANELS: Final = 7
ORDERED: Final = ("p95", "throughput")
"""What is drawn over the order of runs."""
_FIRST: Final = ("p95", "p99", "p50", "throughput", "failures", "notification_delay", "cpu_per_booking")
_SCALES: Final = {Unit.TIME: (MS, "ms"), Unit.RATE: (1, "/s"), Unit.SHARE: (0.01, "%"), Unit.CPU: (MS, "CPU ms")}
_NAME: Final = 24
_NAMED: Final = 3
"""With more sides than this there is room for their numbers only."""
_FEW: Final = 8


@dataclass(frozen=True, slots=True)
class _Panel:
    """One metric of one operation, and what the runs brought to it, in the unit that it is shown in."""

    operation: str
    metric: Metric
    dots: tuple[tuple[Member, float], ...]
    left_out: int

    @property
    def title(self) -> str:
        operation = "" if self.operation == WHOLE else f"{units.plain(self.operation, 40)} "
        return f"{operation}{words.name(self.metric)}"

    @property
    def unit(self) -> str:
        return _SCALES[self.metric.unit][1]


def dots(found: Comparison, operation: str) -> list[Chart]:
    """Draw, for each metric of an operation and of the whole run, a dot per run over its side; lines join pairs.

    A metric that no run has a figure of is left out.
    """
    return [_by_side(found, panel) for panel in _panels(found, operation) if panel.dots][:MOST_PANELS]


def order(found: Comparison, operation: str) -> list[Chart]:
    """Draw figures over the order in which the runs were made."""
    return [_by_time(found, panel) for panel in _panels(found, operation) if panel.metric.name in ORDERED]


def _panels(found: Comparison, operation: str) -> Iterator[_Panel]:
    everyone = members(found)
    rows: dict[tuple[str, str], Row] = {}
    for row in found.rows:
        if row.operation == operation or (row.operation == WHOLE and row.metric.name in words.LABELS):
            rows.setdefault((row.operation, row.metric.name), row)
    for (of, name), row in sorted(rows.items(), key=lambda entry: _FIRST.index(entry[0][1])):
        scale = _SCALES[row.metric.unit][0]
        values = [(member, member.value(of, name)) for member in everyone]
        shown = tuple((member, value / scale) for member, value in values if value is not None and isfinite(value))
        yield _Panel(of, row.metric, shown, len(values) - len(shown))


def _by_side(found: Comparison, panel: _Panel) -> Chart:
    sides = every_side(found)
    title, chart = panel.title, f"dots-{panel.metric.name}"
    pairs: dict[str, list[tuple[Member, float]]] = {}
    for member, value in panel.dots:
        if member.run.pair:
            pairs.setdefault(member.run.pair, []).append((member, value))
    x: list[int | None] = []
    y: list[float | None] = []
    for joined in pairs.values():
        joined.sort(key=lambda dot: dot[0].place)
        x += [*(member.place for member, _ in joined), None]
        y += [*(value for _, value in joined), None]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": rounded(y),
            "hoverinfo": "skip",
            "showlegend": False,
            "line": {"width": 1},
            "opacity": 0.55,
            "meta": {"colour": "planned"},
        }
    ]
    traces += [_dots(found, panel, place, [place] * len(_of(panel, place))) for place in range(len(sides))]
    named = len(sides) <= _NAMED
    names = [
        inert(units.plain(side.label, _NAME)) if named else str(place or "base") for place, side in enumerate(sides)
    ]
    axis = {"tickvals": list(range(len(sides))), "ticktext": names, "range": [-0.5, len(sides) - 0.5], "tickangle": 0}
    return Chart(chart, title, _summary(found, panel), _left_out(panel), _figure(traces, axis, panel))


def _by_time(found: Comparison, panel: _Panel) -> Chart:
    title, chart = panel.title, f"order-{panel.metric.name}"
    if not panel.dots:
        return Chart(chart, title, "No run has a figure.", "", None)
    places = range(len(every_side(found)))
    traces = [_dots(found, panel, place, [member.number for member, _ in _of(panel, place)]) for place in places]
    last = panel.dots[-1][0].number
    axis = {"range": [0.5, last + 0.5], "nticks": min(last + 1, 12)}
    if last <= _FEW:
        axis |= {"dtick": 1}
    figure = _figure(traces, axis, panel)
    figure["layout"] |= {"showlegend": True}
    return Chart(chart, title, _summary(found, panel), _left_out(panel), figure)


def _of(panel: _Panel, place: int) -> list[tuple[Member, float]]:
    return [(member, value) for member, value in panel.dots if member.place == place]


def _dots(found: Comparison, panel: _Panel, place: int, x: Sequence[int]) -> dict[str, Any]:
    mine = _of(panel, place)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label(found, place),
        "x": list(x),
        "y": rounded([value for _, value in mine]),
        "text": [told(member) for member, _ in mine],
        "hovertemplate": f"%{{text}}: %{{y:,.4~g}} {panel.unit}<extra></extra>",
        "marker": {"size": 8, "symbol": ["circle" if member.believed else "circle-open" for member, _ in mine]},
        "meta": {"colour": colour(place)},
        "opacity": 0.85,
    }


def _figure(traces: list[dict[str, Any]], axis: dict[str, Any], panel: _Panel) -> dict[str, Any]:
    layout = {
        "hovermode": "closest",
        "showlegend": False,
        "xaxis": {"fixedrange": True, "zeroline": False, **axis},
        "yaxis": {"title": {"text": panel.unit}, "nticks": 6, "zeroline": False, "range": _range(panel)},
    }
    return {"data": traces, "layout": layout}


def _range(panel: _Panel) -> list[float]:
    """Choose the axis: never so narrow that what counts as no difference would fill it."""
    metric, values = panel.metric, [value for _, value in panel.dots]
    middle = mean(values)
    if metric.absolute:
        reach = metric.margin / _SCALES[metric.unit][0]
        low, high = middle - reach, middle + reach
    else:
        low, high = middle / (1 + metric.margin), middle * (1 + metric.margin)
    low, high = max(min(low, *values), 0.0), max(high, *values)
    room = (high - low) * 0.08 or 1.0
    return [low - room, high + room]


def _summary(found: Comparison, panel: _Panel) -> str:
    said = []
    for place, side in enumerate(every_side(found)):
        values = [value for _, value in _of(panel, place)]
        if values:
            ends = f"{min(values):,.4g} to {max(values):,.4g} {panel.unit}"
            said.append(f"{units.plain(side.label, _NAME)}: {counted(len(values), 'run')}, {ends}")
    return f"{'; '.join(said)}."


def _left_out(panel: _Panel) -> str:
    return f"{counted(panel.left_out, 'run')} without a figure left out." if panel.left_out else ""
