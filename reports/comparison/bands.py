"""The bands of a run that stands alone: how far its figures may be off because of the seconds that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from reports.comparison.metrics import SHARES, WHOLE
from reports.stats.bootstrap import band, percentile_bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reports.comparison.metrics import Key
    from reports.grid import Grid
    from reports.stats.bootstrap import Band, Replicates

    Ints = NDArray[np.int64]

MOST_OPERATIONS: Final = 50
"""The most frequent ones get bands; each costs time, and a run may have thousands that hardly ever came."""


def bands(  # noqa: PLR0913, PLR0917 - what bands are made of
    drawn: Replicates, grid: Grid, counts: Ints, chosen: Ints, operations: Sequence[str], length: int
) -> dict[Key, Band]:
    """Give the band of each figure of a run that is made of requests.

    Args:
        drawn: the made-up runs.
        grid: the requests that succeeded, of each chosen operation by bucket.
        counts: how many succeeded, and how many failed, by operation and bucket.
        chosen: the places of the operations that get bands.
        operations: the names of all.
        length: how long the run was, in seconds.
    """
    found: dict[Key, Band] = {}
    for number in chosen.tolist():
        operation = operations[number]
        succeeded, lost = (np.asarray(drawn.weights @ by_bucket) for by_bucket in counts[:, number])
        limits = percentile_bands(drawn, grid.table(number), grid.values(number), lost, tuple(SHARES.values()))
        found |= {(operation, name): limit for name, limit in zip(SHARES, limits, strict=True)}
        found |= _plain(operation, succeeded, lost, length)
    if len(operations) > 1:
        succeeded, lost = (np.asarray(drawn.weights @ by_bucket) for by_bucket in counts.sum(axis=1))
        found |= _plain(WHOLE, succeeded, lost, length)
    return found


def frequent(requests: Ints) -> Ints:
    """Give the places of the operations that get bands, by how many requests each had."""
    return np.argsort(-requests, kind="stable")[:MOST_OPERATIONS]


def _plain(operation: str, succeeded: NDArray[np.float64], lost: NDArray[np.float64], length: int) -> dict[Key, Band]:
    """Give the bands of throughput and of the failures' share."""
    return {
        (operation, "throughput"): band(succeeded / length),
        (operation, "failures"): band(lost / np.maximum(succeeded + lost, 1)),
    }
