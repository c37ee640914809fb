"""Lines of all runs one over the other: p95 over time, and percentile curves.

As in `reports.charts`, a trace names its colour and the page gives it that of its theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lab.model.words import counted
from reports import units
from reports.comparison import words
from reports.comparison.members import colour, dash, label, members, told
from reports.comparison.metrics import WHOLE
from reports.comparison.overlays import DRAWN
from reports.drawing import MS, Chart, curve_axis, ms_axis, rounded, time_axis, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.comparison.members import Member
    from reports.comparison.overlays import Overlays, Trace
    from reports.comparison.result import Comparison

_MANY: Final = 8
"""With more runs than this, lines are thinner and paler."""


def over_time(found: Comparison, drawn: Overlays, operation: str) -> Chart:
    """Draw p95 over time, a line per run; p50 where no window of any run has the requests that p95 needs."""
    known = [
        (member, drawn.traces[member.run.run_id]) for member in members(found) if member.run.run_id in drawn.traces
    ]
    shown = [name for name in DRAWN if any(np.isfinite(trace.latency[name]).any() for _, trace in known)]
    name = (shown or DRAWN)[0]
    lines = [(member, trace) for member, trace in known if np.isfinite(trace.latency[name]).any()]
    title = f"{_operation(operation)} {name} over time"
    if not lines:
        return Chart("over-time", title, "No run has a window with enough requests for a median.", "", None)
    traces = [
        _line(found, member, lines, times(trace.start).tolist(), trace.latency[name] / MS, "%{y:,.4~g} ms")
        for member, trace in lines
    ]
    low, high = (
        pick(pick(trace.latency[name][np.isfinite(trace.latency[name])]) for _, trace in lines) for pick in (min, max)
    )
    widths = sorted({trace.width for _, trace in lines})
    figure = {
        "data": traces,
        "layout": {
            "hovermode": "closest",
            "showlegend": True,
            "xaxis": time_axis(max(trace.seconds for _, trace in lines)),
            "yaxis": ms_axis(float(low), float(high)),
        },
    }
    span = f"{widths[0]} s" if len(widths) == 1 else f"{widths[0]} to {widths[-1]} s"
    few = "" if name == DRAWN[0] else f", and for {DRAWN[0]} there were too few in each"
    note = (
        f"A line per run, by side. Successful requests, by the service clock, in windows of {span}; a window in which "
        f"fewer than ten requests exceed {name} is left out{few}."
    )
    ends = units.duration(float(low)), units.duration(float(high))
    return Chart(
        "over-time", title, f"{name} of {counted(len(lines), 'run')}, from {ends[0]} to {ends[1]}.", note, figure
    )


def curves(found: Comparison, drawn: Overlays, operation: str) -> Chart:
    """Draw the percentile curves, a line per run."""
    title = f"{_operation(operation)} latency distribution"
    lines = []
    for member in members(found):
        trace = drawn.traces.get(member.run.run_id)
        if trace is not None and trace.curve is not None:
            lines.append((member, trace, trace.curve))
    if not lines:
        return Chart("curves", title, "No run has enough successful requests for a curve.", "", None)
    all_lines = [(member, trace) for member, trace, _ in lines]
    traces = [
        _line(found, member, all_lines, rounded(curve.beyond), curve.latency / MS, "p%{customdata:.4~f}: %{y:,.4~g} ms")
        | {"customdata": np.round((1 - 1 / curve.beyond) * 100, 4).tolist()}
        for member, _, curve in lines
    ]
    low, high = min(curve.latency[0] for *_, curve in lines), max(curve.latency[-1] for *_, curve in lines)
    figure = {
        "data": traces,
        "layout": {
            "hovermode": "closest",
            "showlegend": True,
            "xaxis": curve_axis(max(float(curve.beyond[-1]) for *_, curve in lines)),
            "yaxis": ms_axis(float(low), float(high)),
        },
    }
    note = (
        "A line per run, by side. Successful requests, by the service clock, after the warm-up. A curve ends where ten "
        "requests are slower."
    )
    slowest = units.duration(float(high))
    return Chart(
        "curves", title, f"Curves of {counted(len(lines), 'run')}; the highest ends at {slowest}.", note, figure
    )


def _operation(operation: str) -> str:
    return words.capital("all requests:" if operation == WHOLE else units.plain(operation, 40))


def _line(  # noqa: PLR0913, PLR0917 - what a line is made of
    found: Comparison,
    member: Member,
    lines: Sequence[tuple[Member, Trace]],
    x: list[Any],
    y: Iterable[float],
    hover: str,
) -> dict[str, Any]:
    first = next(other for other, _ in lines if other.place == member.place)
    many = len(lines) > _MANY
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(found, member.place),
        "legendgroup": str(member.place),
        "showlegend": member is first,
        "x": x,
        "y": rounded(y),
        "text": told(member),
        "hovertemplate": f"%{{text}}: {hover}<extra></extra>",
        "line": {"width": 1.4 if many else 2, "dash": dash(member.place)},
        "opacity": 0.7 if many else 0.9,
        "meta": {"colour": colour(member.place)},
    }
