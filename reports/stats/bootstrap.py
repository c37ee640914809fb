"""How far a figure of one run may be off because of the seconds that it happened to have (measurement.md §5.7).

Seconds next to each other are alike, so that whole blocks of them are drawn, with replacement and around the end (the
circular block bootstrap of Politis and Romano, 1992). The band tells of that one run and of no other: another run of
the same system may well lie outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

REPLICATES: Final = 400
MOST_BUCKETS: Final = 600
"""A longer run is gathered into so many buckets of several seconds, which costs a band nothing that can be seen."""
BLOCK: Final = 32
LEVEL: Final = 0.95
_SEED: Final = 1

Band = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Replicates:
    """How often each bucket of a run occurs in each made-up run of the same length: `weights`, a row per run."""

    buckets: int
    width: int
    weights: Floats

    @classmethod
    def of(cls, seconds: int) -> Replicates:
        """Draw them for a run of so many seconds, at least one; the same length gives the same draw."""
        width = -(-seconds // MOST_BUCKETS)
        buckets = -(-seconds // width)
        block = round(buckets ** (1 / 3)) or 1
        rng = np.random.default_rng(_SEED)
        starts = rng.integers(0, buckets, (REPLICATES, -(-buckets // block), 1))
        places = ((starts + np.arange(block)) % buckets).reshape(REPLICATES, -1)[:, :buckets]
        rows = np.arange(REPLICATES)[:, None] * buckets
        drawn = np.bincount((rows + places).ravel(), minlength=REPLICATES * buckets)
        return cls(buckets, width, drawn.reshape(REPLICATES, buckets).astype(np.float64))

    def summed(self, seconds: Ints, counts: Ints) -> Floats:
        """Give the sum of counts, each of its second, for every made-up run."""
        return np.asarray(self.weights @ np.bincount(seconds // self.width, counts, self.buckets)[: self.buckets])


class Counts(NamedTuple):
    """What a run measured: `number` values of `value` in each `second`; columns of one length."""

    second: Ints
    value: Ints
    number: Ints


def percentile_band(drawn: Replicates, measured: Counts, lost: Floats, share: float) -> Band:
    """Give the band of a percentile of what was measured; see `percentile_bands`."""
    distinct, places = np.unique(measured.value, return_inverse=True)
    keys = (measured.second // drawn.width) * len(distinct) + places
    table = np.bincount(keys, measured.number, drawn.buckets * len(distinct)).reshape(drawn.buckets, len(distinct))
    return percentile_bands(drawn, table, distinct, lost, (share,))[0]


def percentile_bands(
    drawn: Replicates, table: NDArray[np.number], values: Ints, lost: Floats, shares: Sequence[float]
) -> list[Band]:
    """Give the bands of percentiles.

    Args:
        drawn: the made-up runs.
        table: how often each value came, by bucket.
        values: the values, in order.
        lost: for every made-up run, how many answers never came: each is larger than any value.
        shares: which percentiles, 0 to 1.

    Returns:
        Low and high of each; infinity where the percentile falls among what never came.
    """
    # Thousands of values are looked through by blocks: only where a percentile lies is each one multiplied out.
    starts = np.arange(0, len(values), BLOCK)
    blocks = np.add.reduceat(table, starts, axis=1) if len(values) else table
    running = np.cumsum(drawn.weights @ blocks, axis=1)
    total = (running[:, -1] if len(values) else np.zeros(REPLICATES)) + lost
    running = np.hstack([np.zeros((REPLICATES, 1)), running])
    ends = np.append(values.astype(np.float64), np.inf)
    bands = []
    for share in shares:
        rank = np.maximum(np.ceil(np.round(share * total, 6)), 1)
        block = (running[:, 1:] < rank[:, None]).sum(axis=1)
        found = np.full(REPLICATES, len(values))
        for number in np.unique(block[block < len(starts)]).tolist():
            rows, start = block == number, number * BLOCK
            inside = np.cumsum(drawn.weights[rows] @ table[:, start : start + BLOCK], axis=1)
            left = rank[rows] - running[rows, number]
            found[rows] = start + (inside < left[:, None]).sum(axis=1)
        bands.append(band(ends[found]))
    return bands


def band(figures: Floats) -> Band:
    """Give where the middle 95 % of the made-up runs' figures lie."""
    ordered = np.sort(figures)
    outside = int(len(ordered) * (1 - LEVEL) / 2)
    return float(ordered[outside]), float(ordered[len(ordered) - 1 - outside])
