"""Rules on what requests wait for inside the platform: connections, threads, queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units
from reports.diagnosis.facts import BOOKING, IDLE
from reports.diagnosis.rule import Rule, most
from reports.full import threads

if TYPE_CHECKING:
    from reports.diagnosis.facts import Facts, Over

STARVED: Final = 0.2
"""Somebody waits for a connection in this share of the seconds, or for so much of the time: the pool is too small."""
HELD_UP: Final = 0.2
"""The same of the wait for a free thread."""
PINNED_DEGREE: Final = 0.6
"""Threads that stopped growing are a sign of that wait, and not the wait itself."""
GROWN: Final = 20.0
"""Messages by which a queue must have grown."""
LAGGING_S: Final = 2.0
_TOLD: Final = 0.01


def _pools_missing(facts: Facts) -> str:
    seen = facts.over("pool_waiting", "service") or facts.parts
    return "" if seen else "no service told of its connection pool"


def _starved(facts: Facts) -> tuple[str, Over] | None:
    waiting = facts.over("pool_waiting", "service")
    name = max(waiting, key=lambda each: waiting[each].mean, default=None)
    return None if name is None or waiting[name].above < STARVED else (name, waiting[name])


def _pools(facts: Facts) -> float:
    starved = _starved(facts)
    part = sum(facts.share("pool").values())
    return max(starved[1].above if starved else 0.0, min(2 * part, 1.0) if part >= STARVED else 0.0)


def _pools_evidence(facts: Facts) -> str:
    said = []
    if starved := _starved(facts):
        name, waiting = starved
        used = facts.over("pool_in_use", "service").get(name)
        held = f"{used.peak:.3g} in use, " if used else ""
        said.append(
            f"in {waiting.above:.0%} of the seconds somebody waited for a connection of {units.plain(name, 40)}'s pool "
            f"({held}{waiting.mean:.3g} waiting on average, {waiting.peak:.3g} at most)"
        )
    parts = facts.share("pool")
    if parts and sum(parts.values()) >= _TOLD:
        said.append(f"{sum(parts.values()):.0%} of what clients waited was for a connection ({most(parts)})")
    return "; ".join(said)


POOLS: Final = Rule(
    "pool-starved",
    "a connection pool is too small",
    0.85,
    _pools_missing,
    _pools,
    _pools_evidence,
    lambda _: (
        "a pool of rate × seconds that a connection is held (Little's law) and a little more; or hold it more briefly: "
        "no call to another service inside a transaction"
    ),
)


def _threads_missing(facts: Facts) -> str:
    if facts.parts or (facts.levels and facts.over("threads_busy", "service")):
        return ""
    return "no service told of its threads, or the load did not change"


def _pinned(facts: Facts) -> list[str]:
    """Give the services whose busy threads no longer grew with the load."""
    return [each.what for each in threads(facts.levels)] if facts.levels else []


def _threads(facts: Facts) -> float:
    part = sum(facts.share("queue").values())
    return max(min(2 * part, 1.0) if part >= HELD_UP else 0.0, PINNED_DEGREE if _pinned(facts) else 0.0)


def _threads_evidence(facts: Facts) -> str:
    said = []
    parts = facts.share("queue")
    if sum(parts.values()) >= HELD_UP:
        said.append(f"{sum(parts.values()):.0%} of what clients waited was for a free thread or a core ({most(parts)})")
    said += [f"{units.plain(what, 200)} stopped growing with the load" for what in _pinned(facts)]
    if (used := facts.cores_used) is not None:
        said.append(f"the platform and its load used {used:.2f} of {counted(facts.run.machine.cores, 'core')}")
    return "; ".join(said)


def _threads_remedy(facts: Facts) -> str:
    used = facts.cores_used
    known = "find what the threads wait for: more of them (THREADS) help only where that is neither a core nor a lock"
    if used is None or used >= IDLE * facts.run.machine.cores:
        return known
    return f"{known}; the cores were not full of this run, so that another program on this machine may have had them"


THREADS: Final = Rule(
    "threads-full",
    "requests wait to be taken up",
    0.75,
    _threads_missing,
    _threads,
    _threads_evidence,
    _threads_remedy,
)


def _queues_missing(facts: Facts) -> str:
    return "" if facts.over("queue_depth", "queue") else "no service told of its queues"


def _behind(facts: Facts) -> tuple[str, Over] | None:
    grown = {name: one for name, one in facts.over("queue_depth", "queue").items() if one.last - one.first >= GROWN}
    name = max(grown, key=lambda each: grown[each].last - grown[each].first, default=None)
    return None if name is None else (name, grown[name])


def _accepted(facts: Facts) -> float:
    """Give the bookings a second; the ledger's are also those before and after what is judged, but have any name."""
    work = facts.operations.get(BOOKING)
    accepted = work.ok if work else facts.booked.accepted if facts.booked else 0
    return accepted / facts.seconds if facts.seconds else 0.0


def _queues(facts: Facts) -> float:
    behind = _behind(facts)
    if behind is None or not facts.seconds:
        return 0.0
    one = behind[1]
    rate = _accepted(facts)
    # Little's law: what waits is this many seconds of work.
    if rate and one.last / rate < LAGGING_S:
        return 0.0
    return 0.5 + 0.5 * min((one.last - one.first) / facts.seconds / rate, 1.0) if rate else 0.5


def _queues_evidence(facts: Facts) -> str:
    behind = _behind(facts)
    if behind is None:
        return ""
    name, one = behind
    text = f"the queue {units.plain(name, 40)} grew from {one.first:,.0f} to {one.last:,.0f}"
    rate = _accepted(facts)
    if rate:
        text += (
            f": {(one.last - one.first) / facts.seconds:.2g} more a second came than were handled, of {rate:.3g} booked"
        )
    age = facts.over("queue_age", "queue").get(name) or next(iter(facts.over("queue_age", "service").values()), None)
    text += f"; the oldest message was {age.peak:.0f} s old" if age and age.peak >= 1 else ""
    drain = facts.run.integrity.drain_seconds if facts.run.integrity else 0.0
    return text + (f"; it took {drain:.0f} s to drain after the load" if drain >= 1 else "")


QUEUES: Final = Rule(
    "queue-behind",
    "messages come faster than they are handled",
    0.75,
    _queues_missing,
    _queues,
    _queues_evidence,
    lambda _: "more consumers, several mails on one connection, or messages confirmed in batches",
)


RULES: Final = (POOLS, THREADS, QUEUES)
