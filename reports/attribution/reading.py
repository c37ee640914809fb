"""What a run folder tells of where the time went: by operation for the time that is judged, and over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pandas as pd

from lab import samples_file
from lab.errors import RunError
from lab.model.server_timing import BLOCK_S, COUNTS, SUMS
from reports.attribution.operation import Operation
from reports.frame import tags_of

if TYPE_CHECKING:
    import pyarrow as pa

    from lab.store import RunFolder

METRICS: Final = (SUMS, COUNTS)
COLUMNS: Final = ("second", "metric", "tags", "bin", "count")


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where a run's time went.

    Attributes:
        operations: after the warm-up, the one that took the most time first.
        blocks: the whole run: `begin` (seconds), `operation`, `label` ("" counts requests), `value` (µs, or requests).
    """

    operations: tuple[Operation, ...] = ()
    blocks: pd.DataFrame = field(default_factory=pd.DataFrame)


def load(folder: RunFolder, warmup: int) -> Attribution:
    """Read it; a run that was told nothing gives nothing.

    Args:
        folder: a run that is closed, goes on, or was killed.
        warmup: how many seconds at the beginning are not judged; of the block that it ends in, nothing is.

    Raises:
        RunError: the samples cannot be read.
    """
    if not (folder.ticks.exists() or folder.samples.exists()):
        return Attribution()
    return from_table(_table(folder), warmup)


def _table(folder: RunFolder) -> pa.Table:
    """Read the few rows that are asked for, without the many others."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy, and not every command needs it
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    chosen = pc.field("metric").isin(METRICS)
    if folder.ticks.exists():
        return samples_file.read(folder)[0].filter(chosen).select(list(COLUMNS))
    try:
        return pq.read_table(folder.samples, columns=list(COLUMNS), filters=chosen)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.path}: no samples can be read: {str(error).splitlines()[0]}") from None


def from_table(table: pa.Table, warmup: int) -> Attribution:
    """Build it from rows of the samples' table."""
    rows = table.to_pandas()
    if rows.empty:
        return Attribution()
    rows["begin"] = rows["second"] // BLOCK_S * BLOCK_S
    told = {text: _place(text) for text in rows["tags"].unique()}
    rows["operation"] = [told[text][0] for text in rows["tags"]]
    rows["label"] = [told[text][1] for text in rows["tags"]]
    judged = rows[rows["begin"] >= warmup]
    summed = (judged if len(judged) else rows).groupby(["operation", "label", "bin"], observed=True)["count"].sum()
    found: dict[str, dict[str, dict[int, int]]] = {}
    for (operation, label, group), count in summed.items():
        found.setdefault(str(operation), {}).setdefault(str(label), {})[int(group)] = int(count)
    made = [Operation(name, labels.pop("", {}), labels) for name, labels in found.items()]
    blocks = rows.groupby(["begin", "operation", "label"], observed=True, as_index=False)["count"].sum()
    return Attribution(
        tuple(sorted(made, key=lambda operation: (-operation.us, operation.name))),
        blocks.rename(columns={"count": "value"}),
    )


def _place(text: str) -> tuple[str, str]:
    """Give the operation and the part that tags name."""
    tags = tags_of(text)
    return tags.get("operation", ""), f"{tags['hop']}.{tags['kind']}" if "hop" in tags else ""
