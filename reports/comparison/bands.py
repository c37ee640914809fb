"""The bands of a run that stands alone: how far its figures may be off because of the seconds that it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lab.model.sample import FAIL, OK
from reports.comparison.metrics import SHARES, WHOLE
from reports.frame import OUTCOMES
from reports.quantiles import middles
from reports.stats.bootstrap import Counts, Replicates, band, percentile_band

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from reports.comparison.metrics import Key
    from reports.frame import RunData
    from reports.stats.bootstrap import Band


def bands(data: RunData, since: int, values: Mapping[Key, float | None]) -> dict[Key, Band]:
    """Give the band of each of these figures that is made of requests.

    Args:
        data: the run.
        since: seconds at its beginning that are left out.
        values: the run's figures, by operation and metric; what has none gets no band.
    """
    length = data.seconds - since
    if length < 1:
        return {}
    drawn = Replicates.of(length)
    requests = data.requests[data.requests["second"] >= since]
    requests = requests.assign(second=requests["second"] - since)
    found: dict[Key, Band] = {}
    for number, operation in enumerate(data.operations):
        _add(found, drawn, operation, requests[requests["operation"] == number], length)
    if len(data.operations) > 1:
        _add(found, drawn, WHOLE, requests, length)
    return {key: limits for key, limits in found.items() if values.get(key) is not None}


def _add(found: dict[Key, Band], drawn: Replicates, operation: str, requests: pd.DataFrame, length: int) -> None:
    columns = {name: requests[name].to_numpy(np.int64) for name in ("second", "outcome", "bin", "count")}
    ok, failed = (columns["outcome"] == OUTCOMES.index(outcome) for outcome in (OK, FAIL))
    succeeded = drawn.summed(columns["second"][ok], columns["count"][ok])
    lost = drawn.summed(columns["second"][failed], columns["count"][failed])
    if operation != WHOLE:
        measured = Counts(columns["second"][ok], middles(columns["bin"][ok]), columns["count"][ok])
        for name, share in SHARES.items():
            found[operation, name] = percentile_band(drawn, measured, lost, share)
    found[operation, "throughput"] = band(succeeded / length)
    found[operation, "failures"] = band(lost / np.maximum(succeeded + lost, 1))
