"""A few of a run's samples, read without the many others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from lab import samples_file
from lab.errors import RunError
from lab.model.histogram import Histogram
from reports.notified import METRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from lab.store import RunFolder

COLUMNS: Final = ("second", "metric", "tags", "bin", "count")


def rows(folder: RunFolder, metrics: Sequence[str]) -> pd.DataFrame:
    """Read what there is of some metrics: COLUMNS, in no order.

    Args:
        folder: a run that is closed, goes on, or was killed.
        metrics: their names.

    Raises:
        RunError: the samples cannot be read.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy, and not every command needs it
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    chosen, columns = pc.field("metric").isin(metrics), list(COLUMNS)
    if folder.ticks.exists():
        return _frame(samples_file.read(folder)[0].filter(chosen).select(columns))
    if not folder.samples.exists():
        return pd.DataFrame(columns=columns)
    try:
        return _frame(pq.read_table(folder.samples, columns=columns, filters=chosen))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.path}: no samples can be read: {str(error).splitlines()[0]}") from None


def _frame(table: pa.Table) -> pd.DataFrame:
    found: pd.DataFrame = table.to_pandas()
    return found


def delays(folder: RunFolder, warmup: int) -> Histogram:
    """Read how long the mails took of what is judged, which comes after so many seconds.

    Raises:
        RunError: the samples cannot be read.
    """
    found = rows(folder, (METRIC,))
    judged = found[found["second"] >= warmup] if len(found) else found
    whole = Histogram()
    for place, count in zip(judged["bin"].tolist(), judged["count"].tolist(), strict=True):
        whole.bins[place] += count
    return whole
