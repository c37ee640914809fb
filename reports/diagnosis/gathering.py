"""Gathers the facts of a run from its seconds and its ledger. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lab.facts import ACCEPTED, REFUSED, WITHDRAWALS
from lab.gates.limits import AUTH_OPERATIONS
from lab.gates.observed import REQUESTS, spent
from lab.model.histogram import Histogram
from lab.model.sample import FAIL, OK, SERVICE, SeriesKey, Tally
from lab.model.server_timing import SUMS
from reports.diagnosis.facts import Booked, Facts, Over, Work
from reports.levels import gauge, levels
from reports.shown import shown_percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.facts import Row
    from lab.model.run import Run
    from lab.model.sample import Tick

LAG: Final = "generator_lag"
ENDS: Final = 5
"""The first and the last part of a run of which a gauge's mean is taken: a fifth each."""
_US: Final = 1_000_000


def facts(run: Run, ticks: Iterable[Tick], ledger: Iterable[Row] | None) -> Facts:
    """Gather the facts of a run.

    Args:
        run: the run.
        ticks: its seconds, each given once; those of the warm-up and those after the load are left out.
        ledger: the bookings that it tried; None where there is no ledger.
    """
    until = run.scenario.duration or float("inf")
    judged = [tick for tick in ticks if run.warmup <= tick.second < max(until, run.warmup + 1)]
    whole = Tally()
    for tick in judged:
        whole.add(tick)
    return Facts(
        run,
        len(judged),
        sum(gauge(tick, "vus") for tick in judged) / max(len(judged), 1),
        _operations(whole),
        _reasons(whole),
        {finding.gate: finding for finding in (run.verdict.findings if run.verdict else ())},
        _lag(whole),
        _gauges(judged),
        levels(run, judged),
        None if ledger is None else _booked(ledger),
        _parts(whole),
        _parts(whole, AUTH_OPERATIONS),
    )


def _operations(whole: Tally) -> dict[str, Work]:
    good: dict[str, list[Histogram]] = {}
    failed: Counter[str] = Counter()
    for key, histogram in whole.trends.items():
        if key.metric != REQUESTS.metric or key.clock != SERVICE:
            continue
        name = dict(key.tags).get("operation", key.name)
        if key.outcome == OK:
            good.setdefault(name, []).append(histogram)
        elif key.outcome == FAIL:
            failed[name] += histogram.count
    found = {}
    for name in {*good, *failed}:
        merged = Histogram.merged(good.get(name, ()))
        found[name] = Work(merged.count, failed[name], spent(merged), shown_percentile(merged, 0.5))
    return found


def _reasons(whole: Tally) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for key, count in whole.counters.items():
        if key.metric == "failures":
            tags = dict(key.tags)
            found[tags.get("operation", ""), tags.get("reason", "")] += count
    return dict(found.most_common())


def _lag(whole: Tally) -> float | None:
    by_process: dict[str, list[Histogram]] = {}
    for key, histogram in whole.trends.items():
        if key.metric == LAG:
            by_process.setdefault(dict(key.tags).get("process", ""), []).append(histogram)
    found = [Histogram.merged(parts).percentile(0.99) for parts in by_process.values()]
    return max((float(value) for value in found if value is not None), default=None)


def _gauges(ticks: Sequence[Tick]) -> dict[SeriesKey, Over]:
    series: dict[SeriesKey, list[float]] = {}
    for tick in ticks:
        for key, value in tick.gauges.items():
            series.setdefault(key, []).append(value)
    return {key: over(values) for key, values in series.items()}


def over(values: Sequence[float]) -> Over:
    """Sum up a gauge's values, at least one, in their order."""
    part = max(len(values) // ENDS, 1)
    first, last = values[:part], values[-part:]
    return Over(
        sum(values) / len(values),
        max(values),
        sum(first) / part,
        sum(last) / part,
        sum(value > 0 for value in values) / len(values),
    )


def _booked(ledger: Iterable[Row]) -> Booked:
    flights: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    for row in ledger:
        if row.outcome not in WITHDRAWALS:
            flights[str(row.flight)] += 1
            outcomes[row.outcome] += 1
    tried = flights.total()
    rows = 1 / sum((count / tried) ** 2 for count in flights.values()) if tried else 0.0
    return Booked(tried, outcomes[ACCEPTED], outcomes[REFUSED], rows)


def _parts(whole: Tally, operations: tuple[str, ...] | None = None) -> dict[str, float]:
    """Give seconds by part, of all operations or of some."""
    found: Counter[str] = Counter()
    for key, histogram in whole.trends.items():
        tags = dict(key.tags)
        if key.metric == SUMS and (operations is None or tags.get("operation") in operations):
            # Its counts are µs, by the group of latencies that their requests belong to.
            found[f"{tags.get('hop', '')}.{tags.get('kind', '')}"] += histogram.count
    return {name: us / _US for name, us in found.items()}
