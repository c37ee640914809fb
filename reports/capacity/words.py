"""What a capacity says in sentences, for the terminal and for the page."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final

from lab.capacity import FLAT, grew
from lab.model.words import counted
from reports import units
from reports.capacity.result import MISFIT
from reports.full import by_tag
from reports.stats.usl import LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reports.capacity.result import Break, Capacity, Measured
    from reports.stats.usl import Law, Span

FAILING: Final = 0.01
"""A share of failures at a step that is worth a word."""
UNSURE: Final = 0.2
"""A rate whose interval is wider than this share of it, to each side, is hardly known."""
NOTHING: Final = 1e-9
"""A parameter below this is one that the search left at its limit."""
HALF_WIDTH: Final = 1.96
"""Standard errors to each side that hold the mean in 95 % of the cases."""
METHOD: Final = (
    "One run, its steps one after another: what grows with time (data, heat) looks like users. ± is 1.96 standard "
    "errors of the seconds within a step, neighbours' likeness counted in; two runs differ by more. The law is "
    "Gunther's, X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), fitted by weighted least squares, its intervals by profile "
    "likelihood. The knee is Kneedle's, a cross-check. Latencies are service times."
)


def headline(found: Capacity) -> str:
    """Say in a sentence or two how far it scales and what stops it."""
    top, most = found.steps[-1], found.most
    name = found.run.profile or found.run.target.name
    limited = found.limited
    if not most.level.rate:
        return f"{name} answered nothing well at any step: {units.percent(top.level.failed)} of the requests failed."
    if limited is not None:
        said = f"{name}: from {counted(limited.users, 'user')} on the load generator was the limit: {limited.generator}"
        return f"{said}. Up to there it answered {rate(_before(found, limited))} at most."
    if found.plateau is None:
        return f"{name} {_unsettled(found.steps)}"
    if found.plateau is found.steps[0]:
        flat = f"{name} answers no more than with {counted(found.plateau.users, 'user')}: {rate(found.plateau)}"
    else:
        flat = f"{name} scales up to {counted(found.plateau.users, 'user')}: {rate(found.plateau)}"
    if top.users > found.plateau.users:
        flat += f"; with {top.users:,} users it is {rate(top)}"
        if found.plateau.level.median and top.level.median:
            flat += f", while the median goes from {units.duration(found.plateau.level.median)} to "
            flat += units.duration(top.level.median)
    if top.level.failed > FAILING:
        flat += f"; {units.percent(top.level.failed)} of the requests with {counted(top.users, 'user')} failed"
    return f"{flat}. Full there: {found.full[0].what}." if found.full else f"{flat}. {stopped_by(found)}"


def _unsettled(steps: Sequence[Measured]) -> str:
    """Say how far it came where there is no plateau."""
    top = steps[-1]
    if len(steps) == 1:
        return f"was held with {counted(top.users, 'user')} alone, {rate(top)}: one step says nothing of how it scales."
    numbers, rates = [step.users for step in steps], [step.level.rate for step in steps]
    if grew(numbers, rates, max(range(len(steps) - 1), key=rates.__getitem__), len(steps) - 1):
        return f"still grew at the last step, {rate(top)}: give it more steps to see where that ends."
    return f"had not settled at the last step, {rate(top)}: it takes {FLAT} steps without growth to tell a plateau."


def caution(found: Capacity) -> str:
    """Say what keeps the steps from being trusted; "" where nothing does."""
    unsure = [step for step in found.steps if HALF_WIDTH * step.level.error > UNSURE * step.level.rate]
    said = []
    if unsure:
        which = "at every step" if len(unsure) == len(found.steps) else f"with {users(step.users for step in unsure)}"
        said.append(
            f"The rate {which} is known to {UNSURE:.0%} at best, so that what follows from it is a guess: something "
            "else works on this machine, or the steps are too short (--hold 30s)."
        )
    if dips := found.dips:
        said.append(
            f"With {users(step.users for step in dips)} the rate was surely lower than with fewer and than with more: "
            "not the users did that, and it may have been at work at other steps. Run it again on a quiet machine."
        )
    return " ".join(said)


def users(numbers: Iterable[int]) -> str:
    """Write some numbers of users: `1, 4, 16 users`."""
    named = [f"{number:,}" for number in numbers]
    return f"{', '.join(named)} user{'s' * (named != ['1'])}"


def _before(found: Capacity, limited: Measured) -> Measured:
    before = [step for step in found.steps if step.users < limited.users]
    return max(before or [limited], key=lambda step: step.level.rate)


def stopped_by(found: Capacity) -> str:
    """Say what was full at the plateau."""
    if found.plateau is None:
        return "No plateau was reached, so that nothing is said to be full."
    if found.full:
        return f"Full there: {'; '.join(each.what for each in found.full)}."
    if found.limited is not None:
        return "Nothing of the platform is said to be full, since the load generator was the limit."
    if found.unseen:
        return f"Nothing that was looked at was full; not looked at: {', '.join(found.unseen)}."
    used = sum(by_tag(found.plateau.level.gauges, "cpu", "process").values())
    cores = counted(found.run.machine.cores, "core")
    return (
        f"Nothing that the probes look at was full (the platform and its load used {used:.2f} of {cores}): a lock, a "
        "disk or a wait that no probe sees holds it up, or another program on this machine."
    )


def rate(step: Measured) -> str:
    """Write a step's rate with its spread: `187 requests/s ± 4`."""
    text = f"{step.level.rate:,.3g}" if step.level.rate < 1000 else f"{step.level.rate:,.0f}"  # noqa: PLR2004 - digits
    return f"{text} requests/s{plus_minus(step)}"


