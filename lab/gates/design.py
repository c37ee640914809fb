"""Gates on the test itself: its samples, its shape, what it did beside its load, and what it ran out of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.gates.limits import (
    AUTH_OPERATIONS,
    AUTH_SHARE,
    DROPPED_LIMIT,
    FEWEST_BEYOND,
    FEWEST_TO_JUDGE,
    RAMP_SHARE,
    ROWS_PER_USER,
    SIGN_UP,
    seeks_its_end,
    sets_up,
)
from lab.gates.observed import REQUESTS, finding, iterations, operation, spent
from lab.model.sample import FAIL, OK
from lab.model.threshold import METRICS, MetricKind, Selector
from lab.model.verdict import Finding, Validity
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.gates.observed import Observed


def samples(run: Observed) -> Iterator[Finding]:
    """Enough samples lie beyond each percentile that a threshold judges."""
    for threshold in run.scenario.thresholds:
        if METRICS.get(threshold.selector.metric) is not MetricKind.TREND or threshold.argument is None:
            continue
        count = sum(run.steady.histogram(threshold.selector, outcome).count for outcome in (OK, FAIL))
        # Rounded, since 100 × (1 − 0.9) is a hair less than 10.
        beyond = round(count * (1 - threshold.argument / 100), 6)
        words = f"{threshold.selector} p({threshold.argument:g}) rests on {beyond:.1f} of {count:,} samples"
        if count > 0 and beyond < FEWEST_BEYOND:
            yield finding("samples", f"{words} (at least {FEWEST_BEYOND} are needed)", Validity.SUSPECT)
        elif count > 0 and beyond < FEWEST_TO_JUDGE:
            yield finding("samples", f"{words}, which is weak (it takes {FEWEST_TO_JUDGE} to judge by it)")


def shape(run: Observed) -> Iterator[Finding]:
    """Users come gradually, and stay for a while when all are there."""
    for load in run.scenario.loads:
        if load.bounded:
            continue
        if load.top > 1 and load.full_after < RAMP_SHARE * load.length:
            yield finding(
                "shape",
                f"all {load.amount(load.top)} came within {load.full_after:g} s: there was no ramp",
                Validity.SUSPECT,
            )
        if not load.held and not seeks_its_end(run.scenario):
            yield finding(
                "shape",
                f"no hold at the peak of {load.amount(load.top)}: the percentiles mix every load on the way there",
                Validity.SUSPECT,
            )


def set_up(run: Observed) -> Iterator[Finding]:
    """No user is made, and nobody signs in anew in every iteration, while it is measured."""
    total = iterations(run.steady).count
    made, entered = (
        sum(_requests(run, name) for name in names) for names in ((SIGN_UP,), set(AUTH_OPERATIONS) - {SIGN_UP})
    )
    # Where no iteration came to an end, the users did nothing but that.
    if sets_up(made, entered / max(total, 1)):
        yield finding(
            "set-up inside",
            f"{counted(made, 'sign-up')} and {counted(entered, 'sign-in')} in {counted(total, 'iteration')}: "
            "set-up was measured as if it were load",
            Validity.INVALID,
        )


def _requests(run: Observed, name: str) -> int:
    selector = Selector(REQUESTS.metric, (("operation", name),))
    return sum(run.steady.requests(selector, outcome) for outcome in (OK, FAIL))


def dropped(run: Observed) -> Iterator[Finding]:
    """Every arrival found a user that was free."""
    tally = run.steady if run.arrivals is None else run.arrivals
    opened = [load for load in run.scenario.loads if load.open]
    lost = tally.counter("dropped_iterations")
    due = lost + sum(iterations(tally, load).count for load in opened)
    if not opened or not due:
        return
    until = "" if run.arrivals is None else " up to where it broke"
    figures = f"{lost:,} of {counted(due, 'arrival')}{until} found no free user ({lost / due:.2%})"
    if lost / due > DROPPED_LIMIT:
        sentence = f"{figures}: the load was not what it says; give it more maxVUs, or a lower rate"
        yield finding("dropped arrivals", sentence, Validity.INVALID)
    else:
        yield finding("dropped arrivals", figures)


def rows(run: Observed) -> Iterator[Finding]:
    """There are many more flights than requests at once."""
    tried = sum(run.attempts.values())
    # A platform that has given way piles requests up: that is what the run was to find.
    tally = run.steady if run.arrivals is None else run.arrivals
    busy = tally.histogram(REQUESTS, OK)
    if not tried or not busy.count:
        return
    flights = 1 / sum((count / tried) ** 2 for count in run.attempts.values())
    concurrency = spent(busy) / max(tally.seconds, 1)
    spread = f"{flights:.3g} flight{'s' * (len(run.attempts) != 1)}"
    if flights < ROWS_PER_USER * concurrency:
        yield finding(
            "rows under test",
            f"a contention test: {concurrency:.1f} requests at once on {spread} "
            f"(an even load needs at least {ROWS_PER_USER * concurrency:.0f})"
            + (", as it is meant to be" if run.scenario.contention else ""),
            _unless_meant(run),
        )


def seats(run: Observed) -> Iterator[Finding]:
    """No flight ran out of seats."""
    if run.sold_out:
        yield finding(
            "seats",
            f"{counted(run.sold_out, 'flight')} ran out of seats: from then on refusals were measured, not bookings"
            + (", as it is meant to be" if run.scenario.contention else ""),
            _unless_meant(run),
        )


def _unless_meant(run: Observed) -> Validity:
    return Validity.VALID if run.scenario.contention else Validity.SUSPECT


def auth(run: Observed) -> Iterator[Finding]:
    """Password hashing is not most of what was measured."""
    whole = spent(run.steady.histogram(REQUESTS, OK))
    hashing = spent(operation(run.steady, *AUTH_OPERATIONS))
    if whole and hashing / whole > AUTH_SHARE:
        yield finding(
            "auth-bound",
            f"sign-up and sign-in took {hashing / whole:.0%} of all service time: this measures password hashing",
            Validity.SUSPECT,
        )
