"""A run's requests cut up in time: into the windows of its charts, and the buckets that its bands are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lab.model.sample import FAIL, OK
from reports.comparison.bands import Requests, bands, frequent, plain_bands
from reports.comparison.metrics import WHOLE as ALL
from reports.grid import Grid, fitting
from reports.kinds import NONE, OUTCOMES
from reports.stats.bootstrap import Replicates
from reports.windows import percentiles, window_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reports.comparison.metrics import Key
    from reports.grid import Cells
    from reports.kinds import Kinds
    from reports.stats.bootstrap import Band

    Ints = NDArray[np.int64]

MOST_OPERATIONS: Final = 100
"""The most frequent ones have windows of their own."""
WHOLE: Final = NONE
"""The place of all operations together among the windows."""


class Windows:
    """Gathers what succeeded, by window: of the most frequent operations, and of all together."""

    def __init__(self, kinds: Kinds, cells: Cells, succeeded: Ints, length: int) -> None:
        """Begin with nothing.

        Args:
            kinds: of the samples.
            cells: of the samples.
            succeeded: how many requests of each operation did.
            length: of the run, in seconds.
        """
        self._length, number, most = length, len(kinds.operations), int(succeeded.sum())
        operation = np.where(kinds.outcomes == OUTCOMES.index(OK), kinds.served, NONE)[cells.kind]
        widths = np.array([window_width(length, count) for count in succeeded.tolist()], dtype=np.int64)
        rows = -(-length // widths) if number else succeeded
        bins = np.bincount(operation[operation != NONE], minlength=number)
        self._own = fitting(np.argsort(-succeeded, kind="stable")[:MOST_OPERATIONS], rows * bins)
        rows[np.isin(np.arange(number), self._own, invert=True)] = 0
        self._each = Grid(operation, cells.bin, rows, most)
        self._widths = np.append(widths, 1)[operation]
        self._width = window_width(length, most)
        together = np.where(operation != NONE, 0, NONE)
        self._whole = Grid(together, cells.bin, np.array([-(-length // self._width)]), most)

    def add(self, second: Ints, cells: Ints, count: Ints) -> None:
        """Add counts of cells, each in its second."""
        within = second < self._length
        second, cells, count = second[within], cells[within], count[within]
        self._each.add(cells, second // self._widths[cells], count)
        self._whole.add(cells, second // self._width, count)

    def percentiles(self) -> pd.DataFrame:
        """Give `operation` (WHOLE is all of them) and the columns of `reports.windows.percentiles`."""
        found = [(WHOLE, percentiles(self._whole.table(0), self._whole.values(0)))]
        found += [(p, percentiles(self._each.table(p), self._each.values(p))) for p in self._own.tolist()]
        return pd.concat([frame.assign(operation=place) for place, frame in found], ignore_index=True)


class Buckets:
    """Gathers what is judged by the buckets of seconds that made-up runs are drawn from, for the bands."""

    def __init__(self, kinds: Kinds, cells: Cells, warmup: int, length: int) -> None:
        """Begin with nothing; the time from `warmup` on is judged, `length` seconds."""
        self._operations, self._warmup, self._length = kinds.operations, warmup, length
        self._drawn = Replicates.of(length)
        ok, self._failed = (kinds.outcomes == OUTCOMES.index(outcome) for outcome in (OK, FAIL))
        self._felt = np.where(ok | self._failed, kinds.felt, NONE)
        self._operation, self._bins = np.where(ok, kinds.felt, NONE)[cells.kind], cells.bin

    def count(self, second: Ints, kind: Ints, count: Ints) -> None:
        """Take how many of each kind there were in each second; comes before the first `add`."""
        chosen = (self._felt[kind] != NONE) & self._judged(second)
        kind, bucket, count = kind[chosen], self._bucket(second[chosen]), count[chosen]
        operation, failed = self._felt[kind], self._failed[kind].astype(np.int64)
        requests = np.bincount(operation, count, len(self._operations)).astype(np.int64)
        rows = np.full(len(requests), self._drawn.buckets)
        bins = np.bincount(self._operation[self._operation != NONE], minlength=len(requests))
        self._own = fitting(frequent(requests), rows * bins)
        rows[np.isin(np.arange(len(rows)), self._own, invert=True)] = 0
        self._grid = Grid(self._operation, self._bins, rows, int(requests.sum()))
        self._whole = np.zeros((2, self._drawn.buckets), np.int64)
        np.add.at(self._whole, (failed, bucket), count)
        places = np.full(len(requests), NONE)
        places[self._own] = np.arange(len(self._own))
        own = places[operation] != NONE
        self._each = np.zeros((len(self._own), 2, self._drawn.buckets), np.int64)
        np.add.at(self._each, (places[operation[own]], failed[own], bucket[own]), count[own])

    def add(self, second: Ints, cells: Ints, count: Ints) -> None:
        """Add counts of cells, each in its second."""
        judged = self._judged(second)
        self._grid.add(cells[judged], self._bucket(second[judged]), count[judged])

    def bands(self) -> dict[Key, Band]:
        """Give the bands."""
        found: dict[Key, Band] = {}
        for number, (succeeded, failed) in zip(self._own.tolist(), self._each, strict=True):
            name, table, values = self._operations[number], self._grid.table(number), self._grid.values(number)
            found |= bands(self._drawn, name, Requests(table, values, succeeded, failed), self._length)
        if len(self._operations) > 1:
            found |= plain_bands(self._drawn, ALL, self._whole[0], self._whole[1], self._length)
        return found

    def _judged(self, second: Ints) -> NDArray[np.bool_]:
        return np.asarray((second >= self._warmup) & (second < self._warmup + self._length))

    def _bucket(self, second: Ints) -> Ints:
        return (second - self._warmup) // self._drawn.width
