"""A run over time: requests and users by second, latency percentiles by window, and the percentile curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.model.sample import FAIL, OK
from reports.cuts import WHOLE
from reports.digest import ok_requests
from reports.kinds import OUTCOMES
from reports.quantiles import Groups
from reports.shown import HIDDEN_BELOW
from reports.windows import shown, window_width

if TYPE_CHECKING:
    from reports.frame import RunData

MOST_SECONDS: Final = 3600
CURVE_POINTS: Final = 300
CURVE_NEEDS: Final = 2 * HIDDEN_BELOW
"""A curve that ends before its median would say nothing."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Latency by window of `width` seconds: `start` in s, then p50, p90, p95, p99 and `slowest` in µs (NaN: hidden)."""

    width: int
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Curve:
    """A latency distribution: `beyond` is 1/(1 − p), `latency` is in µs."""

    operation: str
    count: int
    beyond: NDArray[np.float64]
    latency: NDArray[np.int64]


def load(data: RunData) -> tuple[int, pd.DataFrame]:
    """Give the load over time, in points of so many seconds (1 unless that makes more than MOST_SECONDS points).

    Returns:
        The seconds that a point covers, and a row per point, by its first second: `ok` and `failed` requests a second,
        `users` and `target` users (NaN where not recorded).
    """
    width = max(-(-data.seconds // MOST_SECONDS), 1)
    seconds = pd.RangeIndex(data.seconds, name="second")
    frame = pd.DataFrame(
        {
            "ok": _requests(data, OK),
            "failed": _requests(data, FAIL),
            "users": _gauge(data, "vus").reindex(seconds).ffill(),
            "target": _gauge(data, "vus_target").reindex(seconds).ffill(),
        },
        index=seconds,
    )
    if width > 1:
        frame = frame.groupby(frame.index // width * width).mean()
    return width, frame


def _requests(data: RunData, outcome: str) -> NDArray[np.int64]:
    chosen = data.requests["outcome"].to_numpy() == OUTCOMES.index(outcome)
    second, count = (data.requests[column].to_numpy()[chosen] for column in ("second", "count"))
    return np.bincount(second, weights=count, minlength=data.seconds).astype(np.int64)


def _gauge(data: RunData, name: str) -> pd.Series[float]:
    return data.metric(name, "gauge").groupby("second")["value"].sum()


def windows(data: RunData, operation: str = "") -> Windows:
    """Give latency percentiles of successful requests over time, of all operations or of one that the run has.

    Of operations beyond the `cuts.MOST_OPERATIONS` most frequent ones there are none.
    """
    place = data.operations.index(operation) if operation else WHOLE
    succeeded = ok_requests(data.requests, len(data.operations))
    width = window_width(data.seconds, int(succeeded[place] if operation else succeeded.sum()))
    frame = shown(data.windows[data.windows["operation"] == place]).reindex(range(-(-data.seconds // width)))
    frame.insert(0, "start", frame.index.to_numpy() * width)
    return Windows(width, frame)


def curves(data: RunData, most: int) -> list[Curve]:
    """Give the percentile curve of the most frequent operations, as far as ten samples lie beyond each point."""
    groups = Groups.of(data.totals[data.totals["outcome"] == OUTCOMES.index(OK)], "operation")
    found = []
    for position in np.argsort(-groups.totals, kind="stable")[:most].tolist():
        count = int(groups.totals[position])
        if count < CURVE_NEEDS:
            continue
        end = count / HIDDEN_BELOW
        scale = np.geomspace(1.0, end, CURVE_POINTS)
        found.append(
            Curve(data.operations[int(groups.keys[position])], count, scale, groups.curve(position, 1 - 1 / scale))
        )
    return found
