"""Where the time goes, as charts: stacked bars of the median, p95 and the slowest 1 %, and an area over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import plotly.graph_objects as go

from lab.model.server_timing import BLOCK_S, CLIENT
from lab.model.words import counted
from reports import units
from reports.attribution import told
from reports.attribution.operation import HOPS, KINDS, SHOWN, ordered, shown
from reports.drawing import MS, Chart, inert, time_axis, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reports.attribution.operation import Band, Operation
    from reports.attribution.reading import Attribution

MOST_OPERATIONS: Final = 4
MOST_PARTS: Final = 14
LEAST: Final = 0.005
"""Parts that take less than this of every bar are told together."""
REST: Final = "others"
NAME: Final = 28
_PATTERNS: Final = {**dict(zip(KINDS, ("", "+", "\\", "/", "x", "-", "."), strict=True)), "gap": ""}
_DASHES: Final = dict(
    zip(KINDS, ("solid", "longdash", "6px,2px", "dash", "dashdot", "longdashdot", "dot"), strict=True)
)
_TITLE: Final = "Where the time goes"


def charts(found: Attribution, seconds: int) -> list[Chart]:
    """Draw them; a run whose target told nothing has none.

    Args:
        found: what it told.
        seconds: how long the load was recorded.
    """
    rows = [
        (operation, band)
        for operation in found.operations[:MOST_OPERATIONS]
        for band in map(operation.band, SHOWN)
        if band is not None
    ]
    if not found.operations:
        return []
    if not rows:
        few = "Too few requests told where their time went for a median of any operation."
        return [Chart("attribution", _TITLE, few, "", None)]
    return [_bars(rows), *_over_time(found, seconds)]


def _bars(rows: Sequence[tuple[Operation, Band]]) -> Chart:
    labels = _named([band.parts for _, band in rows])
    names = [
        f"{inert(units.plain(one.name, NAME))}, {band.ranks.name}: {units.duration(band.us)}" for one, band in rows
    ]
    traces = []
    for label in labels:
        us = [_part(band.parts, label, labels) for _, band in rows]
        hop, kind = _place(label)
        traces.append(
            go.Bar(
                x=[100 * part / band.us if band.us else 0.0 for part, (_, band) in zip(us, rows, strict=True)],
                y=names,
                name=inert(shown(label)),
                orientation="h",
                customdata=[units.duration(part) for part in us],
                hovertemplate="%{customdata}, %{x:.1f} %",
                marker={"pattern": {"shape": _PATTERNS.get(kind, "|"), "size": 6}, "line": {"width": 0}},
                meta={"colour": _colour(hop)},
            )
        )
    figure = go.Figure(traces)
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        showlegend=True,
        hovermode="closest",
        xaxis={"range": [0, 100], "ticksuffix": "%", "title": {"text": "share of what the client waited"}},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    summary = "; ".join(
        f"{units.plain(one.name, NAME)}, {band.ranks.name} {units.duration(band.us)}: {told.parts(band)}"
        for one, band in rows
    )
    note = (
        "Mean time of the requests around the median (45 to 55 %), around p95 (94 to 96 %) and of the slowest 1 %, as "
        "the target told it in Server-Timing. A service alone is its own work; db is its database, pool the wait for a "
        "connection to that, queue the wait for the service, net what is lost on the way to it. The gap is what the "
        "client waited beyond all that: the network on the way back, or the load generator itself."
    )
    return Chart("attribution", _TITLE, f"{summary}.", note, _plain(figure))


def _over_time(found: Attribution, seconds: int) -> list[Chart]:
    """Draw the operation that took the most time."""
    name = found.operations[0].name
    mine = found.blocks[found.blocks["operation"] == name]
    table = mine.pivot_table(index="begin", columns="label", values="value", aggfunc="sum", fill_value=0)
    requests = table.pop("")
    means = table[requests > 0].div(requests[requests > 0], axis=0) / MS
    if len(means) <= 1:
        return []
    blocks = [{str(label): float(ms) for label, ms in row.items()} for row in means.to_dict("records")]
    labels = _named(blocks)
    x = times(means.index)
    traces = []
    for label in labels:
        hop, kind = _place(label)
        traces.append(
            go.Scatter(
                x=x,
                y=[_part(block, label, labels) for block in blocks],
                name=inert(shown(label)),
                mode="lines",
                stackgroup="one",
                fill="tonexty",
                line={"dash": _DASHES.get(kind, "dot"), "width": 1},
                hovertemplate="%{y:,.3~g} ms",
                meta={"colour": _colour(hop)},
            )
        )
    figure = go.Figure(traces)
    figure.update_layout(
        hovermode="x unified",
        showlegend=True,
        xaxis=time_axis(seconds),
        yaxis={"title": {"text": "ms"}, "rangemode": "tozero", "nticks": 6},
    )
    sums = [sum(block.values()) for block in blocks]
    top = max(range(len(sums)), key=sums.__getitem__)
    shown_name = units.plain(name, NAME)
    summary = (
        f"A request of {shown_name} took {units.duration(sums[0] * MS)} on average at first and at most "
        f"{units.duration(sums[top] * MS)}; then most of it was {shown(max(blocks[top], key=blocks[top].__getitem__))}."
    )
    title = f"Where the time of {shown_name} goes, over time"
    note = f"Mean time of a request by part, in windows of {counted(BLOCK_S, 'second')}."
    return [Chart("attribution-time", title, summary, note, _plain(figure))]


def _named(rows: Iterable[Mapping[str, float]]) -> list[str]:
    """Choose the parts that are drawn by themselves, in their order, and the others after them."""
    largest: dict[str, float] = {}
    for parts in rows:
        whole = sum(parts.values()) or 1.0
        for label, us in parts.items():
            largest[label] = max(us / whole, largest.get(label, 0.0))
    most = sorted(largest, key=lambda label: -largest[label])[:MOST_PARTS]
    named = ordered(label for label in most if largest[label] >= LEAST)
    return [*named, REST] if any(share > 0 for label, share in largest.items() if label not in named) else named


def _part(parts: Mapping[str, float], label: str, labels: Sequence[str]) -> float:
    if label != REST:
        return float(parts.get(label, 0.0))
    return float(sum(us for name, us in parts.items() if name not in labels))


def _place(label: str) -> tuple[str, str]:
    hop, _, kind = label.rpartition(".")
    return hop, kind


def _plain(figure: go.Figure) -> dict[str, Any]:
    figure.update_layout(template=None)
    plain: dict[str, Any] = json.loads(figure.to_json())
    plain["layout"].pop("template", None)
    return plain


def _colour(hop: str) -> str:
    if hop == CLIENT or not hop:
        return "series-6"
    return f"series-{HOPS.index(hop) % 5 + 1 if hop in HOPS else 5}"
