"""The iterations of an optimization in order: what each step did, and what all of them did together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports.comparison.metrics import Metric
from reports.comparison.result import Row
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.comparison.result import Comparison

MEDIAN: Final = "p50"
TAIL: Final = "p95"
SHOWN: Final = (MEDIAN, TAIL, "throughput")
"""The metrics that a reader is shown the ledger of; the JSON holds it of all."""
_VERDICTS: Final = frozenset({Answer.IMPROVED, Answer.REGRESSED, Answer.EQUIVALENT})


@dataclass(frozen=True, slots=True)
class Entry:
    """One iteration, of one operation and metric.

    Attributes:
        candidate: its label.
        note: its hypothesis.
        revision: its git revision.
        operation: which operation.
        metric: which metric.
        step: against the iteration before it (of the first: against the baseline).
        cumulative: against the baseline.
    """

    candidate: str
    note: str
    revision: str
    operation: str
    metric: Metric
    step: Row
    cumulative: Row


def ledger(found: Comparison, operation: str = "", metric: str = "") -> Iterator[Entry]:
    """Give the iterations, in their order, of one operation and metric or of all; empty with a single candidate."""
    if len(found.candidates) < 2:  # noqa: PLR2004 - one candidate is no row of iterations
        return
    steps = {(row.candidate, row.operation, row.metric.name): row for row in found.steps}
    for side in found.candidates:
        for row in found.rows:
            wanted = (not operation or row.operation == operation) and (not metric or row.metric.name == metric)
            if row.candidate == side.label and wanted:
                step = steps.get((side.label, row.operation, row.metric.name), row)
                yield Entry(side.label, side.note, side.revision, row.operation, row.metric, step, row)


def followed(found: Comparison, operation: str) -> str:
    """Choose the metric whose steps are drawn: p95, or the median where there are verdicts on that alone.

    Short runs have too few requests beyond their p95 to judge it.
    """
    judged = {
        metric
        for metric in (MEDIAN, TAIL)
        for entry in ledger(found, operation, metric)
        if entry.cumulative.ruling.answer in _VERDICTS
    }
    return MEDIAN if judged == {MEDIAN} else TAIL
