"""A run's samples as pandas frames: what every table and chart of a report is computed from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab import samples_file
from lab.model.metrics import shown_as_custom
from lab.model.run import Run, Totals
from lab.model.sample import DROPPED, FAIL, OK, RESPONSE, SERVICE, Tally
from lab.validity import recounted
from reports import sofar
from reports.quantiles import sums

if TYPE_CHECKING:
    import pyarrow as pa

    from lab.store import RunFolder

REQUESTS: Final = "http_req_duration"
OUTCOMES: Final = (OK, FAIL, DROPPED)


@dataclass(frozen=True, slots=True)
class RunData:
    """A run and its figures; operations and outcomes stand in the frames as positions in `operations` and OUTCOMES.

    Attributes:
        run: what `run.json` says.
        counted: its totals, from its live log where it has none of its own; None when they are not known.
        seconds: how long the load was recorded.
        operations: their names.
        requests: per second, operation, outcome and bin: `count`, by the service clock.
        totals: the same, summed over the time that is judged: what comes after the warm-up.
        felt: the same by the response clock, of the requests of open loads; empty where there is none.
        series: rates, counters and gauges: `second`, `kind`, `metric`, `tags` (JSON), `value`, `total`.
        custom: what user code recorded, summed over time.
    """

    run: Run
    counted: Totals | None
    seconds: int
    operations: tuple[str, ...]
    requests: pd.DataFrame
    totals: pd.DataFrame
    series: pd.DataFrame
    custom: Tally = field(default_factory=Tally)
    felt: pd.DataFrame = field(default_factory=pd.DataFrame)

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
    if folder.ticks.exists() or folder.samples.exists():
        samples, series = samples_file.read(folder)
    else:
        samples, series = samples_file.tables([])
    return from_tables(run, sofar.totals(run, sofar.tally(folder, run)), samples, series)


def from_tables(run: Run, counted: Totals | None, samples: pa.Table, series: pa.Table) -> RunData:
    """Build the frames from the two tables of a run folder."""
    second = samples["second"].to_numpy()
    lines = series.to_pandas()
    last = max(second.max(initial=-1), lines["second"].max() if len(lines) else -1)
    metrics, clocks = _words(samples["metric"]), _words(samples["clock"])
    served, late = (metrics.among(REQUESTS) & clocks.among(clock) for clock in (SERVICE, RESPONSE))
    keep = served | late
    operation, operations = _operations(_words(samples["name"]), _words(samples["tags"]), keep)
    outcomes = _words(samples["outcome"])
    places = np.array([OUTCOMES.index(word) for word in outcomes.words], dtype=np.int64)
    both = pd.DataFrame(
        {
            "second": second[keep],
            "operation": operation,
            "outcome": places[outcomes.codes[keep]] if len(places) else np.zeros(0, np.int64),
            "bin": samples["bin"].to_numpy()[keep],
            "count": samples["count"].to_numpy()[keep],
        }
    )
    requests, felt = both[served[keep]].reset_index(drop=True), both[late[keep]]
    # Mails may come when the load is over, which makes it no longer.
    seconds = run.totals.seconds or int(last) + 1
    run = recounted(run, int(requests["count"].sum()))
    custom = _custom(samples, series, run.warmup)
    custom.seconds = max(seconds - run.warmup, 0)
    judged, by_response = (_totals(frame[frame["second"] >= run.warmup]) for frame in (requests, felt))
    return RunData(run, counted, seconds, operations, requests, judged, lines, custom, by_response)


def _custom(samples: pa.Table, series: pa.Table, warmup: int) -> Tally:
    """Sum what user code recorded in metrics of its own, after the warm-up."""
    parts = []
    for table in (samples, series):
        metrics = _words(table["metric"])
        mine = [place for place, word in enumerate(metrics.words) if shown_as_custom(word)]
        parts.append(table.take(np.flatnonzero(np.isin(metrics.codes, mine))))
    tally = Tally()
    for tick in samples_file.seconds(*parts):
        if tick.second >= warmup:
            tally.add(tick)
    return tally


def _totals(requests: pd.DataFrame) -> pd.DataFrame:
    bins = int(requests["bin"].max()) + 1 if len(requests) else 1
    group = requests["operation"].to_numpy(np.int64) * len(OUTCOMES) + requests["outcome"].to_numpy(np.int64)
    keys, counts = sums(group * bins + requests["bin"].to_numpy(np.int64), requests["count"].to_numpy(np.int64))
    operation, outcome = np.divmod(keys // bins, len(OUTCOMES))
    return pd.DataFrame({"operation": operation, "outcome": outcome, "bin": keys % bins, "count": counts})


@dataclass(frozen=True, slots=True)
class _Words:
    """A column of texts: its distinct texts, and for each row the position of its text in them."""

    words: list[str]
    codes: NDArray[np.int64]

    def among(self, word: str) -> NDArray[np.bool_]:
        place = self.words.index(word) if word in self.words else -1
        return np.asarray(self.codes == place)


def _words(column: pa.ChunkedArray) -> _Words:
    if not hasattr(column.type, "value_type"):
        column = column.dictionary_encode()
    chunks = column.unify_dictionaries().chunks
    if not chunks:
        return _Words([], np.zeros(0, np.int64))
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in chunks])
    return _Words([str(word) for word in chunks[0].dictionary.to_pylist()], codes)


def _operations(names: _Words, tags: _Words, keep: NDArray[np.bool_]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Replace name and tags by the operation, looking at each distinct pair once."""
    width = max(len(tags.words), 1)
    rows, distinct = pd.factorize(names.codes[keep].astype(np.int64) * width + tags.codes[keep])
    found = [operation_of(names.words[pair // width], tags.words[pair % width]) for pair in distinct.tolist()]
    operations = {name: place for place, name in enumerate(dict.fromkeys(found))}
    places = np.array([operations[name] for name in found], dtype=np.int64)
    return places[rows], tuple(operations)


def operation_of(name: str, tags: str) -> str:
    """Give the operation that a request counts for: its tag `operation`, or else its name."""
    return str(tags_of(tags).get("operation", name))


def tags_of(text: str) -> dict[str, str]:
    """Read the JSON of a `tags` column."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
