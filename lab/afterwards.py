"""After the load: what of it is judged, how far it came, and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import TYPE_CHECKING, Final

from lab import judge, notification, samples_file, steady
from lab.breaking import breaking
from lab.facts import read_ledger
from lab.gates.limits import FEWEST_BEYOND, seeks_its_end
from lab.gates.observed import REQUESTS, Observed
from lab.load import LoadEnd
from lab.model.run import Run, Status, Totals
from lab.model.sample import FAIL, OK, Tally
from lab.model.verdict import Breaking, Crossing
from lab.steady import Cut, Sums
from lab.validity import gates

if TYPE_CHECKING:
    from lab.model.sample import Tick
    from lab.model.scenario import Scenario
    from lab.model.verdict import Finding, Integrity
    from lab.store import RunFolder

_STATUS: Final = {"finished": Status.FINISHED, "stopped": Status.STOPPED}


@dataclass(frozen=True, slots=True)
class Followed:
    """What the load processes left: the sums of their ticks, each one's CPU share by second, and how they ended.

    `started` is when second 0 began, empty when there was none; `missed` the threshold that it was to be ended by;
    `enough` whether it was ended since it had shown what it was to show.
    """

    sums: Sums
    cpu: Mapping[str, Sequence[float]]
    end: LoadEnd
    started: str = ""
    missed: Crossing | None = None
    enough: bool = False

    @property
    def aborted(self) -> Crossing | None:
        """Give the threshold that ended it; one that was missed when the load was at its end already ended nothing."""
        return self.missed if self.end.reason == "stopped" else None

    @property
    def status(self) -> Status:
        """Give how far the run came."""
        if self.enough and self.end.reason == "stopped" and not self.missed:
            return Status.FINISHED
        return Status.ABORTED if self.aborted else _STATUS.get(self.end.reason, Status.CRASHED)


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's sums: of the whole, of what is judged, and of what came before it broke, where a threshold ended it."""

    whole: Tally
    tally: Tally
    cut: Cut
    arrivals: Tally | None = None
    breaking: Breaking | None = None

    def add(self, delays: Sequence[Tick]) -> None:
        """Count how long the mails took, which the audit has found out."""
        notification.add(self.whole, delays)
        if self.tally is not self.whole:
            begin = self.cut.seconds
            notification.add(self.tally, [replace(t, second=t.second - begin) for t in delays if t.second >= begin])


def judged(scenario: Scenario, folder: RunFolder, load: Followed) -> Judged:
    """Find out what of a run is judged; its log is read again only where that takes more than its sums.

    Raises:
        RunError: its log cannot be read.
    """
    whole, tally = load.sums.whole, load.sums.judged
    cut = steady.found(scenario, samples_file.logged(folder), whole.seconds)
    if scenario.auto_warmup and cut.seconds:
        again = Sums(scenario, cut.seconds)
        for tick in samples_file.logged(folder):
            again.add(tick)
        tally = again.judged
    if not seeks_its_end(scenario) or not (load.aborted or _rises(scenario)):
        return Judged(whole, tally, cut)
    until = min(load.aborted.second if load.aborted else inf, whole.seconds, ceil(scenario.duration))
    found = breaking(scenario, samples_file.logged(folder), int(until), cut.seconds)
    arrivals = None
    if load.aborted:
        arrivals = steady.primed(scenario)
        for tick in samples_file.logged(folder):
            if found.rate is not None and cut.seconds <= tick.second < found.second:
                arrivals.add(replace(tick, second=tick.second - cut.seconds))
    return Judged(whole, tally, cut, arrivals, found)


def _rises(scenario: Scenario) -> bool:
    return any(load.open and load.full_after > 0 for load in scenario.loads)


def ended(run: Run, load: Followed, figures: Judged) -> Run:
    """Note in a run how its load ended."""
    return replace(
        run,
        status=load.status,
        load_started=load.started,
        totals=Totals.of(figures.whole),
        warmup=figures.cut.seconds,
        aborted=load.aborted,
        breaking=figures.breaking,
        script_errors=load.end.script_errors,
    )


def verdict(run: Run, folder: RunFolder, load: Followed, figures: Judged, integrity: Integrity | None) -> Run:
    """Judge a run whose load has ended: its thresholds, its gates, and what the audit found.

    Raises:
        RunError: its ledger cannot be read.
    """
    tally = figures.tally
    attempts: Counter[str] = Counter(str(row.flight) for row in read_ledger(folder.ledger))
    if integrity is not None:
        judge.add_integrity(tally, integrity)
    results = judge.judge_all(run.scenario.thresholds, tally)
    observed = Observed(
        run.scenario,
        figures.whole,
        run.totals,
        load.cpu,
        attempts,
        integrity.flights_sold_out if integrity else 0,
        load.end.detail,
        tally,
        figures.arrivals,
    )
    findings: tuple[Finding, ...] = (*gates(observed), *figures.cut.findings, *load.end.findings)
    measured = judge.Measured(
        run.scenario.name,
        run.status,
        findings,
        results,
        integrity,
        run.totals,
        _p95(tally),
        load.end.detail,
        run.aborted,
        run.breaking,
    )
    return replace(run, thresholds=results, integrity=integrity, verdict=judge.verdict(measured))


def _p95(tally: Tally) -> float | None:
    """Give the 95th percentile of all requests in µs, `inf` where it is no answer; None where they are too few."""
    answered, failed = tally.histogram(REQUESTS, OK, None), tally.requests(REQUESTS, FAIL)
    if (answered.count + failed) * 0.05 < FEWEST_BEYOND:
        return None
    return answered.percentile_with_failures(0.95, failed + tally.dropped(REQUESTS))
