"""A run's digest: what reports need of its samples, worked out in one go.

Ten million requests are nearly ten million rows of samples, since bins are fine. Reports show percentiles by operation,
by window and by second, which are as many as there are operations and seconds, whatever the number of requests. Every
figure here is summed from the samples themselves: none is made of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lab.model.sample import FAIL, OK
from reports.binned import Binned
from reports.comparison.bands import bands, frequent
from reports.comparison.metrics import Key
from reports.grid import Grid, fitting
from reports.kinds import NONE, OUTCOMES, Kinds, Known
from reports.stats.bootstrap import Band, Replicates
from reports.windows import percentiles, window_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Read = Callable[[], Iterable[pa.Table]]

TOTALS: Final = ("kind", "judged", "bin", "count")
PER_SECOND: Final = ("second", "operation", "outcome", "count")
MOST_OPERATIONS: Final = 100
"""The most frequent ones have windows of their own."""
WHOLE: Final = NONE
"""The place of all operations together among the windows."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a run's samples come to.

    Attributes:
        warmup: how many seconds at the beginning are not judged.
        seconds: how long the load was recorded.
        kinds: of what there are samples.
        totals: `kind` (its place), `judged` (0 in the warm-up, else 1), `bin`, `count`: every histogram of the run.
        requests: `second`, `operation`, `outcome` (their places), `count`: requests by the service clock.
        windows: latency of what succeeded, by `operation` (WHOLE is all of them) and `window`, as `percentiles` gives.
        bands: of the judged time, by operation and metric.
    """

    warmup: int
    seconds: int
    kinds: Kinds
    totals: pd.DataFrame
    requests: pd.DataFrame
    windows: pd.DataFrame
    bands: Mapping[Key, Band]


def build(read: Read, warmup: int, seconds: int = 0, least: int = 0) -> Digest:
    """Work a digest out; the samples are read twice, and not held.

    Args:
        read: gives the samples in tables of some rows.
        warmup: how many seconds at the beginning are not judged.
        seconds: how long the load was recorded; until its last sample when not known.
        least: how long it was recorded at least, where that is not known.
    """
    known, totals, per_second = Known(), Binned(), Binned()
    last = -1
    for second, kind, bins, count in _rows(read, known):
        last = max(last, int(second.max(initial=-1)))
        totals.add(kind * 2 + (second >= warmup), bins, count)
        served = known.kinds.served[kind] != NONE
        per_second.add(second[served], kind[served], count[served])
    kinds = known.kinds
    # Mails may come when the load is over, which makes it no longer.
    length = seconds or max(last + 1, least)
    requests = _per_second(kinds, *per_second.rows())
    group, bins, count = totals.rows()
    sums = pd.DataFrame(dict(zip(TOTALS, (group // 2, group % 2, bins, count), strict=True)))
    cuts = (_Windows(kinds, sums, requests, length), _Buckets(kinds, sums, warmup, length))
    for second, kind, bins, count in _rows(read, Known()):
        for cut in cuts:
            cut.add(second, kind, bins, count)
    return Digest(warmup, length, kinds, sums, requests, cuts[0].percentiles(), cuts[1].bands())


def ok_requests(requests: pd.DataFrame, operations: int) -> Ints:
    """Count the requests that succeeded, by the place of their operation."""
    ok = requests["outcome"].to_numpy() == OUTCOMES.index(OK)
    operation, count = (requests[name].to_numpy()[ok] for name in ("operation", "count"))
    return np.bincount(operation, count, operations).astype(np.int64)


def _rows(read: Read, known: Known) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """Give second, kind, bin and count of the samples, some rows at a time; what counts nothing is left out."""
    for samples in read():
        kind = known.places(samples)
        second, bins, count = (samples[name].to_numpy().astype(np.int64) for name in ("second", "bin", "count"))
        some = count > 0
        yield second[some], kind[some], bins[some], count[some]


def _per_second(kinds: Kinds, second: Ints, kind: Ints, count: Ints) -> pd.DataFrame:
    """Sum the kinds of one operation and outcome."""
    summed = Binned()
    summed.add(second, kinds.served[kind] * len(OUTCOMES) + kinds.outcomes[kind], count)
    second, place, count = summed.rows()
    columns = (second, place // len(OUTCOMES), place % len(OUTCOMES), count)
    return pd.DataFrame(dict(zip(PER_SECOND, columns, strict=True)))


class _Windows:
    """Gathers what succeeded, by window: of the most frequent operations, and of all together."""

    def __init__(self, kinds: Kinds, sums: pd.DataFrame, requests: pd.DataFrame, length: int) -> None:
        number, self._length = len(kinds.operations), length
        self._operation = np.where(kinds.outcomes == OUTCOMES.index(OK), kinds.served, NONE)
        operations, bins = _bins(self._operation, sums)
        succeeded = ok_requests(requests, number)
        self._widths = np.array([window_width(length, count) for count in succeeded.tolist()], dtype=np.int64)
        self._width = window_width(length, int(succeeded.sum()))
        rows = -(-length // self._widths) if number else succeeded
        cells = rows * np.bincount(operations, minlength=number)
        self._own = fitting(np.argsort(-succeeded, kind="stable")[:MOST_OPERATIONS], cells)
        kept = np.isin(np.arange(number), self._own)
        self._kept = np.append(kept, False)  # and of what belongs to no operation
        most = int(succeeded.sum())
        self._each = Grid(operations, bins, most, np.where(kept, rows, 0))
        self._whole = Grid(np.zeros_like(bins), bins, most, np.array([-(-length // self._width)]))

    def add(self, second: Ints, kind: Ints, bins: Ints, count: Ints) -> None:
        operation = np.where(second < self._length, self._operation[kind], NONE)
        chosen = operation != NONE
        every = np.zeros(int(chosen.sum()), np.int64)
        self._whole.add(every, second[chosen] // self._width, bins[chosen], count[chosen])
        chosen = self._kept[operation]
        operation = operation[chosen]
        self._each.add(operation, second[chosen] // self._widths[operation], bins[chosen], count[chosen])

    def percentiles(self) -> pd.DataFrame:
        found = [(WHOLE, percentiles(self._whole.table(0), self._whole.values(0)))]
        found += [(p, percentiles(self._each.table(p), self._each.values(p))) for p in self._own.tolist()]
        return pd.concat([frame.assign(operation=place) for place, frame in found], ignore_index=True)


class _Buckets:
    """Gathers what is judged by the buckets of seconds that made-up runs are drawn from, for the bands."""

    def __init__(self, kinds: Kinds, sums: pd.DataFrame, warmup: int, length: int) -> None:
        self._operations, self._warmup, self._length = kinds.operations, warmup, length - warmup
        number = len(kinds.operations)
        self._drawn = Replicates.of(self._length) if self._length > 0 and number else None
        if self._drawn is None:
            return
        ok, self._failed = (kinds.outcomes == OUTCOMES.index(outcome) for outcome in (OK, FAIL))
        self._operation = np.where(ok | self._failed, kinds.felt, NONE)
        judged = sums[sums["judged"] > 0]
        operations, bins = _bins(np.where(ok, kinds.felt, NONE), judged)
        rows = np.full(number, self._drawn.buckets)
        of = self._operation[judged["kind"].to_numpy()]
        requests = np.bincount(of[of != NONE], judged["count"].to_numpy()[of != NONE], number)
        self._own = fitting(frequent(requests), rows * np.bincount(operations, minlength=number))
        self._kept = np.isin(np.arange(number), self._own)
        self._grid = Grid(operations, bins, int(requests.sum()), np.where(self._kept, rows, 0))
        self._counts = np.zeros((2, number, self._drawn.buckets), np.int64)

    def add(self, second: Ints, kind: Ints, bins: Ints, count: Ints) -> None:
        if self._drawn is None:
            return
        within = (second >= self._warmup) & (second < self._warmup + self._length)
        chosen = (self._operation[kind] != NONE) & within
        operation, failed = self._operation[kind[chosen]], self._failed[kind[chosen]]
        bucket, bins, count = (second[chosen] - self._warmup) // self._drawn.width, bins[chosen], count[chosen]
        np.add.at(self._counts, (failed.astype(np.int64), operation, bucket), count)
        chosen = self._kept[operation] & ~failed
        self._grid.add(operation[chosen], bucket[chosen], bins[chosen], count[chosen])

    def bands(self) -> dict[Key, Band]:
        if self._drawn is None:
            return {}
        return bands(self._drawn, self._grid, self._counts, self._own, self._operations, self._length)


def _bins(operation: Ints, sums: pd.DataFrame) -> tuple[Ints, Ints]:
    """Give the operation and the bin of each total whose kind has an operation."""
    found = operation[sums["kind"].to_numpy()]
    return found[found != NONE], sums["bin"].to_numpy()[found != NONE]
