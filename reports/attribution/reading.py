"""What a run folder tells of where the time went: by operation for the time that is judged, and over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pandas as pd

from lab.model.server_timing import BLOCK_S, COUNTS, SUMS
from reports import digest_file
from reports.attribution.operation import Operation
from reports.digest import ok_requests
from reports.kinds import tags_of
from reports.sampled import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.store import RunFolder

METRICS: Final = (SUMS, COUNTS)


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
        warmup: how many seconds at the beginning are not judged; the recorder ends a block there.

    Raises:
        RunError: the samples cannot be read.
    """
    return from_rows(rows(folder, METRICS), warmup)


def operations(folder: RunFolder) -> tuple[Operation, ...]:
    """Read only the operations of what is judged, from the run's digest: that costs no more for more requests.

    Raises:
        RunError: the run or its samples cannot be read.
    """
    digest, _ = digest_file.read(folder, folder.load())
    chosen = {place: kind.tags for place, kind in enumerate(digest.kinds.all) if kind.metric in METRICS}
    totals = digest.totals[digest.totals["kind"].isin(chosen)]
    judged = totals[totals["judged"] == 1]
    rows_of = judged if len(judged) else totals
    labels = {place: _place(tags) for place, tags in chosen.items()}
    sums: dict[str, dict[str, dict[int, int]]] = {}
    for kind, group, count in zip(*(rows_of[name].tolist() for name in ("kind", "bin", "count")), strict=True):
        operation, label = labels[kind]
        groups = sums.setdefault(operation, {}).setdefault(label, {})
        groups[group] = groups.get(group, 0) + count
    since = digest.warmup if len(judged) else 0
    ok = ok_requests(digest.requests[digest.requests["second"] >= since], len(digest.kinds.operations))
    return _operations(sums, dict(zip(digest.kinds.operations, ok.tolist(), strict=True)))


def _operations(
    sums: dict[str, dict[str, dict[int, int]]], of: Mapping[str, int] | None = None
) -> tuple[Operation, ...]:
    made = [
        Operation(name, labels.pop("", {}), labels, None if of is None else of.get(name, 0))
        for name, labels in sums.items()
    ]
    return tuple(sorted(made, key=lambda operation: (-operation.us, operation.name)))


def from_rows(found: pd.DataFrame, warmup: int) -> Attribution:
    """Build it from rows of the samples' table."""
    if found.empty:
        return Attribution()
    told = {text: _place(text) for text in found["tags"].unique()}
    table = found.assign(
        begin=found["second"] // BLOCK_S * BLOCK_S,
        operation=[told[text][0] for text in found["tags"]],
        label=[told[text][1] for text in found["tags"]],
    )
    judged = table[table["second"] >= warmup]
    summed = (judged if len(judged) else table).groupby(["operation", "label", "bin"], observed=True)["count"].sum()
    sums: dict[str, dict[str, dict[int, int]]] = {}
    for (operation, label, group), count in zip(summed.index.tolist(), summed.tolist(), strict=True):
        sums.setdefault(operation, {}).setdefault(label, {})[group] = count
    blocks = table.groupby(["begin", "operation", "label"], observed=True)["count"].sum().rename("value").reset_index()
    return Attribution(_operations(sums), blocks)


def _place(text: str) -> tuple[str, str]:
    """Give the operation and the part that tags name."""
    tags = tags_of(text)
    return tags.get("operation", ""), f"{tags['hop']}.{tags['kind']}" if "hop" in tags else ""
