"""A run's samples as pandas frames: what every table and chart of a report is computed from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lab import samples_file
from lab.model.run import Run
from lab.model.sample import DROPPED, FAIL, OK, SERVICE

if TYPE_CHECKING:
    import pyarrow as pa

    from lab.store import RunFolder

REQUESTS: Final = "http_req_duration"
OUTCOMES: Final = (OK, FAIL, DROPPED)


@dataclass(frozen=True, slots=True)
class RunData:
    """A run and its figures.

    `requests` has a row per second, operation, outcome and bin: `second`, `operation` (position in `operations`),
    `outcome` (position in OUTCOMES), `bin`, `count`. `series` has `second`, `kind`, `metric`, `tags` (JSON), `value`,
    `total`. `seconds` is how long the load was recorded.
    """

    run: Run
    seconds: int
    operations: tuple[str, ...]
    requests: pd.DataFrame
    series: pd.DataFrame

    def outcome(self, outcome: str) -> pd.DataFrame:
        """Give the requests of one outcome."""
        return self.requests[self.requests["outcome"] == OUTCOMES.index(outcome)]

    def metric(self, name: str, kind: str) -> pd.DataFrame:
        """Give the rows of one rate, counter or gauge."""
        return self.series[(self.series["metric"] == name) & (self.series["kind"] == kind)]


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
    return from_tables(run, samples, series)


def from_tables(run: Run, samples: pa.Table, series: pa.Table) -> RunData:
    """Build the frames from the two tables of a run folder."""
    frame, lines = samples.to_pandas(), series.to_pandas()
    last = max(_last(frame), _last(lines))
    keep = (frame["metric"] == REQUESTS) & (frame["clock"] == SERVICE)
    requests, operations = _operations(frame[keep.to_numpy(dtype=bool)])
    return RunData(run, max(run.totals.seconds, last + 1), operations, requests, lines)


def _last(frame: pd.DataFrame) -> int:
    return int(frame["second"].max()) if len(frame) else -1


def _operations(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Replace name and tags by the operation, looking at each distinct pair once."""
    names, tags = frame["name"].astype("category").cat, frame["tags"].astype("category").cat
    pairs = names.codes.to_numpy(np.int64) * max(len(tags.categories), 1) + tags.codes.to_numpy(np.int64)
    positions, distinct = pd.factorize(pairs)
    found = [
        operation_of(
            str(names.categories[pair // len(tags.categories)]), str(tags.categories[pair % len(tags.categories)])
        )
        for pair in distinct.tolist()
    ]
    operations = tuple(dict.fromkeys(found))
    place = np.array([operations.index(name) for name in found], dtype=np.int64)
    outcomes = frame["outcome"].astype("category").cat
    outcome = np.array([OUTCOMES.index(str(name)) for name in outcomes.categories], dtype=np.int64)
    return pd.DataFrame(
        {
            "second": frame["second"].to_numpy(np.int64),
            "operation": place[positions] if len(frame) else np.zeros(0, np.int64),
            "outcome": outcome[outcomes.codes.to_numpy()] if len(frame) else np.zeros(0, np.int64),
            "bin": frame["bin"].to_numpy(np.int64),
            "count": frame["count"].to_numpy(np.int64),
        }
    ), operations


def operation_of(name: str, tags: str) -> str:
    """Give the operation that a request counts for: its tag `operation`, or else its name."""
    return str(tags_of(tags).get("operation", name))


def tags_of(text: str) -> dict[str, str]:
    """Read the JSON of a `tags` column."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
