"""Rules on the load: seats, hashing, set-up, ramp, hold, the hot row. The limits are those of the run's own gates."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

from lab.lint.routine import HASH_S, PLAIN_S
from lab.model.lint import Remark, Severity
from lab.model.words import counted
from lab.validity import AUTH_OPERATIONS, AUTH_SHARE, RAMP_SHARE, ROWS_PER_USER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.plan import Plan

HOLD_SHARE: Final = 0.1
SPREAD: Final = 1.2
"""How much wider than its mean alone would have it the number of seats of a booking spreads."""
_ASSUMED: Final = f"at about {HASH_S * 1000:g} ms for a sign-up or sign-in and {PLAIN_S * 1000:g} ms for all else"


def seats(plan: Plan) -> Iterator[Remark]:
    """The plan asks for more seats than there are, on all flights together or on the smallest of them."""
    scenario, does, supply = plan.scenario, plan.does, plan.supply
    if not plan.seats or not supply.flights:
        return
    asked = (
        f"{scenario.user_seconds:,.0f} user-seconds ÷ {does.cycle:.3g} s = {plan.iterations:,.0f} iterations, "
        f"× {does.seats:g} seats = {plan.seats:,.0f} seats"
    )
    if plan.seats > supply.total:
        sentence = (
            f"{asked}; there are {supply.total:,.0f} ({supply.words}). At {plan.bookings_a_second:.3g} "
            f"bookings/s at the peak they run out after {plan.sold_out_after():.0f} of {scenario.duration:.0f} s"
        )
        yield _unless_meant(plan, Remark("seats-run-out", Severity.ERROR, sentence, _more_seats(plan)))
        return
    each = plan.seats / supply.flights
    number = plan.bookings or plan.iterations
    most = each + 3 * sqrt(number / supply.flights) * (plan.seats / number) * SPREAD
    if most > supply.fewest:
        sentence = (
            f"{asked}; that is {each:,.0f} a flight, and by chance up to {most:,.0f}, where the smallest flight has "
            f"{supply.fewest:,}: some flights run out before the end"
        )
        yield _unless_meant(plan, Remark("seats-run-out", Severity.WARNING, sentence, _more_seats(plan)))


def _more_seats(plan: Plan) -> str:
    fewest = max(plan.scenario.data.seats[0], 1)
    needed = ceil(plan.seats * 1.25 / fewest)
    where = "spread the bookings over" if plan.does.flights == "one" else "give it"
    return (
        f"{where} {needed:,} flights of {fewest:,} seats or more ([data] flights = {needed}), or make the load smaller"
    )


def hashing(plan: Plan) -> Iterator[Remark]:
    """Sign-up and sign-in take more than half of all service time."""
    does = plan.does
    if does.busy and does.hashing / does.busy > AUTH_SHARE:
        number = sum(does.requests.get(operation, 0.0) for operation in AUTH_OPERATIONS)
        yield Remark(
            "password-hashing",
            Severity.WARNING,
            f"{number:g} × {HASH_S * 1000:g} ms of hashing in {does.busy * 1000:.3g} ms of service an iteration: "
            f"{does.hashing / does.busy:.0%} ({_ASSUMED}); this measures bcrypt",
            "take travellers of the pool (self.data.next_member()), whose tokens were fetched before the load",
        )


def set_up(plan: Plan) -> Iterator[Remark]:
    """Users are made, or signed in anew, in every iteration: set-up is measured as if it were load."""
    requests = plan.does.requests
    made = requests.get("signup", 0.0)
    entered = sum(requests.get(operation, 0.0) for operation in AUTH_OPERATIONS if operation != "signup")
    if made or entered >= 1:
        yield Remark(
            "set-up-inside",
            Severity.ERROR,
            f"{plan.iterations:,.0f} iterations × ({made:g} sign-up + {entered:g} sign-in) = "
            f"{plan.iterations * (made + entered):,.0f} requests of set-up, measured as if they were load",
            "seed the users before ([data] users = …), and sign in once for many iterations, as people do",
        )


def ramp(plan: Plan) -> Iterator[Remark]:
    """All users come within a tenth of the run."""
    scenario = plan.scenario
    full = scenario.loads[0].full_after
    gentle = max(ceil(scenario.duration * RAMP_SHARE), 1)
    if scenario.peak > 1 and full < RAMP_SHARE * scenario.duration:
        yield Remark(
            "no-ramp",
            Severity.WARNING,
            f"all {scenario.peak} users are there after {full:g} of {scenario.duration:g} s "
            f"({full / scenario.duration:.0%}): cold caches and first connections are measured with the rest",
            f'begin with a stage like {{duration = "{gentle}s", target = {scenario.peak}}}',
        )


def hold(plan: Plan) -> Iterator[Remark]:
    """The highest number of users is held for less than a tenth of the run."""
    scenario = plan.scenario
    seconds = scenario.loads[0].held
    if seconds < HOLD_SHARE * scenario.duration:
        yield Remark(
            "no-hold",
            Severity.WARNING,
            f"the peak of {scenario.peak} users is held for {seconds:g} of {scenario.duration:g} s "
            f"({seconds / scenario.duration:.0%}): a percentile mixes every load on the way there",
            f'add a stage that stays at the peak: {{duration = "1m", target = {scenario.peak}}}',
        )


def hot_row(plan: Plan) -> Iterator[Remark]:
    """Few flights for many requests at once: the test measures who waits for a row."""
    does = plan.does
    if does.flights == "none":
        return
    flights, needed = plan.supply.flights, ROWS_PER_USER * plan.at_once
    if flights < needed:
        remark = Remark(
            "hot-row",
            Severity.WARNING,
            f"{plan.scenario.peak} users ÷ {does.cycle:.3g} s × {does.busy * 1000:.3g} ms = {plan.at_once:.2g} "
            f"requests at once, on {counted(flights, 'flight')}; an even load needs {ceil(needed)} ({_ASSUMED})",
            f"spread the bookings over {ceil(needed)} flights or more, or say contention = true if it is meant",
        )
        yield _unless_meant(plan, remark)


def _unless_meant(plan: Plan, remark: Remark) -> Remark:
    if not plan.scenario.contention:
        return remark
    return Remark(remark.code, Severity.NOTE, f"{remark.sentence}; as it is meant to be (contention = true)")
