"""A run's figures as pandas frames: what every table and chart of a report is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from lab import sample_rows
from lab.model.metrics import shown_as_custom
from lab.model.run import Run, Totals
from lab.model.sample import Tally, Tick
from lab.validity import recounted
from reports import digest_file, sofar
from reports.digest import Digest
from reports.kinds import NONE, OUTCOMES, coded
from reports.quantiles import sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lab.store import RunFolder


@dataclass(frozen=True)  # no slots: a frame is made when it is first asked for
class RunData:
    """A run and its figures; operations and outcomes stand in the frames as positions in `operations` and OUTCOMES.

    Attributes:
        run: what `run.json` says.
        counted: its totals, from its live log where it has none of its own; None when they are not known.
        digest: what its samples come to.
        table: rates, counters and gauges, as they are stored.
    """

    run: Run
    counted: Totals | None
    digest: Digest
    table: pa.Table

    @property
    def seconds(self) -> int:
        """Give how long the load was recorded."""
        return self.digest.seconds

    @property
    def operations(self) -> tuple[str, ...]:
        """Name the operations."""
        return self.digest.kinds.operations

    @property
    def requests(self) -> pd.DataFrame:
        """Give `count` per second, operation and outcome, by the service clock."""
        return self.digest.requests

    @property
    def windows(self) -> pd.DataFrame:
        """Give latency over time (`reports.windows`), by operation; of all together where that is `cuts.WHOLE`."""
        return self.digest.windows

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Give `count` per operation, outcome and bin of the time that is judged, by the service clock."""
        return histograms(self.digest, self.digest.kinds.served)

    @cached_property
    def felt(self) -> pd.DataFrame:
        """Give the same by the response clock, of the requests of open loads; empty where there is none."""
        return histograms(self.digest, self.digest.kinds.late)

    @cached_property
    def series(self) -> pd.DataFrame:
        """Give rates, counters and gauges: `second`, `kind`, `metric`, `tags` (JSON), `value`, `total`."""
        frame: pd.DataFrame = self.table.unify_dictionaries().to_pandas()
        return frame

    @cached_property
    def custom(self) -> Tally:
        """Give what user code recorded, summed over the time that is judged."""
        return _custom(self.digest, self.table)

    @property
    def judged_seconds(self) -> int:
        """Give how many seconds came after the warm-up."""
        return max(self.seconds - self.run.warmup, 0)

    def metric(self, name: str, kind: str) -> pd.DataFrame:
        """Give the rows of one rate, counter or gauge."""
        return self.series[(self.series["metric"] == name) & (self.series["kind"] == kind)]

    def judged(self, name: str, kind: str) -> pd.DataFrame:
        """Give those of its rows that came after the warm-up."""
        rows = self.metric(name, kind)
        return rows[rows["second"] >= self.run.warmup] if self.run.warmup else rows


def load(folder: RunFolder) -> RunData:
    """Read a run and its figures, from a closed run, one that goes on, or one that was killed.

    A folder that holds nothing but `run.json` is a run without samples, not an error.

    Raises:
        RunError: `run.json` or the samples cannot be read.
    """
    run = folder.load()
    found, series = digest_file.read(folder, run)
    return from_digest(run, sofar.totals(run, sofar.tally(folder, run)), found, series)


def from_digest(run: Run, counted: Totals | None, found: Digest, series: pa.Table) -> RunData:
    """Give a run's figures from its digest and its series."""
    return RunData(recounted(run, int(found.requests["count"].sum())), counted, found, series)


def histograms(found: Digest, places: NDArray[np.int64]) -> pd.DataFrame:
    """Sum what is judged by operation, outcome and bin; `places` gives the operation of each kind."""
    rows = found.totals[(found.totals["judged"] > 0) & (places[found.totals["kind"]] != NONE)]
    kind, bins, count = (rows[name].to_numpy() for name in ("kind", "bin", "count"))
    span = int(bins.max(initial=0)) + 1
    group = places[kind] * len(OUTCOMES) + found.kinds.outcomes[kind]
    keys, counts = sums(group * span + bins, count)
    operation, outcome = np.divmod(keys // span, len(OUTCOMES))
    return pd.DataFrame({"operation": operation, "outcome": outcome, "bin": keys % span, "count": counts})


def _custom(found: Digest, series: pa.Table) -> Tally:
    """Sum what user code recorded in metrics of its own, after the warm-up."""
    metrics, words = coded(series["metric"])
    mine = [place for place, word in enumerate(words) if shown_as_custom(word)]
    rows = series.take(np.flatnonzero(np.isin(metrics, mine)))
    tally = Tally()
    for tick in sample_rows.seconds(sample_rows.tables([])[0], rows):
        if tick.second >= found.warmup:
            tally.add(tick)
    trends = found.trends(judged=True)
    tally.add(Tick(found.warmup, {key: bins for key, bins in trends.items() if shown_as_custom(key.metric)}))
    tally.seconds = max(found.seconds - found.warmup, 0)
    return tally
