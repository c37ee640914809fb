"""Where the time goes, as charts: stacked bars of the median, p95 and the slowest 1 %, and an area over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go

from lab.model.server_timing import BLOCK_S, GAP
from lab.model.words import counted
from reports import units
from reports.attribution import told
from reports.attribution.looks import Looks
from reports.attribution.operation import SHOWN, leading, ordered, shown
from reports.drawing import MS, Chart, inert, plain_figure, time_axis, times

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
_TITLE: Final = "Where the time goes"
_TICKS: Final = (0, 25, 50, 75, 100)


def charts(found: Attribution, seconds: int) -> list[Chart]:
    """Draw them; a run whose target told nothing has none.

    Args:
        found: what it told.
        seconds: how long the load was recorded.
    """
    operations = leading(found.operations)
    rows = [
        (operation, band)
        for operation in operations[:MOST_OPERATIONS]
        for band in map(operation.band, SHOWN)
        if band is not None
    ]
    if not operations:
        return []
    if not rows:
        few = "Too few requests told where their time went for a median of any operation."
        return [Chart("attribution", _TITLE, few, "", None)]
    looks = Looks(label for operation in operations for label in operation.sums)
    return [_bars(rows, looks), *_over_time(found, operations[0].name, seconds, looks)]


def _bars(rows: Sequence[tuple[Operation, Band]], looks: Looks) -> Chart:
    labels = named([band.parts for _, band in rows])
    names = [
        f"{inert(units.plain(one.name, NAME))}, {band.ranks.name}: {units.duration(band.us)}" for one, band in rows
    ]
    traces = []
    for label in labels:
        us = [part_of(band.parts, label, labels) for _, band in rows]
        traces.append(
            go.Bar(
                x=[100 * part / band.us if band.us else 0.0 for part, (_, band) in zip(us, rows, strict=True)],
                y=names,
                name=inert(shown(label)),
                orientation="h",
                customdata=[units.duration(part) for part in us],
                hovertemplate="%{customdata}, %{x:.1f} %",
                marker={"pattern": looks.pattern(label), "line": {"width": 0}},
                meta={"colour": looks.colour(label)},
            )
        )
    figure = go.Figure(traces)
    figure.update_layout(
        barmode="stack",
        bargap=0.25,
        showlegend=True,
        hovermode="closest",
        # A little beyond the end, so that there is room for its label.
        xaxis={"range": [0, 102], "tickvals": _TICKS, "ticktext": [f"{tick}%" for tick in _TICKS]},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    summary = "; ".join(
        f"{units.plain(one.name, NAME)}, {band.ranks.name} {units.duration(band.us)}: {told.parts(band)}"
        for one, band in rows
    )
    note = (
        "A bar is what the client waited: the mean of the successful requests around the median (45 to 55 %), around "
        "p95 (94 to 96 %) and of the slowest 1 %, as the target told it in Server-Timing. A colour is a service, a "
        "pattern a kind of work: plain is its own work; db is its database, pool the wait for a connection to that, "
        "queue the wait for the service, net what is lost on the way to it. The gap is what the client waited beyond "
        "all that: the network on the way back, or the load generator itself."
    )
    return Chart("attribution", _TITLE, f"{summary}.", note, plain_figure(figure))


def _over_time(found: Attribution, name: str, seconds: int, looks: Looks) -> list[Chart]:
    """Draw one operation: as steps, because each figure is the mean of a window."""
    mine = found.blocks[found.blocks["operation"] == name]
    table = mine.pivot_table(index="begin", columns="label", values="value", aggfunc="sum", fill_value=0)
    requests = table.pop("")
    means = table[requests > 0].div(requests[requests > 0], axis=0) / MS
    if len(means) <= 1:
        return []
    # A window without a request breaks the area: nobody waited then, and no line may lead over it.
    last = int(means.index[-1])
    means = means.reindex(range(int(means.index[0]), last + BLOCK_S, BLOCK_S))
    blocks = [
        {str(label): float(value) for label, value in row.items() if value == value}  # noqa: PLR0124 - NaN
        for row in means.to_dict("records")
    ]
    labels = named(blocks)
    x = [*times(means.index), times(means.index)[-1] + (min(last + BLOCK_S, max(seconds, last + 1)) - last) * MS]
    traces = []
    for label in labels:
        y = [part_of(block, label, labels) if block else None for block in blocks]
        traces.append(
            go.Scatter(
                x=x,
                y=[*y, y[-1]],
                name=inert(shown(label)),
                mode="lines",
                stackgroup="one",
                stackgaps="infer zero",
                fill="tonexty",
                fillpattern=looks.pattern(label),
                line={"shape": "hv", "width": 0.6},
                hovertemplate="%{y:,.3~g} ms",
                meta={"colour": looks.colour(label)},
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
    most = max(blocks[top], key=blocks[top].__getitem__, default="")
    summary = (
        f"A request of {shown_name} took {units.duration(sums[0] * MS)} on average at first and at most "
        f"{units.duration(sums[top] * MS)}; then most of it was {units.plain(shown(most), 70)}."
    )
    title = f"Where the time of {shown_name} goes, over time"
    note = (
        f"Mean time of a successful request by part, in windows of {counted(BLOCK_S, 'second')}; colours and patterns "
        "are those above. The warm-up is in it."
    )
    return [Chart("attribution-time", title, summary, note, plain_figure(figure))]


def named(rows: Iterable[Mapping[str, float]]) -> list[str]:
    """Choose the parts that are shown by themselves, in their order, and REST after them where there are others.

    The gap is shown wherever there is one, however small: it is what the target knows nothing of.
    """
    largest: dict[str, float] = {}
    for parts in rows:
        whole = sum(parts.values()) or 1.0
        for label, us in parts.items():
            largest[label] = max(us / whole, largest.get(label, 0.0))
    most = sorted(largest, key=lambda label: -largest[label])[:MOST_PARTS]
    gap = {GAP} if largest.get(GAP) else set()
    chosen = ordered({label for label in most if largest[label] >= LEAST} | gap)
    return [*chosen, REST] if any(share > 0 for label, share in largest.items() if label not in chosen) else chosen


def part_of(parts: Mapping[str, float], label: str, labels: Sequence[str]) -> float:
    """Give a part, or what all that have no place among `labels` take together."""
    if label != REST:
        return float(parts.get(label, 0.0))
    return float(sum(us for name, us in parts.items() if name not in labels))
