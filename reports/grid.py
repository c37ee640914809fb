"""Counts of many operations by row (a window, a bucket of seconds) and bin, where it is known which bins there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from reports.binned import BITS
from reports.kinds import NONE
from reports.quantiles import middles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Counts = NDArray[np.int32] | NDArray[np.int64]

SMALL: Final = 2**31
"""Fewer requests than this take half the memory."""
MOST_CELLS: Final = 40_000_000
"""So many counts are held at once."""


class Cells(NamedTuple):
    """Every kind and bin that a run has: `kind` and `bin`, in order. What a grid is asked with is a place in them."""

    kind: Ints
    bin: Ints

    def places(self, kind: Ints, bins: Ints) -> Ints:
        """Give the places of kinds and bins."""
        return np.searchsorted((self.kind << BITS) | self.bin, (kind << BITS) | bins)


class Grid:
    """For each operation a table of counts: `rows` by the bins that it has. It is added to, then asked."""

    __slots__ = ("_cells", "_counts", "_offsets", "_places", "_rows", "_starts", "_widths")

    def __init__(self, operations: Ints, bins: Ints, rows: Ints, requests: int) -> None:
        """Begin with zeros.

        Args:
            operations: of each of the run's cells, the place of its operation, or NONE.
            bins: of each, its bin.
            rows: for each operation, how many rows its table has; of one that is left out, 0.
            requests: how many there are at most.
        """
        self._rows = rows
        keys = (operations << BITS) | bins
        kept = np.append(rows, 0)[operations] > 0
        self._cells = np.unique(keys[kept])
        self._starts = np.searchsorted(self._cells, np.arange(len(rows) + 1) << BITS)
        widths = np.diff(self._starts)
        self._offsets = np.concatenate([[0], np.cumsum(widths * rows)])
        self._widths = np.where(kept, np.append(widths, 0)[operations], 0)
        columns = np.searchsorted(self._cells, keys) - self._starts[operations]
        self._places = np.where(kept, self._offsets[operations] + columns, NONE)
        length = int(self._offsets[-1])
        self._counts: Counts = np.zeros(length, np.int32) if requests < SMALL else np.zeros(length, np.int64)

    def add(self, cells: Ints, rows: Ints, counts: Ints) -> None:
        """Add counts of cells, each in its row; what belongs to no table is left out."""
        place = self._places[cells]
        found = place != NONE
        place = place[found] + rows[found] * self._widths[cells[found]]
        np.add.at(self._counts, place, counts[found].astype(self._counts.dtype))

    def table(self, operation: int) -> Counts:
        """Give an operation's counts by row and bin."""
        start, end = self._offsets[operation : operation + 2].tolist()
        return self._counts[start:end].reshape(int(self._rows[operation]), -1 if end > start else 0)

    def values(self, operation: int) -> Ints:
        """Give the value, in µs, that stands for each bin of an operation."""
        cells = self._cells[self._starts[operation] : self._starts[operation + 1]]
        return middles(cells & ((1 << BITS) - 1))


def fitting(order: Ints, cells: Ints) -> Ints:
    """Give the first of some operations, as many as can be held: `cells` is how many counts each one has."""
    return order[np.cumsum(cells[order]) <= MOST_CELLS]
