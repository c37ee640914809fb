"""A run's digest: what reports need of its samples, worked out in one go.

Ten million requests are nearly ten million rows of samples, since bins are fine. Reports show percentiles by operation,
by window and by second, which are as many as there are operations and seconds, whatever the number of requests. Every
figure here is summed from the samples themselves: none is made of others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lab.model.sample import OK, TrendKey
from reports.binned import Binned
from reports.comparison.metrics import Key
from reports.cuts import Buckets, Windows
from reports.grid import Cells
from reports.kinds import NONE, OUTCOMES, Kinds, Known
from reports.stats.bootstrap import Band

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Read = Callable[[], Iterable[pa.Table]]

TOTALS: Final = ("kind", "judged", "bin", "count")
PER_SECOND: Final = ("second", "operation", "outcome", "count")


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

    def trends(self, *, judged: bool) -> dict[TrendKey, Counter[int]]:
        """Give the histograms of what is judged, or of what is not, as a tick has them."""
        rows = self.totals[self.totals["judged"] == judged]
        keys = [kind.key for kind in self.kinds.all]
        found: dict[TrendKey, Counter[int]] = {}
        for place, index, count in rows[["kind", "bin", "count"]].itertuples(index=False, name=None):
            found.setdefault(keys[place], Counter())[index] += count
        return found


def build(read: Read, warmup: int, seconds: int = 0, least: int = 0) -> Digest:
    """Work a digest out; the samples are read twice, and not held.

    Args:
        read: gives the samples in tables of some rows.
        warmup: how many seconds at the beginning are not judged.
        seconds: how long the load was recorded; until its last sample when not known.
        least: how long it was recorded at least, where that is not known.
    """
    known, totals, seconds_of = Known(), Binned(), Binned()
    last = -1
    for second, kind, bins, count in _rows(read, known):
        last = max(last, int(second.max(initial=-1)))
        totals.add(kind * 2 + (second >= warmup), bins, count)
        seconds_of.add(second, kind, count)
    kinds = known.kinds
    # Mails may come when the load is over, which makes it no longer.
    length = seconds or max(last + 1, least)
    group, bins, count = totals.rows()
    sums = pd.DataFrame(dict(zip(TOTALS, (group // 2, group % 2, bins, count), strict=True)))
    per_second = seconds_of.rows()
    requests = _requests(kinds, *per_second)
    cells = Cells(*np.unique(np.stack([group // 2, bins]), axis=1))
    windows = Windows(kinds, cells, ok_requests(requests, len(kinds.operations)), length)
    buckets = Buckets(kinds, cells, warmup, length - warmup) if length > warmup and kinds.operations else None
    if buckets:
        buckets.count(*per_second)
    for second, kind, bins, count in _rows(read, Known()):
        places = cells.places(kind, bins)
        windows.add(second, places, count)
        if buckets:
            buckets.add(second, places, count)
    bands = buckets.bands() if buckets else {}
    return Digest(warmup, length, kinds, sums, requests, windows.percentiles(), bands)


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


def _requests(kinds: Kinds, second: Ints, kind: Ints, count: Ints) -> pd.DataFrame:
    """Sum the requests of one operation and outcome by the service clock."""
    served = kinds.served[kind] != NONE
    second, kind, count = second[served], kind[served], count[served]
    summed = Binned()
    summed.add(second, kinds.served[kind] * len(OUTCOMES) + kinds.outcomes[kind], count)
    second, place, count = summed.rows()
    columns = (second, place // len(OUTCOMES), place % len(OUTCOMES), count)
    return pd.DataFrame(dict(zip(PER_SECOND, columns, strict=True)))
