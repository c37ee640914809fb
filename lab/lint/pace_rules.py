"""Rules on who sets the pace: users of an open load, their think time, a limit of requests, and a warm-up."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from lab.lint import plan as figures
from lab.lint.routine import ASSUMED
from lab.model.lint import Remark, Severity
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.part import Part
    from lab.lint.plan import Plan
    from lab.model.load import Load

LONGEST_WARMUP: Final = 0.5
"""The share of the run, or of the time at its peak, that a warm-up may take."""


def too_few_users(plan: Plan) -> Iterator[Remark]:
    """The users of an open load cannot begin as many iterations as its highest rate asks for."""
    for part in plan.parts:
        load = part.load
        if load.open and part.needed > load.max_vus:
            what = "wait for one, ever longer" if load.waits else "find no free user, and be dropped"
            carried = load.max_vus / part.does.inside
            short = carried < load.top / load.time_unit
            carry = f"carry {carried:,.3g}/s at most" if short else "are too few for arrivals at random"
            yield Remark(
                "too-few-users",
                Severity.ERROR,
                f"{_busy(part)}; maxVUs = {load.max_vus:,} {carry}: arrivals would {what}",
                f"give it maxVUs = {part.needed * 2} or more (a platform under load takes longer), or a lower rate",
            )


def pre_allocated(plan: Plan) -> Iterator[Remark]:
    """Fewer users are there from the beginning than the highest rate needs: the others are made in mid-run."""
    for part in plan.parts:
        load = part.load
        if load.open and load.pre_allocated < part.needed <= load.max_vus:
            yield Remark(
                "pre-allocated",
                Severity.NOTE,
                f"{_busy(part)}; preAllocatedVUs = {load.pre_allocated}, so that the others are made during the load",
                f"give it preAllocatedVUs = {part.needed} or more",
            )


def _busy(part: Part) -> str:
    load, does = part.load, part.does
    rate = load.top / load.time_unit
    average = rate * does.inside
    chance = f", and {part.needed:,} by chance" if part.needed > ceil(round(average, 6)) > 0 else ""
    return (
        f"{part.mark}{rate:,.4g}/s × {does.inside:.3g} s an iteration = {average:.3g} users busy at once"
        f"{chance}, on a platform that answers at once ({ASSUMED})"
    )


def think(plan: Plan) -> Iterator[Remark]:
    """The users of an open load have a think time, which is not used: the schedule says when they begin."""
    for part in plan.parts:
        if part.load.open and part.does.think:
            yield Remark(
                "think-in-open",
                Severity.NOTE,
                f"{part.mark}{part.load.user_class} thinks for {part.does.think:g} s between two iterations; "
                f"{part.load.executor} begins them by its schedule and lets nobody think",
            )


def rps_caps(plan: Plan) -> Iterator[Remark]:
    """The limit of requests a second is below what the load asks for, so that the limit makes the run's rate."""
    rps, asked = plan.scenario.rps, plan.requests_a_second
    if not rps or rps >= asked:
        return
    moment = plan.busiest(figures.requests)
    where = " + ".join(
        f"{part.mark}{part.rate_words(moment)} × {counted(1, 'request') if each == 1 else f'{each:.3g} requests'}"
        for part in plan.parts
        if (each := figures.requests(part)) and part.rate_at(moment)
    )
    late = "; what an open load begins on time would wait in its user" if plan.scenario.open else ""
    yield Remark(
        "rps-caps",
        Severity.WARNING,
        f"{where} = {asked:,.4g} requests/s at the peak; rps = {rps:g} lets {rps / asked:.0%} of them through{late}",
        "raise rps, take it out, or make the load smaller",
    )


def warmup_eats(plan: Plan) -> Iterator[Remark]:
    """The warm-up, which judges nothing, takes more than half of the run, or of the time at its peak."""
    scenario = plan.scenario
    cut, length = scenario.warmup, scenario.duration
    if not cut:
        return
    remedy = "make the warm-up shorter, or the run longer"
    if cut > LONGEST_WARMUP * length:
        level = Severity.ERROR if cut >= length else Severity.WARNING
        sentence = (
            f"the warm-up takes {cut:g} of {length:g} s ({cut / length:.0%}): {max(length - cut, 0):g} s are left"
        )
        yield Remark("warmup-eats", level, f"{sentence} to judge", remedy)
    elif len(plan.parts) == 1:
        load = plan.parts[0].load
        eaten = sum(max(min(cut, end) - begin, 0.0) for begin, end in _at_the_top(load))
        if eaten > LONGEST_WARMUP * load.held:
            yield Remark(
                "warmup-eats",
                Severity.WARNING,
                f"the warm-up of {cut:g} s takes {eaten:g} of the {load.held:g} s at the peak of "
                f"{load.amount(load.top)}: what is judged is the way there and down again",
                remedy,
            )


def _at_the_top(load: Load) -> Iterator[tuple[float, float]]:
    """Give when the holds at the highest number begin and end, in seconds of the run."""
    begin, before = load.start_time, load.start
    for stage in load.stages:
        if before == stage.target == load.top:
            yield begin, begin + stage.duration
        begin, before = begin + stage.duration, stage.target
