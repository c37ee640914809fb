"""Rules on the test itself: its generator, set-up, seats and failures. What they find spoils all other figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.gates.limits import AUTH_OPERATIONS, AUTH_SHARE, LATE_LIMIT_MS
from lab.model.sample import US_PER_MS
from lab.model.verdict import Validity
from lab.model.words import counted
from reports import units
from reports.diagnosis.facts import HASH, refusal
from reports.diagnosis.rule import Rule, most

if TYPE_CHECKING:
    from reports.diagnosis.facts import Facts

CPU_GATE: Final = "generator CPU"
LATE_GATE: Final = "scheduling delay"
SEATS_GATE: Final = "seats"
FAILING: Final = 0.01
"""A share of failures that is worth a word."""
_LEAST_LATE: Final = 0.1
_TOLD: Final = 0.05
_MOST_NAMED: Final = 5
_NO_REQUESTS: Final = "no request was recorded"


def no_requests(facts: Facts) -> str:
    """Say that there are no requests to look at."""
    if facts.requests:
        return ""
    return "the file that was imported holds no samples" if facts.run.source else _NO_REQUESTS


def _generator_missing(facts: Facts) -> str:
    # A timer that fires in time tells that it kept up; its CPU gate alone, only that it did not.
    return "" if facts.lag is not None or _out_of_cpu(facts) else "nothing was recorded of how late its timer fired"


def _out_of_cpu(facts: Facts) -> bool:
    gate = facts.findings.get(CPU_GATE)
    return gate is not None and gate.level is Validity.INVALID


def _generator(facts: Facts) -> float:
    """Give the share of what was measured that the generator itself made: all, where it had no CPU left."""
    if _out_of_cpu(facts):
        return 1.0
    if facts.lag is None or facts.lag <= LATE_LIMIT_MS * US_PER_MS or not facts.median:
        return 0.0
    late = facts.lag / facts.median
    return min(late, 1.0) if late > _LEAST_LATE else 0.0


def _generator_evidence(facts: Facts) -> str:
    said = [
        f"{finding.sentence} ({finding.level})"
        for name in (CPU_GATE, LATE_GATE)
        if (finding := facts.findings.get(name)) is not None and finding.level is Validity.INVALID
    ]
    late = facts.findings.get(LATE_GATE)
    # The gate looks at all requests of the whole run, and may hold where most of the judged part came late.
    if facts.lag is not None and (late is None or late.level is not Validity.INVALID):
        share = f", {facts.lag / facts.median:.0%} of the median" if facts.median else ""
        said.append(f"its timer fired {facts.lag / US_PER_MS:.1f} ms late at p99{share}")
    gap = sum(facts.share("gap").values())
    if gap > _LEAST_LATE:
        said.append(f"{gap:.0%} of what clients waited was outside the platform")
    return "; ".join(said)


GENERATOR: Final = Rule(
    "generator-bound",
    "the load generator itself was too slow",
    1.0,
    _generator_missing,
    _generator,
    _generator_evidence,
    lambda _: "give it more load processes (--workers), another machine (run --master), or ask for less",
)


def _hashing(facts: Facts) -> float:
    share = max(facts.hashing, facts.hashed)
    return share if share > AUTH_SHARE else 0.0


def _hashing_evidence(facts: Facts) -> str:
    said = []
    if parts := facts.share(HASH):
        hashed = " and ".join(f"{units.plain(name, 60)} was {share:.0%}" for name, share in list(parts.items())[:2])
        waits = {name: us for name, us in facts.waits_of_auth.items() if us >= _TOLD}
        said.append(f"{hashed} of what clients waited" + (f" (and the wait for it: {most(waits)})" if waits else ""))
    of_it = [work for name, work in facts.operations.items() if name in AUTH_OPERATIONS]
    if of_it:
        number = sum(work.ok + work.failed for work in of_it)
        share = f"{facts.hashing:.0%} of all service time"
        said.append(f"sign-up and sign-in took {share}, in {number:,} of {facts.requests:,} requests")
    medians = ", ".join(
        f"{units.plain(name, 40)} {units.duration(work.median)}"
        for name, work in sorted(facts.operations.items(), key=lambda item: -(item[1].median or 0))[:_MOST_NAMED]
        if work.median is not None
    )
    said.append(f"medians: {medians}" if medians else "")
    cpu = facts.over("cpu", "process").get("auth")
    said.append(f"auth used {cpu.mean:.2f} of {counted(facts.run.machine.cores, 'core')}" if cpu else "")
    return "; ".join(filter(None, said))


HASHING: Final = Rule(
    "password-hashing",
    "most of what was measured is bcrypt",
    1.0,
    no_requests,
    _hashing,
    _hashing_evidence,
    lambda _: (
        "book as travellers of the pool, whose tokens were fetched before the load (scenario user-pool), and measure "
        "sign-in by itself; more sign-ins a second take more cores for auth, not another code"
    ),
)


def _seats_missing(facts: Facts) -> str:
    integrity = facts.run.integrity
    return "" if integrity is not None and integrity.checked else "no audit counted the seats"


def _sold_out(facts: Facts) -> int:
    return facts.run.integrity.flights_sold_out if facts.run.integrity else 0


def refused_share(facts: Facts) -> float:
    """Give the share of bookings that were refused."""
    return facts.booked.refused / facts.booked.tried if facts.booked and facts.booked.tried else 0.0


def _seats(facts: Facts) -> float:
    # Where it is meant, it is no trouble.
    if not _sold_out(facts) or facts.run.scenario.contention:
        return 0.0
    return 0.5 + 0.5 * refused_share(facts)


def _seats_evidence(facts: Facts) -> str:
    integrity = facts.run.integrity
    checked = integrity.flights_checked if integrity else 0
    text = f"{_sold_out(facts):,} of {counted(checked, 'flight')} sold out"
    if facts.booked:
        text += f", and {facts.booked.refused:,} of {counted(facts.booked.tried, 'booking')} were refused"
    return f"{text}: from then on refusals were measured, which are faster than bookings"


SEATS: Final = Rule(
    "seats-ran-out",
    "there were fewer seats than the load books",
    0.9,
    _seats_missing,
    _seats,
    _seats_evidence,
    lambda facts: (
        f"more flights or larger ones ([data] flights, seats), on all of which the users book; how many it takes says: "
        f"airbourne-lab lint {units.plain(facts.run.scenario.name, 80)}"
    ),
)


def _failed(facts: Facts) -> int:
    """Count failures, without the refusals of flights that were sold out."""
    failed = sum(work.failed for work in facts.operations.values())
    return max(failed - (facts.refused if _sold_out(facts) else 0), 0)


def _failing(facts: Facts) -> float:
    share = _failed(facts) / facts.requests
    return 0.5 + 0.5 * share if share > FAILING else 0.0


def _failing_evidence(facts: Facts) -> str:
    text = f"{_failed(facts):,} of {facts.requests:,} requests failed ({_failed(facts) / facts.requests:.1%})"
    told = ((key, count) for key, count in facts.reasons.items() if not (_sold_out(facts) and refusal(*key)))
    first = next(told, None)
    if first is None:
        return text
    (operation, reason), count = first
    what = f"{units.plain(operation, 40)}: {units.plain(reason, 160)}" if operation else units.plain(reason, 160)
    return f"{text}, most often {what} ({counted(count, 'time')})"


FAILURES: Final = Rule(
    "failing",
    "many requests failed",
    0.85,
    no_requests,
    _failing,
    _failing_evidence,
    lambda _: "look at the reason in the services' logs (airbourne-lab logs) first: what fails is no load",
)

RULES: Final = (GENERATOR, HASHING, SEATS, FAILURES)
