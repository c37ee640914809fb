"""What a page draws of runs one over the other: p95 over time and the percentile curve, read one run at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from lab.errors import RunError
from reports import frame, overtime, units
from reports.comparison.metrics import WHOLE
from reports.overtime import Curve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.store import RunFolder


DRAWN: Final = ("p95", "p50")
"""What is drawn over time: the first of these that any run has."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run's lines: its length and its windows' width and starts in s, percentiles by name in µs, and the curve.

    A percentile that fewer than ten requests of a window exceed is NaN.
    """

    seconds: int
    width: int
    start: NDArray[np.int64]
    latency: Mapping[str, NDArray[np.float64]]
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class Overlays:
    """Lines by run id, and why a run has none, by run id."""

    traces: Mapping[str, Trace]
    left_out: Mapping[str, str]


def overlays(wanted: Iterable[str], folders: Mapping[str, RunFolder], operation: str) -> Overlays:
    """Read the lines of runs.

    Args:
        wanted: the ids of the runs.
        folders: where they are, by id.
        operation: whose requests; of `all`, those of all operations.
    """
    traces, left_out = {}, {}
    for run_id in wanted:
        found = _trace(folders.get(run_id), operation)
        if isinstance(found, Trace):
            traces[run_id] = found
        else:
            left_out[run_id] = found
    return Overlays(traces, left_out)


def _trace(folder: RunFolder | None, operation: str) -> Trace | str:
    """Read a run's lines, or say why it has none."""
    if folder is None or not (folder.samples.exists() or folder.ticks.exists()):
        return "its samples are gone"
    try:
        data = frame.load(folder)
    except RunError as error:
        return units.plain(str(error))
    if operation not in {*data.operations, WHOLE}:
        return f"it has no request of {units.plain(operation, 60)}"
    windows = overtime.windows(data, "" if operation == WHOLE else operation)
    curves = overtime.curves(data, len(data.operations))
    return Trace(
        data.seconds,
        windows.width,
        windows.frame["start"].to_numpy(np.int64),
        {name: windows.frame[name].to_numpy(np.float64) for name in DRAWN},
        next((curve for curve in curves if curve.operation == operation), None),
    )
