"""The tables of a report: operations, failures by reason, checks, custom metrics."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import numpy as np

from lab.model.sample import DROPPED, FAIL, OK, RESPONSE, SERVICE
from lab.model.words import counted
from reports import custom
from reports.kinds import OUTCOMES, tags_of
from reports.quantiles import Groups
from reports.shown import HIDDEN_BELOW, WEAK_BELOW, beyond

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from reports.custom import CustomRow
    from reports.frame import RunData

SHARES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
SHARE_WITH_FAILURES: Final = 0.95
TOP_OPERATIONS: Final = 100
TOP_REASONS: Final = 50
TOP_CHECKS: Final = 200
TOP_CUSTOM: Final = 200
_PERCENT: Final = 100
_GENERATOR: Final = (
    ("generator_cpu", "CPU", 100, "% of a core"),
    ("generator_lag_p99", "lateness (p99 of a second)", 1, "ms"),
    ("generator_memory", "memory", 1, "MiB"),
)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Figure:
    """A latency in µs: None is hidden or missing and infinity "no answer"; `note` says why, or how weak it is."""

    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation's figures; percentiles are of its successful requests, by SHARES. `whole` marks the sum of all.

    `clock` is response or service where a run has both, else empty.
    """

    operation: str
    whole: bool
    count: int
    rate: float
    failed: int
    minimum: Figure
    percentiles: tuple[Figure, ...]
    maximum: Figure
    with_failures: Figure
    clock: str = ""
    dropped: int = 0

    @property
    def lost(self) -> int:
        """Count the answers that never came: of failed requests, and of those that dropped arrivals would have made."""
        return self.failed + self.dropped

    @property
    def failed_share(self) -> float:
        """Give the failures' share of all requests, 0 to 1."""
        return self.failed / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class FailureRow:
    """How often requests of one name failed for one reason."""

    operation: str
    name: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class CheckRow:
    """How often a check held."""

    check: str
    operation: str
    passed: int
    failed: int

    @property
    def share(self) -> float:
        """Give the share of checks that held, 0 to 1."""
        total = self.passed + self.failed
        return self.passed / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """The first rows of a table, and what was left out of it: how many rows, and the sum of their counts."""

    rows: tuple[Row, ...]
    left_out: int = 0
    left_out_count: int = 0


def share_name(share: float) -> str:
    """Write a percentile's name: `p95`, `p99.9`."""
    return f"p{share * _PERCENT:g}"


def operations(data: RunData) -> Table[OperationRow]:
    """Give a row for all requests together, then one per operation, the most frequent first.

    Where the run has open loads, each row is one by the response clock, and one by the service clock follows.
    """
    clocks = ((RESPONSE, data.felt), (SERVICE, data.totals)) if len(data.felt) else (("", data.totals),)
    columns = [_by_clock(data, frame, clock) for clock, frame in clocks]
    every = [[row for row in rows if row.count or row.whole] for rows in zip(*columns, strict=True)]
    ordered = [rows for rows in every if rows]
    kept, rest = ordered[: TOP_OPERATIONS + 1], ordered[TOP_OPERATIONS + 1 :]
    return Table(tuple(row for rows in kept for row in rows), len(rest), sum(rows[-1].count for rows in rest))


def _by_clock(data: RunData, frame: pd.DataFrame, clock: str) -> list[OperationRow]:
    counts = _counts(data, frame)
    names = np.argsort(-_counts(data, data.totals).sum(axis=0), kind="stable")
    by_operation = _rows(data, frame, data.operations, counts, clock=clock)
    whole = _rows(data, frame.assign(operation=0), ("all",), counts.sum(axis=1, keepdims=True), clock=clock, whole=True)
    return [*whole, *(by_operation[place] for place in names.tolist())]


