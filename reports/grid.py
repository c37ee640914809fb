"""Counts of many operations by row (a window, a bucket of seconds) and bin, where it is known which bins there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from reports.binned import BITS
from reports.quantiles import middles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Counts = NDArray[np.int32] | NDArray[np.int64]

SMALL: Final = 2**31
"""Fewer requests than this take half the memory."""
MOST_CELLS: Final = 40_000_000
"""So many counts are held at once."""


class Grid:
    """For each operation a table of counts: `rows` by the bins that it has. It is added to, then asked."""

    __slots__ = ("_cells", "_counts", "_offsets", "_rows", "_starts", "_widths")

    def __init__(self, operations: Ints, bins: Ints, requests: int, rows: Ints) -> None:
        """Begin with zeros.

        Args:
            operations: the place of an operation, for each bin that it has.
            bins: the bin.
            requests: how many there are at most.
            rows: for each operation, how many rows its table has; of one that is left out, 0.
        """
        self._rows = rows
        kept = rows[operations] > 0
        self._cells = np.unique((operations[kept] << BITS) | bins[kept])
        self._starts = np.searchsorted(self._cells, np.arange(len(rows) + 1) << BITS)
        self._widths = np.diff(self._starts)
        self._offsets = np.concatenate([[0], np.cumsum(self._widths * rows)])
        length = int(self._offsets[-1])
        self._counts: Counts = np.zeros(length, np.int32) if requests < SMALL else np.zeros(length, np.int64)

    def add(self, operations: Ints, rows: Ints, bins: Ints, counts: Ints) -> None:
        """Add counts of operations that have a table, of bins that they have."""
        cell = np.searchsorted(self._cells, (operations << BITS) | bins) - self._starts[operations]
        place = self._offsets[operations] + rows * self._widths[operations] + cell
        np.add.at(self._counts, place, counts.astype(self._counts.dtype))

    def table(self, operation: int) -> Counts:
        """Give an operation's counts by row and bin."""
        start, end = self._offsets[operation : operation + 2].tolist()
        return self._counts[start:end].reshape(int(self._rows[operation]), int(self._widths[operation]))

    def values(self, operation: int) -> Ints:
        """Give the value, in µs, that stands for each bin of an operation."""
        cells = self._cells[self._starts[operation] : self._starts[operation + 1]]
        return middles(cells & ((1 << BITS) - 1))


def fitting(order: Ints, cells: Ints) -> Ints:
    """Give the first of some operations, as many as can be held: `cells` is how many counts each one has."""
    return order[np.cumsum(cells[order]) <= MOST_CELLS]
