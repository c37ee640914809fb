"""Windows of latency over time: how wide they are, and the percentiles of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lab.model.histogram import rank_of
from reports.shown import HIDDEN_BELOW, beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

WINDOW_SHARES: Final = (0.5, 0.9, 0.95, 0.99)
MOST_POINTS: Final = 600
MANY_POINTS: Final = 24
FEW_POINTS: Final = 8
_WIDTHS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)


def window_width(seconds: int, requests: int) -> int:
    """Choose the windows of the latency chart, in seconds.

    As narrow as shows p95 by the rule of ten samples beyond it, as long as MANY_POINTS are left; where requests are too
    few for that, as narrow as shows p50, as long as FEW_POINTS are left; and never so narrow that there are more than
    MOST_POINTS.
    """
    widths = [width for width in _WIDTHS if seconds / width <= MOST_POINTS] or [-(-seconds // MOST_POINTS)]
    rate = requests / max(seconds, 1)
    best = widths[0]
    # Twice the samples for p50, so that windows with fewer requests than others show it too.
    for share, samples, points in ((0.95, HIDDEN_BELOW, MANY_POINTS), (0.5, 2 * HIDDEN_BELOW, FEW_POINTS)):
        for width in widths:
            if width < best or seconds / width < points:
                continue
            best = width
            if beyond(share, rate * width) >= samples:
                return best
    return best


def column_of(share: float) -> str:
    """Name the column of a percentile."""
    return f"p{share * 100:g}"


def percentiles(table: NDArray[np.integer], values: Ints) -> pd.DataFrame:
    """Give `window`, `count`, p50, p90, p95, p99 and `slowest` (µs) of the windows that hold a request, in order.

    Args:
        table: requests by window and value.
        values: the values, in order.
    """
    totals = table.sum(axis=1, dtype=np.int64)
    windows = np.flatnonzero(totals)
    table, totals = table[windows], totals[windows]
    running = np.cumsum(table, axis=1, dtype=np.int64)
    columns: dict[str, Ints] = {"window": windows, "count": totals}
    for share in WINDOW_SHARES:
        ranks = np.array([rank_of(share, total) for total in totals.tolist()], dtype=np.int64)
        columns[column_of(share)] = values[(running < ranks[:, None]).sum(axis=1)]
    columns["slowest"] = values[(running < totals[:, None]).sum(axis=1)]
    return pd.DataFrame(columns)


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """Hide (NaN) each percentile that too few of its window's requests lie beyond."""
    columns: dict[str, NDArray[np.float64]] = {}
    for share in WINDOW_SHARES:
        enough = np.round(found["count"].to_numpy() * (1 - share), 6) >= HIDDEN_BELOW
        columns[column_of(share)] = np.where(enough, found[column_of(share)].to_numpy(np.float64), np.nan)
    columns["slowest"] = found["slowest"].to_numpy(np.float64)
    return pd.DataFrame(columns, index=pd.Index(found["window"].to_numpy()))
