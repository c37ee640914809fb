"""Gates on where the users' time went: Little's law, and in a closed model what stalls hide (measurement.md §2, §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.gates.limits import DISTORTED, LITTLE_LIMIT
from lab.gates.observed import US, finding, iterations, spent
from lab.model.histogram import Histogram, middle
from lab.model.stage import rises
from lab.model.verdict import Finding, Validity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.gates.observed import Observed
    from lab.model.scenario import Scenario
    from lab.model.threshold import Threshold

LITTLE: Final = "Little's law"
STALLS: Final = "hidden stalls"
_JUDGED: Final = ("http_req_duration", "iteration_duration")


def little(run: Observed) -> Iterator[Finding]:
    """What users spent in iterations and between them is the time that they were there.

    X·(R̄ + Z̄)/N̄, with each factor over the same time, is the sum of iterations and think time by the users' time.
    """
    lengths = iterations(run.steady)
    present = run.steady.counter("vu_time") / US
    if not lengths.count or not present:
        return
    accounted = spent(lengths) + run.steady.counter("think_time") / US
    seconds = max(run.steady.seconds, 1)
    cycle, ratio = accounted / lengths.count, accounted / present
    # Each user's first and last iteration may stand across the edge of what was measured.
    limit = LITTLE_LIMIT + cycle / _stay(run.scenario, seconds)
    sentence = (
        f"{lengths.count / seconds:,.3g} iterations/s × {cycle:.3g} s = {accounted / seconds:,.4g} users at work, "
        f"{present / seconds:,.4g} were counted: r = {ratio:.3f}, and 1 ± {limit:.3f} is right"
    )
    if abs(ratio - 1) > limit:
        yield finding(LITTLE, f"{sentence}; time was lost or counted twice", Validity.INVALID)
    else:
        yield finding(LITTLE, sentence)


def _stay(scenario: Scenario, seconds: float) -> float:
    """Give how many seconds a user of the closed models is there on average."""
    closed = [load for load in scenario.loads if load.user_seconds]
    came = sum(load.start + rises(load.stages, load.start) for load in closed)
    return min(seconds, scenario.user_seconds / came) if came else seconds


def stalls(run: Observed) -> Iterator[Finding]:
    """Users who wait for an answer do not ask meanwhile: a stall hides itself, and low percentiles with it.

    Ω = Σ max(0, rᵢ − I)/(N·T) is the share of the users' time that iterations took beyond I, a usual one with the
    think time after it.
    """
    tally, loads = run.steady, run.scenario.loads
    closed = [load for load in loads if not load.open]
    lengths = Histogram.merged(iterations(tally, load) for load in closed)
    elsewhere = sum(spent(iterations(tally, load)) for load in loads if load.open)
    present = tally.counter("vu_time") / US - elsewhere
    if not lengths.count or present <= 0:
        return
    usual = tally.counter("think_time") / lengths.count + (lengths.percentile(0.5) or 0)
    lost = sum(max(middle(index) - usual, 0) * count for index, count in lengths.bins.items()) / US
    omega = lost / present
    opened = {load.name for load in loads if load.open}
    hidden = [
        str(threshold)
        for threshold in run.scenario.thresholds
        if dict(threshold.selector.tags).get("scenario") not in opened and _distorted(threshold, omega)
    ]
    figures = f"iterations beyond the usual {usual / US:.3g} s took {omega:.2%} of the users' time (Ω)"
    if hidden:
        yield finding(
            STALLS,
            f"{figures}, and nobody asked meanwhile: {', '.join(dict.fromkeys(hidden))} "
            f"{'judge' if len(hidden) > 1 else 'judges'} a percentile that is too low for that; "
            "ask again with an arrival-rate executor",
            Validity.SUSPECT,
        )
    else:
        yield finding(STALLS, f"closed model, service time: {figures}")


def _distorted(threshold: Threshold, omega: float) -> bool:
    share = {"med": 50.0, "p": threshold.argument}.get(threshold.aggregation)
    return threshold.selector.metric in _JUDGED and share is not None and omega > DISTORTED * (1 - share / 100)