def plus_minus(step: Measured) -> str:
    """Write the half width of the interval that a step's rate lies in; "" where it is not known."""
    half = HALF_WIDTH * step.level.error
    return f" ± {half:.2g}" if isfinite(half) and half < 100 else f" ± {half:,.0f}" if isfinite(half) else ""  # noqa: PLR2004 - digits


def law_lines(law: Law) -> Iterator[tuple[str, str]]:
    """Give the law's parameters, each with its interval."""
    yield "λ, the rate of one user", f"{span(law.one)}/s"
    yield "σ, done one at a time", span(law.contention)
    yield "κ, each two cost each other", span(law.crosstalk)
    yield "furthest from a step", f"{law.misfit:.1%}" + ("" if law.misfit <= MISFIT else ": it does not describe them")


def span(found: Span) -> str:
    """Write an estimate and its interval: `44.3 (41.2 to 47.9)`."""
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})"


def number(value: float) -> str:
    """Write a number with three figures that count."""
    if not isfinite(value):
        return "any number"
    return f"{value:,.3g}" if abs(value) >= NOTHING else "0"


def peak(found: Capacity) -> str:
    """Say where the rate is highest by the law, or why that is not claimed."""
    law = found.law
    if law is None or found.no_peak:
        return f"No peak is claimed: {found.no_peak}."
    return (
        f"By the law the rate is highest with {span(law.peak)} users ({LEVEL:.0%} interval), "
        f"{number(law.rate(law.peak.value))}/s, and falls beyond that."
    )


def bend(found: Capacity) -> str:
    """Say where the curve bends, by kneed."""
    if found.knee is None:
        return "Kneedle finds no knee."
    step = next(step for step in found.steps if step.users == found.knee)
    return f"Kneedle's knee is at {counted(step.users, 'user')}, {rate(step)}."


def broken(found: Break) -> str:
    """Say at how many users and at which rate a threshold broke."""
    if found.broke is None:
        if found.held is None:
            return "not judged: no step has the samples that it takes"
        every = "every step" if not found.unjudged else "every step that was judged"
        said = f"held at {every}, up to {counted(found.held.users, 'user')} and {rate(found.held)}"
    else:
        held = f"held with {counted(found.held.users, 'user')} ({rate(found.held)})" if found.held else "never held"
        said = f"{held}, broke with {counted(found.broke.users, 'user')} ({rate(found.broke)}): it was {found.figure}"
        said += "; a later step met it once more" if found.again else ""
    return said + (f"; too few samples with {users(found.unjudged)}" if found.unjudged else "")
