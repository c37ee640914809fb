"""Histograms by group, gathered bit by bit: what goes in may be long, what is held is no longer than the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

BITS: Final = 21
"""The bin of any number that a float can hold is below 2 to this."""
DENSE: Final = 4_000_000
"""So many different keys, or fewer, are summed in an array of that length; more by hashing."""
FEWEST_PENDING: Final = 400_000


class Binned:
    """Counts by group (below 2^42) and bin. It is added to, then asked."""

    __slots__ = ("_keys", "_pending", "_summed")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._keys: list[Ints] = []
        self._summed: list[Ints] = []
        self._pending = 0

    def add(self, groups: Ints, bins: Ints, counts: Ints) -> None:
        """Add rows: columns of one length, in any order."""
        if not len(groups):
            return
        keys, summed = _reduced(groups, bins, counts)
        self._keys.append(keys)
        self._summed.append(summed)
        self._pending += len(keys)
        if self._pending > max(FEWEST_PENDING, 2 * len(self._keys[0])):
            self._gather()

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """Give groups, bins and counts, each group and bin once, in their order."""
        self._gather()
        if not self._keys:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
        keys = self._keys[0]
        return keys >> BITS, keys & ((1 << BITS) - 1), self._summed[0]

    def _gather(self) -> None:
        """Make one part of all that came since the last time."""
        self._pending = 0
        if not self._keys:
            return
        keys, summed = np.concatenate(self._keys), np.concatenate(self._summed)
        # What comes second by second is nearly in order, which this sort makes use of.
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        self._keys, self._summed = [keys[starts]], [np.add.reduceat(summed[order], starts)]


def _reduced(groups: Ints, bins: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Sum what has one key."""
    first, span = int(groups.min()), int(bins.max()) + 1
    if (int(groups.max()) - first + 1) * span <= DENSE:
        dense = np.bincount((groups - first) * span + bins, counts)  # sums as floats, exact up to 2^53
        found = np.flatnonzero(dense)
        return ((found // span + first) << BITS) | (found % span), dense[found].astype(np.int64)
    places, keys = pd.factorize((groups << BITS) | bins)
    return keys, np.bincount(places, counts).astype(np.int64)
