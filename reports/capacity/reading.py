"""From the seconds of a run on stairs to its capacity. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.breaking import figure
from lab.capacity import FLAT, grew
from lab.errors import RunError, StoppedError
from lab.gates import generator
from lab.gates.limits import FEWEST_BEYOND
from lab.gates.observed import Observed
from lab.generator import CpuWatch
from lab.model.run import Status, Totals
from lab.model.sample import FAIL, OK, Tally
from lab.model.threshold import INTEGRITY_METRICS, Outcome, judge
from lab.model.verdict import Validity
from lab.model.words import counted
from reports.capacity.result import MISFIT, Break, Capacity, Measured
from reports.full import full, unseen
from reports.levels import SHORTEST, busiest, level
from reports.stats.knee import knee
from reports.stats.usl import FEWEST, FewPointsError, Law, Point, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.capacity import Step
    from lab.model.run import Run
    from lab.model.sample import Tick
    from lab.model.threshold import Threshold, ThresholdResult


def read(run: Run, ticks: Iterable[Tick], steps: Sequence[Step], thresholds: Sequence[Threshold]) -> Capacity:
    """Give what a run on stairs says.

    Args:
        run: the run.
        ticks: its seconds, each given once.
        steps: the plan; what was not held to its end is left out.
        thresholds: judged at each step; those on the audit's figures are the run's own and left out.

    Raises:
        StoppedError: it was stopped before even one step was held to its end.
        RunError: it ended so early for another reason.
    """
    by_second = {tick.second: tick for tick in ticks}
    judged = [threshold for threshold in thresholds if threshold.selector.metric not in INTEGRITY_METRICS]
    found = []
    for step in steps:
        seconds = [by_second[second] for second in range(step.measured, step.end) if second in by_second]
        if len(seconds) >= max(SHORTEST, step.end - step.measured - 1):
            found.append(_measured(run, step.users, seconds, judged))
    if not found:
        early = StoppedError if run.status is Status.STOPPED else RunError
        raise early(f"{run.id} ended before its first step of load was over: it says nothing of the capacity")
    measured = tuple(found)
    law, no_law = _law(measured)
    at = _plateau(measured)
    # Where the rate falls again, something else may hold it up.
    until = measured[: busiest([step.level for step in measured])[1] + 1]
    return Capacity(
        run,
        measured,
        max(measured, key=lambda step: step.level.rate),
        None if at is None else measured[at],
        law,
        no_law,
        _no_peak(measured, law, no_law),
        knee([step.users for step in measured], [step.level.rate for step in measured]),
        () if at is None else full(tuple(step.level for step in until), run.machine.cores),
        unseen(measured[-1].level.gauges),
        tuple(_break(threshold, place, measured) for place, threshold in enumerate(judged)),
    )


def _measured(run: Run, users: int, seconds: Sequence[Tick], thresholds: Sequence[Threshold]) -> Measured:
    ticks = [replace(tick, second=number) for number, tick in enumerate(seconds)]
    whole, cpu = Tally(), CpuWatch()
    for tick in ticks:
        whole.add(tick)
        cpu.add(tick)
    observed = Observed(run.scenario, whole, Totals.of(whole), cpu.shares, {}, 0)
    held_up = [
        finding.sentence
        for gate in (generator.cpu, generator.late)
        for finding in gate(observed)
        if finding.level is Validity.INVALID
    ]
    judged = tuple(_judged(threshold, whole) for threshold in thresholds)
    return Measured(users, level(float(users), ticks), judged, "; ".join(held_up))


def _judged(threshold: Threshold, whole: Tally) -> ThresholdResult:
    """Hold a threshold against a step; a percentile that rests on too few samples is no data."""
    actual, unit = whole.measure(threshold)
    if threshold.aggregation == "p" and threshold.argument is not None:
        samples = sum(whole.histogram(threshold.selector, outcome, None).count for outcome in (OK, FAIL))
        if round(samples * (1 - threshold.argument / 100), 6) < FEWEST_BEYOND:
            return judge(threshold, None, unit, "too few samples")
    return judge(threshold, actual, unit)


def _plateau(steps: Sequence[Measured]) -> int | None:
    """Give the first step that none after it grew beyond, where there are enough of them to tell."""
    users, rates = [step.users for step in steps], [step.level.rate for step in steps]
    for place in range(len(steps) - FLAT):
        if not any(grew(users, rates, place, later) for later in range(place + 1, len(steps))):
            return place
    return None


def _law(steps: Sequence[Measured]) -> tuple[Law | None, str]:
    try:
        return fit([Point(step.users, step.level.rate, step.level.error) for step in steps]), ""
    except FewPointsError:
        return None, (
            f"{counted(len(steps), 'step')} can have no law: it takes {FEWEST} in which something was answered; "
            "give --steps more of them where the rate still grows"
        )


def _no_peak(steps: Sequence[Measured], law: Law | None, no_law: str) -> str:
    """Say why no peak may be claimed."""
    if law is None:
        return no_law
    first, top = steps[0].users, steps[-1].users
    held_up = next((step for step in steps if step.generator), None)
    if held_up is not None:
        said = f"from {held_up.users} users on the load generator was the limit, and not the platform alone"
    elif law.misfit > MISFIT:
        said = f"the law is {law.misfit:.0%} off at one of the steps: it does not describe this platform"
    elif not law.peaks:
        said = "κ may be 0, by its interval"
    elif law.peak.value > top:
        said = f"the law puts it at {law.peak.value:,.0f} users, and {top} is the most that was measured"
    elif law.peak.value < first:
        said = f"the law puts it below {first} user{'s' * (first > 1)}, and that is the least that was measured"
    elif not _falls(steps):
        said = "no step after the best is surely slower, so that a plateau describes them as well"
    else:
        return ""
    return said


def _falls(steps: Sequence[Measured]) -> bool:
    """Tell whether the rate falls after the best step.

    A queue behind one full resource has a sharp bend and a flat plateau, which the law can only follow with a κ.
    """
    place = max(range(len(steps)), key=lambda number: steps[number].level.rate)
    return any(step.surely_below(steps[place]) for step in steps[place + 1 :])


def _break(threshold: Threshold, place: int, steps: Sequence[Measured]) -> Break:
    outcomes = [(step, step.judged[place]) for step in steps if step.judged[place].outcome is not Outcome.NO_DATA]
    blind = tuple(step.users for step in steps if step.judged[place].outcome is Outcome.NO_DATA)
    failed = next((n for n, (_, result) in enumerate(outcomes) if result.outcome is Outcome.FAIL), None)
    if failed is None:
        return Break(str(threshold), outcomes[-1][0] if outcomes else None, None, unjudged=blind)
    step, result = outcomes[failed]
    return Break(
        str(threshold),
        outcomes[failed - 1][0] if failed else None,
        step,
        figure(result.actual or 0.0, result.unit),
        again=any(later.outcome is Outcome.PASS for _, later in outcomes[failed + 1 :]),
        unjudged=blind,
    )
