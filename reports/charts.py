"""The charts of a report, as plotly figures without colours: the page gives each trace the colour of its theme.

A trace names its colour by `meta.colour`, a custom property of the page's style sheet. Texts from elsewhere pass
`inert`, because plotly reads a little HTML in its labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from lab.model.sample import FAIL
from lab.model.words import counted
from reports import overtime, units
from reports.drawing import MS, ORIGIN, Chart, curve_axis, inert, ms_axis, plain_figure, time_axis, times
from reports.kinds import OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

    from reports.frame import RunData

MOST_CURVES: Final = 6
MOST_STAGE_LABELS: Final = 12
FEW_USERS: Final = 4
WARM_UP: Final = "warm-up"
"""The band that the page gives a colour of its own."""
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_LATENCY: Final = (("p50", "solid", 2.0), ("p90", "dash", 2.0), ("p95", "solid", 2.0), ("p99", "dot", 2.5))
_SOLID: Final = ("solid", 2.0)
_MS_TEXT: Final = "%{y:,.4~g} ms"


def charts(data: RunData) -> list[Chart]:
    """Draw the charts of a run; one without requests has those that it has data for."""
    if not data.seconds:
        return []
    drawn = [_load(data)]
    if len(data.requests):
        drawn += [_latency(data), _distribution(data)]
    return drawn


def _line(name: str, xy: tuple[object, object], colour: str, line: tuple[str, float], **more: object) -> go.Scatter:
    dash, width = line
    return go.Scatter(
        x=xy[0],
        y=xy[1],
        name=inert(name),
        mode="lines",
        line={"dash": dash, "width": width},
        meta={"colour": colour},
        **more,
    )


def _stages(data: RunData, *, labels: bool = True) -> dict[str, Any]:
    """Give the bands behind a chart over time: every second stage, each with what it leads to, and the warm-up."""
    shapes: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    bands = data.run.scenario.bands
    for number, band in enumerate(bands):
        if band.begin >= data.seconds or len(bands) > 10 * MOST_STAGE_LABELS:
            break
        x = {"x0": ORIGIN + band.begin * MS, "x1": ORIGIN + min(band.end, data.seconds) * MS}
        if number % 2:
            shapes.append({"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", **x})
        if labels and len(bands) <= MOST_STAGE_LABELS and band.end - band.begin >= data.seconds / 40:
            middle = ORIGIN + (band.begin + min(band.end, data.seconds)) / 2 * MS
            text = band.words if len(bands) <= MOST_STAGE_LABELS / 2 else band.words.split(" ")[0]
            text = text if band.level else f"→ {text}"
            texts.append({"x": middle, "y": 1, "xref": "x", "yref": "paper", "yanchor": "bottom", "text": text})
    warmup = min(data.run.warmup, data.seconds)
    if warmup:
        x = {"x0": ORIGIN, "x1": ORIGIN + warmup * MS}
        shapes.append(
            {"type": "rect", "name": WARM_UP, "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", **x}
        )
        # Below what the stages are called.
        texts.append({"x": x["x1"], "y": 1, "xref": "x", "yref": "paper", "xanchor": "right", "yanchor": "top"})
        texts[-1]["text"] = WARM_UP
    return {"shapes": shapes, "annotations": [{**text, "showarrow": False} for text in texts]}


def _load(data: RunData) -> Chart:
    width, seconds = overtime.load(data)
    x = times(seconds.index)
    form = "%{y:,.1f}/s" if width > 1 else "%{y:,.0f}/s"
    area = {"hovertemplate": form, "fill": "tozeroy"}
    traces = [_line("answered", (x, seconds["ok"]), "ok", ("solid", 1.5), **area)]
    failed = int(data.requests.loc[data.requests["outcome"] == OUTCOMES.index(FAIL), "count"].sum())
    if failed:
        traces.append(_line("failed", (x, seconds["failed"]), "failed", ("solid", 1.5), **area))
    users = {"yaxis": "y2", "hovertemplate": "%{y:,.0f}"}
    has_users = bool(seconds["users"].notna().any())
    title = "Requests and users over time"
    if not len(data.requests) and not has_users:
        empty = f"In {units.clock(data.seconds)} no request and no user was recorded, so there is nothing to draw."
        return Chart("load", title, empty, "", None)
    if has_users:
        traces.append(_line("users", (x, seconds["users"]), "users", _SOLID, **users))
    if seconds["target"].notna().any():
        traces.append(_line("planned users", (x, seconds["target"]), "planned", ("dot", 1.5), **users))
    figure = go.Figure(traces)
    ticks = {"dtick": 1} if data.run.scenario.peak <= FEW_USERS else {"nticks": 4}
    figure.update_layout(
        hovermode="x unified",
        showlegend=True,
        xaxis={**time_axis(data.seconds), "anchor": "y2"},
        yaxis={"domain": [0.4, 1], "title": {"text": "requests/s"}, "rangemode": "tozero", "nticks": 6},
        yaxis2={"domain": [0, 0.28], "title": {"text": "users"}, "rangemode": "tozero", **ticks},
        **_stages(data),
    )
    total = (seconds["ok"] + seconds["failed"]).to_numpy()
    top = int(total.argmax())
    peak = f"{counted(round(total[top]), 'request')} a second at {units.clock(float(seconds.index[top]))}"
    most = f", with up to {counted(int(seconds['users'].max()), 'user')}" if has_users else ""
    lost = f"; {counted(failed, 'request')} failed" if failed else "; no request failed"
    span = "one second" if width == 1 else f"{width} seconds"
    return Chart(
        "load",
        title,
        f"Requests a second over {units.clock(data.seconds)}: at most {peak}{most}{lost}.",
        f"Each point is {span}. The bands are the scenario's stages{_warm(data)}.",
        plain_figure(figure),
    )


def _warm(data: RunData) -> str:
    return f"; the first {data.run.warmup} s are warm-up, which judges nothing" if data.run.warmup else ""


def _latency(data: RunData) -> Chart:
    found = overtime.windows(data)
    frame = found.frame
    title = "Latency over time"
    if not frame["slowest"].notna().any():
        return Chart("latency", title, "No request succeeded, so there is no latency to draw.", "", None)
    x = times(frame["start"])
    traces, hidden = [], []
    for column, dash, width in _LATENCY:
        if frame[column].notna().any():
            trace = _line(column, (x, frame[column] / MS), column, (dash, width), hovertemplate=_MS_TEXT)
            traces.append(trace.update(mode="lines+markers", marker={"size": 4}))
        else:
            hidden.append(column)
    slowest = _line("slowest", (x, frame["slowest"] / MS), "slowest", _SOLID, hovertemplate=_MS_TEXT)
    traces.append(slowest.update(mode="markers", marker={"size": 5, "symbol": "triangle-up"}))
    figure = go.Figure(traces)
    low, high = (
        float(extreme)
        for extreme in (frame[[*(name for name, *_ in _LATENCY), "slowest"]].min().min(), frame["slowest"].max())
    )
    figure.update_layout(
        hovermode="x unified", showlegend=True, xaxis=time_axis(data.seconds), yaxis=ms_axis(low, high), **_stages(data)
    )
    note = (
        f"Successful requests, in windows of {found.width} s. A point that fewer than ten requests exceed is left out."
    )
    if hidden:
        *most, last = hidden
        names = f"{', '.join(most)} and {last}" if most else last
        note += f" No window holds enough requests for {names}."
    return Chart("latency", title, _latency_summary(frame), note, plain_figure(figure))


def _latency_summary(frame: pd.DataFrame) -> str:
    medians, slowest = frame["p50"].dropna(), frame["slowest"].dropna()
    text = "No window holds enough requests for a median"
    if len(medians):
        first, most = units.duration(float(medians.iloc[0])), units.duration(float(medians.max()))
        text = f"The median was {first} at first and at most {most}"
    return f"{text}; the slowest request took {units.duration(float(slowest.max()))}." if len(slowest) else f"{text}."


def _distribution(data: RunData) -> Chart:
    found = overtime.curves(data, MOST_CURVES)
    title = "Latency distribution"
    if not found:
        empty = f"No operation has the {overtime.CURVE_NEEDS} successful requests that a curve needs."
        return Chart("distribution", title, empty, "", None)
    traces = [
        _line(
            units.plain(curve.operation, 40),
            (curve.beyond, curve.latency / MS),
            f"series-{number + 1}",
            (_DASHES[number % len(_DASHES)], 2.0),
            customdata=np.round((1 - 1 / curve.beyond) * 100, 4),
            hovertemplate="p%{customdata:.4~f}: " + _MS_TEXT,
        )
        for number, curve in enumerate(found)
    ]
    figure = go.Figure(traces)
    end = max(float(curve.beyond[-1]) for curve in found)
    figure.update_layout(
        hovermode="closest",
        showlegend=True,
        xaxis=curve_axis(end),
        yaxis=ms_axis(
            *(float(extreme) for extreme in (min(c.latency[0] for c in found), max(c.latency[-1] for c in found)))
        ),
    )
    more = len(data.operations) - len(found)
    note = "Successful requests, by the service clock" + (" and after the warm-up" if data.run.warmup else "")
    note += ". A curve ends where ten requests are slower."
    if more > 0:
        note += f" {counted(more, 'more operation')} had too few requests or too little room."
    summary = "; ".join(_curve_summary(curve) for curve in found)
    return Chart("distribution", title, f"{summary}.", note, plain_figure(figure))


def _curve_summary(curve: overtime.Curve) -> str:
    half = units.duration(float(np.interp(2, curve.beyond, curve.latency)))
    end = units.duration(float(curve.latency[-1]))
    return f"{units.plain(curve.operation, 40)}: half up to {half}, {100 - 100 / curve.beyond[-1]:.4g}% up to {end}"
