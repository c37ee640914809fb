"""The charts of a capacity: throughput over users with the law through it, latency, and the cores that were used."""

from __future__ import annotations

from math import isfinite, log10
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lab.model.words import counted
from reports import units
from reports.capacity import words
from reports.drawing import MS, Chart, inert, ms_axis
from reports.full import by_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.capacity.result import Capacity
    from reports.stats.usl import Law

CURVE_POINTS: Final = 120
MARGIN: Final = 1.18
_DOTTED: Final = {"mode": "lines+markers", "marker": {"size": 6}}
MOST_PROCESSES: Final = 6
_MS_TEXT: Final = "%{y:,.4~g} ms"


def charts(found: Capacity) -> list[Chart]:
    """Draw them; one that has nothing to show says why."""
    return [_throughput(found), _latency(found), _cores(found)]


def _line(
    name: str, xy: tuple[Sequence[float], Sequence[float | None]], colour: str, style: tuple[str, float], hover: str
) -> dict[str, Any]:
    dash, width = style
    return {
        "type": "scatter",
        "x": list(xy[0]),
        "y": list(xy[1]),
        "name": inert(name),
        "mode": "lines",
        "line": {"dash": dash, "width": width},
        "meta": {"colour": colour},
        "hovertemplate": hover,
    }


def _figure(found: Capacity, traces: list[dict[str, Any]], layout: dict[str, Any]) -> dict[str, Any]:
    return {"data": traces, "layout": {"showlegend": True, "xaxis": _users_axis(found), **layout}}


def _users_axis(found: Capacity) -> dict[str, Any]:
    """Give an axis of users on which steps that double stand equally far apart."""
    users = [step.users for step in found.steps]
    ticks = users if len(users) <= 12 else users[:: -(-len(users) // 12)]  # noqa: PLR2004 - labels that fit
    return {
        "type": "log",
        "title": {"text": "users (log)"},
        "tickvals": ticks,
        "ticktext": [f"{tick:,}" for tick in ticks],
        "range": [log10(users[0] / MARGIN), log10(users[-1] * MARGIN)],
    }


def _throughput(found: Capacity) -> Chart:
    users = [step.users for step in found.steps]
    rates = [step.level.rate for step in found.steps]
    errors = [words.HALF_WIDTH * step.level.error for step in found.steps]
    bars = [error if isfinite(error) else 0.0 for error in errors]
    # A rate below 0 is none.
    below = [min(error, rate) for error, rate in zip(bars, rates, strict=True)]
    measured = _line("measured", (users, rates), "p95", ("solid", 0.0), "%{y:,.4~g}/s with %{x} users")
    measured |= {"mode": "markers", "marker": {"size": 9}}
    measured["error_y"] = {"type": "data", "array": bars, "symmetric": False, "arrayminus": below, "thickness": 1.5}
    traces = [measured]
    layout: dict[str, Any] = {"shapes": [], "annotations": []}
    if found.law is not None and found.described:
        over = np.geomspace(users[0], users[-1], CURVE_POINTS).tolist()
        curve = [found.law.rate(each) for each in over]
        name = "the law, which claims no peak" if found.no_peak else "the law"
        traces.append(_line(name, (over, curve), "slowest", ("dash", 2.0), "%{y:,.4~g}/s"))
        if not found.no_peak:
            layout = _peak(found.law, users[-1])
    if found.plateau is not None:
        at = found.plateau
        mark = _line("plateau begins", ([at.users], [at.level.rate]), "users", ("solid", 0.0), "%{y:,.4~g}/s")
        traces.append(mark | {"mode": "markers", "marker": {"size": 16, "symbol": "circle-open"}})
    layout |= {"hovermode": "closest", "yaxis": {"title": {"text": "requests/s"}, "rangemode": "tozero", "nticks": 6}}
    steps = "; ".join(f"{counted(step.users, 'user')}: {words.rate(step)}" for step in found.steps)
    note = "Successful requests a second at each step; the bars are 95 % of what its seconds vary by."
    note += " The band is where the law's peak lies." if layout.get("shapes") else ""
    if found.law is not None and not found.described:
        note += f" The law is {found.law.misfit:.0%} off at one of them, and not drawn."
    return Chart("throughput", "Throughput over users", f"{steps}.", note, _figure(found, traces, layout))


def _peak(law: Law, last: int) -> dict[str, Any]:
    """Give the band that the peak lies in."""
    low, high = law.peak.low, min(law.peak.high, last * MARGIN)
    band = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "x0": low, "x1": high}
    text = {"x": log10(low * high) / 2, "y": 1, "xref": "x", "yref": "paper", "yanchor": "bottom"}
    return {"shapes": [band], "annotations": [{**text, "text": "peak", "showarrow": False}]}


def _latency(found: Capacity) -> Chart:
    title = "Latency over users"
    series = {
        "median": [step.level.median for step in found.steps],
        "p95": [step.level.p95 for step in found.steps],
    }
    shown = [value for values in series.values() for value in values if value is not None and isfinite(value)]
    if not shown:
        return Chart("latency", title, "No step has the successful requests that a median needs.", "", None)
    users = [step.users for step in found.steps]
    traces = [
        _line(
            name,
            (users, [None if value is None or not isfinite(value) else value / MS for value in values]),
            "p50" if name == "median" else "p95",
            ("solid", 2.0),
            _MS_TEXT,
        )
        | _DOTTED
        for name, values in series.items()
    ]
    layout = {"hovermode": "x unified", "yaxis": ms_axis(min(shown), max(shown))}
    said = "; ".join(
        f"{counted(users, 'user')}: median {units.duration(level.median)}, p95 {units.duration(level.p95)}"
        for users, level in ((step.users, step.level) for step in found.steps)
    )
    note = "Service times. A percentile that too few requests lie beyond is left out, as is a p95 among failures."
    return Chart("latency", title, f"{said}.", note, _figure(found, traces, layout))


def _cores(found: Capacity) -> Chart:
    title = "Cores in use over users"
    by_step = [by_tag(step.level.gauges, "cpu", "process") for step in found.steps]
    peaks = {name: max(step.get(name, 0.0) for step in by_step) for step in by_step for name in step}
    names = sorted(peaks, key=lambda name: -peaks[name])[:MOST_PROCESSES]
    if not names:
        return Chart("cores", title, "No process was measured: the platform runs on another machine.", "", None)
    users = [step.users for step in found.steps]
    traces = [
        _line(
            units.plain(name, 40),
            (users, [step.get(name) for step in by_step]),
            f"series-{number + 1}",
            ("solid", 2.0),
            "%{y:.2f}",
        )
        | _DOTTED
        for number, name in enumerate(names)
    ]
    axis = {"title": {"text": "cores"}, "rangemode": "tozero", "nticks": 6}
    layout = {"hovermode": "x unified", "yaxis": axis}
    last = ", ".join(f"{inert(units.plain(name, 40))} {by_step[-1].get(name, 0.0):.2f}" for name in names)
    cores = counted(found.run.machine.cores, "core")
    note = f"Mean of each step; the machine has {cores}. One interpreter's own limit is one core."
    return Chart("cores", title, f"At the last step: {last}.", note, _figure(found, traces, layout))
