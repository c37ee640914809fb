"""What the charts of every page have in common: their form as data, axes of time and of latency, and safe labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

FEWEST_LABELS: Final = 3
FEW_TICKS: Final = 8
MS: Final = 1000
# Times are shown as a clock that starts at 0:00. To plotly they are dates, and it takes a small number like 2000 for a
# year and not for ms: so the clock starts one day after plotly's zero.
ORIGIN: Final = 86_400_000
_HOUR: Final = 3600
_CURVE_TICKS: Final = (
    *((1.0, "0%"), (2.0, "50%"), (4.0, "75%"), (10.0, "90%"), (20.0, "95%"), (100.0, "99%"), (1e3, "99.9%")),
    *((1e4, "99.99%"), (1e5, "99.999%"), (1e6, "99.9999%")),
)
_SHORT_TICKS: Final = ((4 / 3, "25%"),)
_SHORT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its figure as plain data, `summary` for who cannot see it, and `note` on how to read it.

    Without a figure there is nothing to draw, and `summary` says why.
    """

    id: str
    title: str
    summary: str
    note: str
    figure: dict[str, Any] | None


def plain_figure(figure: go.Figure) -> dict[str, Any]:
    """Give plotly's figure as data, without the template that brings colours of its own."""
    figure.update_layout(template=None)
    plain: dict[str, Any] = json.loads(figure.to_json())
    plain["layout"].pop("template", None)
    return plain


def inert(text: str) -> str:
    """Make a text that plotly shows letter by letter: it would read tags and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rounded(values: Iterable[float | None]) -> list[float | None]:
    """Give numbers with as many figures as are seen, and None for what is none: a page with many is smaller so."""
    return [None if value is None or not isfinite(value) else float(f"{value:.4g}") for value in values]


def times(seconds: pd.Index[int] | pd.Series[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the places of seconds on a `time_axis`."""
    return np.asarray(seconds, dtype=np.int64) * MS + ORIGIN


def time_axis(seconds: int) -> dict[str, Any]:
    """Give an axis of times, from 0:00 to the end of so many seconds."""
    form = "%H:%M:%S" if seconds >= _HOUR else "%-M:%S"
    # Left to itself plotly would label tenths of a second, all with the same text.
    few = {"tick0": ORIGIN, "dtick": MS} if seconds <= FEW_TICKS else {"nticks": FEW_TICKS}
    return {
        "type": "date",
        "tickformat": form,
        "hoverformat": form,
        "range": [ORIGIN, ORIGIN + seconds * MS],
        **few,
    }


def ms_axis(low: float, high: float) -> dict[str, Any]:
    """Give a logarithmic axis of ms for latencies from `low` to `high` µs, with labels however near these are."""
    low, high = max(low, 1.0) / MS, max(high, 1.0) / MS
    margin = max(1.1, (high / low) ** 0.05)
    low, high = low / margin, high * margin
    ticks = [step * 10.0**power for power in range(-3, 7) for step in (1, 2, 5)]
    if sum(low <= tick <= high for tick in ticks) < FEWEST_LABELS:
        ticks = even_ticks(low, high, FEWEST_LABELS)
    return {
        "type": "log",
        "title": {"text": "ms (log)"},
        "range": [log10(low), log10(high)],
        "tickvals": ticks,
        "ticktext": [f"{tick:,.10g}" for tick in ticks],
    }


def even_ticks(low: float, high: float, least: int) -> list[float]:
    """Give round numbers from `low` to `high`, at equal steps, about as few as `least`."""
    room = (high - low) / least
    size = 10.0 ** floor(log10(room))
    step = max(size * factor for factor in (1, 2, 5) if size * factor <= room)
    return [step * number for number in range(ceil(low / step), floor(high / step) + 1)]


def curve_axis(end: float) -> dict[str, Any]:
    """Give the axis of a percentile curve, which is over 1/(1 − p), from 1 to `end`."""
    found = (*_CURVE_TICKS, *_SHORT_TICKS * (end <= _SHORT))
    ticks = [(place, text) for place, text in found if place <= end * 1.05]
    return {
        "type": "log",
        "tickvals": [place for place, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "title": {"text": "share of requests that were at least as fast"},
    }
