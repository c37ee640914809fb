"""The bands of a run that stands alone: how far its figures may be off because of the seconds that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.comparison.metrics import SHARES
from reports.stats.bootstrap import band, percentile_bands

if TYPE_CHECKING:
    from reports.comparison.metrics import Key
    from reports.stats.bootstrap import Band, Replicates

Ints = NDArray[np.int64]

MOST_OPERATIONS: Final = 50
"""The most frequent ones get bands; each costs time, and a run may have thousands that hardly ever came."""


class Requests(NamedTuple):
    """An operation's requests by bucket: of those that succeeded `table` by bin, what `values` the bins stand for."""

    table: NDArray[np.integer]
    values: Ints
    succeeded: Ints
    failed: Ints


def bands(drawn: Replicates, operation: str, requests: Requests, length: int) -> dict[Key, Band]:
    """Give the band of each figure of an operation that is made of requests.

    Args:
        drawn: the made-up runs, whose buckets these are.
        operation: its name.
        requests: by the clock that users would have felt.
        length: how long the run was, in seconds.
    """
    lost = np.asarray(drawn.weights @ requests.failed)
    limits = percentile_bands(drawn, requests.table, requests.values, lost, tuple(SHARES.values()))
    found: dict[Key, Band] = {(operation, name): limit for name, limit in zip(SHARES, limits, strict=True)}
    return found | plain_bands(drawn, operation, requests.succeeded, requests.failed, length)


def plain_bands(drawn: Replicates, operation: str, succeeded: Ints, failed: Ints, length: int) -> dict[Key, Band]:
    """Give the bands of throughput and of the failures' share, from what succeeded and failed by bucket."""
    answered, lost = (np.asarray(drawn.weights @ counts) for counts in (succeeded, failed))
    return {
        (operation, "throughput"): band(answered / length),
        (operation, "failures"): band(lost / np.maximum(answered + lost, 1)),
    }


def frequent(requests: Ints) -> Ints:
    """Give the places of the operations that get bands, by how many requests each had."""
    return np.argsort(-requests, kind="stable")[:MOST_OPERATIONS]
