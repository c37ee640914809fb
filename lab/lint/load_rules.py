"""Rules on what a load is made of: set-up, hashing, ramp, hold. The limits are those of the run's own gates."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from lab.gates.limits import AUTH_OPERATIONS, AUTH_SHARE, RAMP_SHARE, SIGN_UP, seeks_its_end, sets_up
from lab.lint.routine import ASSUMED, HASH_S
from lab.model.lint import Remark, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.plan import Plan

HOLD_SHARE: Final = 0.1
_RAMPING: Final = {"constant-vus": "ramping-vus", "constant-arrival-rate": "ramping-arrival-rate"}


def hashing(plan: Plan) -> Iterator[Remark]:
    """Sign-up and sign-in take more than half of all service time."""
    whole, spent = plan.total(lambda part: part.does.busy), plan.total(lambda part: part.does.hashing)
    if not whole or spent / whole <= AUTH_SHARE:
        return
    if len(plan.parts) == 1:
        does = plan.parts[0].does
        number = sum(does.requests.get(operation, 0.0) for operation in AUTH_OPERATIONS)
        figures = f"{number:g} × {HASH_S * 1000:g} ms of hashing in {does.busy * 1000:.3g} ms of service an iteration"
    else:
        figures = f"{spent:,.0f} s of hashing in {whole:,.0f} s of service, in all loads together"
    yield Remark(
        "password-hashing",
        Severity.WARNING,
        f"{figures}: {spent / whole:.0%} ({ASSUMED}); this measures bcrypt",
        "take travellers of the pool (self.data.next_member()), whose tokens were fetched before the load",
    )


def set_up(plan: Plan) -> Iterator[Remark]:
    """Users are made, or signed in anew, in every iteration: set-up is measured as if it were load."""
    for part in plan.parts:
        requests = part.does.requests
        made = requests.get(SIGN_UP, 0.0)
        entered = sum(requests.get(operation, 0.0) for operation in AUTH_OPERATIONS if operation != SIGN_UP)
        if sets_up(made, entered):
            yield Remark(
                "set-up-inside",
                Severity.ERROR,
                f"{part.mark}{part.iterations:,.0f} iterations × ({made:g} sign-up + {entered:g} sign-in) = "
                f"{part.iterations * (made + entered):,.0f} requests of set-up, measured as if they were load",
                "seed the users before ([data] users = …), and sign in once for many iterations, as people do",
            )


def ramp(plan: Plan) -> Iterator[Remark]:
    """All users, or the whole rate, come within a tenth of the load's time."""
    for part in plan.parts:
        load = part.load
        if load.bounded or load.top <= 1 or load.full_after >= RAMP_SHARE * load.length:
            continue
        gentle = max(ceil(load.length * RAMP_SHARE), 1)
        other = _RAMPING.get(load.executor)
        yield Remark(
            "no-ramp",
            Severity.WARNING,
            f"{part.mark}all {load.amount(load.top)} are there after {load.full_after:g} of {load.length:g} s "
            f"({load.full_after / load.length:.0%}): cold caches and first connections are measured with the rest",
            (f"take {other}, and " if other else "")
            + f'begin with a stage like {{duration = "{gentle}s", target = {load.top}}}',
        )


def hold(plan: Plan) -> Iterator[Remark]:
    """The highest number of users, or the highest rate, is held for less than a tenth of the load's time."""
    for part in plan.parts:
        load = part.load
        if load.bounded or load.held >= HOLD_SHARE * load.length:
            continue
        sentence = (
            f"{part.mark}the peak of {load.amount(load.top)} is held for {load.held:g} of {load.length:g} s "
            f"({load.held / load.length:.0%}): a percentile mixes every load on the way there"
        )
        if load.open and seeks_its_end(plan.scenario):
            yield Remark("no-hold", Severity.NOTE, f"{sentence}; as a search for the rate that breaks it does")
        else:
            yield Remark(
                "no-hold",
                Severity.WARNING,
                sentence,
                f'add a stage that stays at the peak: {{duration = "1m", target = {load.top}}}',
            )
