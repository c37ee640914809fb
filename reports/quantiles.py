"""Exact percentiles of many groups at once, from counts by bin (measurement.md §1 and §2).

The answers are those of `lab.model.histogram`, whole columns at a time: one running sum over all groups, and one binary
search for all ranks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from lab.model.histogram import HALF, rank_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

DENSE: Final = 4_000_000
"""Keys below this are summed in an array of that length, others by sorting."""


def middles(bins: Ints) -> Ints:
    """Give the value, in µs, that stands for each bin."""
    exponent = np.maximum(bins // HALF - 1, 0)
    low = np.where(bins < 2 * HALF, bins, (bins - HALF * exponent) << exponent)
    width = np.where(bins < 2 * HALF, 1, np.int64(1) << exponent)
    return np.asarray(low + (width >> 1), dtype=np.int64)


def sums(keys: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Sum counts by key.

    Returns:
        The distinct keys in order, and for each its sum (more than 0).
    """
    if not len(keys):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if int(keys.max()) < DENSE:
        # Much faster than sorting or hashing. The weights are floats, exact up to 2^53 requests.
        dense = np.bincount(keys, weights=counts)
        found = np.flatnonzero(dense)
        return found, dense[found].astype(np.int64)
    distinct, places = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(places, weights=counts).astype(np.int64)


class Groups:
    """Histograms by group: built from columns, then asked for the percentile of every group."""

    __slots__ = ("_counts", "_ends", "_starts", "_values", "keys", "totals")

    def __init__(self, groups: Ints, bins: Ints, counts: Ints) -> None:
        """Sum `counts` by group and bin; columns without rows make no groups."""
        span = int(bins.max()) + 1 if len(bins) else 1
        keys, summed = sums(groups.astype(np.int64) * span + bins, counts)
        self._counts: Ints = np.cumsum(summed)
        self._values = middles(keys % span)
        self.keys: Ints
        self.keys, self._starts = np.unique(keys // span, return_index=True)
        self._ends: Ints = np.append(self._starts, len(keys))[1:].astype(np.int64)
        self.totals: Ints = self._counts[self._ends - 1] - self._before()

    @classmethod
    def of(cls, frame: pd.DataFrame, group: str) -> Groups:
        """Build them from the columns `bin` and `count` of a frame, and the column `group`."""
        return cls(*(frame[column].to_numpy(dtype=np.int64) for column in (group, "bin", "count")))

    def _before(self) -> Ints:
        if not len(self._starts):
            return np.zeros(0, np.int64)
        return np.where(self._starts > 0, self._counts[self._starts - 1], 0)

    @property
    def minima(self) -> Ints:
        """Give each group's lowest value in µs."""
        return self._values[self._starts]

    @property
    def maxima(self) -> Ints:
        """Give each group's highest value in µs."""
        return self._values[self._ends - 1]

    def percentile(self, share: float) -> Ints:
        """Give each group's percentile in µs (`share` 0 to 1): the first bin whose running count reaches ⌈share·n⌉."""
        ranks = np.array([rank_of(share, total) for total in self.totals.tolist()], dtype=np.int64)
        return self._at(ranks)

    def percentile_with_failures(self, share: float, failed: Ints) -> Floats:
        """Give each group's percentile where a failure is an answer that never came: q_ok(p / (1 − e)), or infinity."""
        ranks = []
        for total, lost in zip(self.totals.tolist(), failed.tolist(), strict=True):
            rank = rank_of(share, total + lost)
            ranks.append(rank if rank <= total else 0)
        found = np.array(ranks, dtype=np.int64)
        if not len(found):
            return np.zeros(0)
        return np.where(found > 0, self._at(np.maximum(found, 1)), np.inf)

    def curve(self, group: int, shares: Floats) -> Ints:
        """Give many percentiles, in µs, of one group (by its position in `keys`)."""
        total = int(self.totals[group])
        ranks = np.array([rank_of(share, total) for share in shares.tolist()], dtype=np.int64)
        start, end = int(self._starts[group]), int(self._ends[group])
        before = int(self._counts[start - 1]) if start else 0
        return self._values[start + np.searchsorted(self._counts[start:end] - before, ranks, side="left")]

    def _at(self, ranks: Ints) -> Ints:
        if not len(ranks):
            return np.zeros(0, np.int64)
        return self._values[np.searchsorted(self._counts, self._before() + ranks, side="left")]