def _counts(data: RunData, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Count requests by outcome (rows) and operation (columns)."""
    counts = np.zeros((len(OUTCOMES), len(data.operations)), dtype=np.int64)
    sums = frame.groupby(["outcome", "operation"])["count"].sum()
    places = sums.index.to_frame().to_numpy(dtype=np.int64)
    counts[places[:, 0], places[:, 1]] = sums.to_numpy()
    return counts


def _rows(  # noqa: PLR0913 - what a table's rows are made of
    data: RunData,
    frame: pd.DataFrame,
    names: tuple[str, ...],
    counts: NDArray[np.int64],
    *,
    clock: str,
    whole: bool = False,
) -> list[OperationRow]:
    groups = Groups.of(frame[frame["outcome"] == OUTCOMES.index(OK)], "operation")
    place = {key: position for position, key in enumerate(groups.keys.tolist())}
    failed = counts[OUTCOMES.index(FAIL)]
    # An arrival that found no free user is an answer that never came, like a failure (measurement.md §2).
    never = counts[OUTCOMES.index(DROPPED)] + (_never_sent(data, counts) if clock == RESPONSE else 0)
    lost = failed + never
    columns = [groups.percentile(share).tolist() for share in SHARES]
    joint = groups.percentile_with_failures(SHARE_WITH_FAILURES, lost[groups.keys]).tolist()
    minima, maxima = groups.minima.tolist(), groups.maxima.tolist()
    rows = []
    for number, name in enumerate(names):
        at = place.get(number)
        count = int(counts[:, number].sum() - counts[OUTCOMES.index(DROPPED), number])
        ok = count - int(failed[number])
        rows.append(
            OperationRow(
                operation=name,
                whole=whole,
                count=count,
                rate=count / data.judged_seconds if data.judged_seconds else 0.0,
                failed=int(failed[number]),
                minimum=_edge(None if at is None else minima[at]),
                percentiles=tuple(
                    _figure(share, ok, None if at is None else column[at])
                    for share, column in zip(SHARES, columns, strict=True)
                ),
                maximum=_edge(None if at is None else maxima[at]),
                with_failures=_joint(count, None if at is None else joint[at]),
                clock=clock,
                dropped=int(never[number]),
            )
        )
    return rows


def _never_sent(data: RunData, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the requests that iterations would have made that found no free user: as many as those that ran did."""
    lost, ran = (float(data.judged(name, "counter")["value"].sum()) for name in ("dropped_iterations", "iterations"))
    return np.asarray(np.ceil(counts.sum(axis=0) * (lost / max(ran, 1.0))), dtype=np.int64)


def _edge(value: int | None) -> Figure:
    return Figure(None, "no request succeeded") if value is None else Figure(float(value))


def _figure(share: float, count: int, value: int | None) -> Figure:
    if value is None:
        return _edge(None)
    left = beyond(share, count)
    if left < HIDDEN_BELOW:
        of = counted(count, "successful request")
        return Figure(None, f"hidden: of {of} only {left:.3g} lie beyond {share_name(share)}; 10 are needed")
    weak = f"weak: {left:.3g} requests lie beyond {share_name(share)}; under 100, judge nothing by it"
    return Figure(float(value), weak if left < WEAK_BELOW else "")


def _joint(count: int, value: float | None) -> Figure:
    if not count:
        return Figure(None, "no request was made")
    if value is None or isinf(value):
        return Figure(inf, "too many requests failed or were dropped for this percentile to be an answer")
    left = beyond(SHARE_WITH_FAILURES, count)
    return Figure(value) if left >= HIDDEN_BELOW else Figure(None, f"hidden: only {left:.3g} requests lie beyond it")


def dropped(data: RunData) -> int:
    """Count the arrivals that found no free user."""
    return round(float(data.judged("dropped_iterations", "counter")["value"].sum()))


def failures(data: RunData) -> Table[FailureRow]:
    """Give the reasons of failures, the most frequent first; what the table cannot hold is counted."""
    sums = _sums(data.judged("failures", "counter"), "value")
    found = []
    for text, count in sums.items():
        tags = tags_of(str(text))
        found.append(
            FailureRow(
                str(tags.get("operation", "")),
                str(tags.get("name", "")),
                str(tags.get("reason", "")),
                round(float(count)),
            )
        )
    found.sort(key=lambda row: (-row.count, row.operation, row.name, row.reason))
    rest = found[TOP_REASONS:]
    return Table(tuple(found[:TOP_REASONS]), len(rest), sum(row.count for row in rest))


def checks(data: RunData) -> Table[CheckRow]:
    """Give the checks, those that failed first."""
    rows = data.judged("checks", "rate")
    hits, totals = _sums(rows, "value"), _sums(rows, "total")
    found = []
    for text, total, hit in zip(totals.index, totals, hits, strict=True):
        tags, passed = tags_of(str(text)), round(float(hit))
        found.append(
            CheckRow(str(tags.get("check", "")), str(tags.get("operation", "")), passed, round(float(total)) - passed)
        )
    found.sort(key=lambda row: (-row.failed, row.operation, row.check))
    rest = found[TOP_CHECKS:]
    return Table(tuple(found[:TOP_CHECKS]), len(rest), sum(row.passed + row.failed for row in rest))


def _sums(rows: pd.DataFrame, column: str) -> pd.Series[float]:
    return rows.groupby("tags", observed=True)[column].sum()


def custom_metrics(data: RunData) -> Table[CustomRow]:
    """Give the metrics of user code, by name and tags."""
    found = custom.rows(data.custom)
    return Table(tuple(found[:TOP_CUSTOM]), len(found[TOP_CUSTOM:]))


def generator(data: RunData) -> list[tuple[str, str]]:
    """Give how busy the load generator was: what, and its highest figure."""
    found = []
    for metric, name, factor, unit in _GENERATOR:
        values = data.metric(metric, "gauge")["value"]
        if len(values):
            found.append((name, f"{values.max() * factor:,.3g} {unit}"))
    return found
