"""Thresholds that end a run (k6's abortOnFail), and how high an arrival rate could be raised before that. Pure.

A threshold judges all that was measured so far, and so it is missed some time after the platform has given way. Where
it gave way is looked up afterwards: the same thresholds over ten seconds at a time.
"""

from __future__ import annotations

from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING, Final

from lab.gates.observed import iterations
from lab.model.threshold import Outcome, judge
from lab.model.verdict import Breaking, Crossing
from lab.steady import primed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.model.sample import Tally, Tick
    from lab.model.scenario import Scenario
    from lab.model.threshold import Threshold

WINDOW: Final = 10
"""Seconds that are judged at a time."""
_MINUTE: Final = 60


def crossing(thresholds: Iterable[Threshold], tally: Tally, second: int) -> Crossing | None:
    """Give the first threshold with abortOnFail that is not met; no data is no reason to end a run.

    Args:
        thresholds: those without abortOnFail are passed over, and those whose delay is not over.
        tally: what is judged.
        second: of the run.
    """
    for threshold in thresholds:
        if threshold.abort and second >= threshold.delay:
            actual, unit = tally.measure(threshold)
            if actual is not None and judge(threshold, actual, unit).outcome is Outcome.FAIL:
                return Crossing(str(threshold), actual, unit, second)
    return None


def breaking(scenario: Scenario, ticks: Iterable[Tick], until: int, warmup: int = 0) -> Breaking:
    """Give the last rate of an open scenario at which its thresholds with abortOnFail were all met.

    Args:
        scenario: what was run.
        ticks: its seconds, in any order; a second may come in parts.
        until: the second that it was ended in; what comes later is the load running out.
        warmup: seconds at the beginning that judge nothing.
    """
    seconds: list[list[Tick]] = [[] for _ in range(max(until - warmup, 0))]
    for tick in ticks:
        if warmup <= tick.second < until:
            seconds[tick.second - warmup].append(replace(tick, second=0))
    # A delay keeps a run from ending too early; what the seconds before it measured is true all the same.
    judging = [replace(threshold, delay=0.0) for threshold in scenario.thresholds if threshold.abort]
    last = top = Breaking(None)
    broke: Crossing | None = None
    for end in range(1, len(seconds) + 1):
        window = seconds[max(end - WINDOW, 0) : end]
        tally, width = _sum(scenario, window), len(window)
        missed = crossing(judging, tally, warmup + end)
        done = sum(iterations(tally, load).count for load in scenario.loads if load.open)
        if missed is None and done:
            planned = sum(scenario.rate_at(warmup + end - width + place + 0.5) for place in range(width)) / width
            last, broke = Breaking(done / width, planned, warmup + end), None
            top = last if top.rate is None or last.planned >= top.planned else top
        elif missed is not None and broke is None:
            broke = missed
    return top if broke is None else replace(last, crossing=broke)


def _sum(scenario: Scenario, window: Sequence[Sequence[Tick]]) -> Tally:
    tally = primed(scenario)
    for place, ticks in enumerate(window):
        for tick in ticks:
            tally.add(replace(tick, second=place))
    return tally


def said(missed: Crossing) -> str:
    """Say what was measured of a threshold: `http_req_duration p(95)<1000 was 1,430 ms`."""
    return f"{missed.threshold} was {figure(missed.actual, missed.unit)}"


def figure(actual: float, unit: str) -> str:
    """Write what a threshold measured."""
    if isinf(actual):
        return "no answer"
    if unit == "share":
        return f"{actual:.2%}"
    text = f"{actual:,.0f}" if actual >= 100 else f"{actual:,.3g}"  # noqa: PLR2004 - three figures count
    return f"{text} {unit}" if unit == "ms" else text + unit


def clock(second: int) -> str:
    """Write a time of the run: `3:12`."""
    return f"{second // _MINUTE}:{second % _MINUTE:02}"


def answer(found: Breaking) -> str:
    """Say how high the rate could be raised."""
    if found.rate is None:
        if found.crossing is None:
            return "no rate was tried"
        return f"no rate held: at {clock(found.crossing.second)} {said(found.crossing)}"
    rate = f"{found.rate:,.3g} iterations/s (planned {found.planned:,.3g}) at {clock(found.second)}"
    if found.crossing is None:
        return f"did not break up to {rate}"
    return f"the last rate that held: {rate}; at {clock(found.crossing.second)} {said(found.crossing)}"
