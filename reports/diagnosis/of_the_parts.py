"""Rules on what requests wait for inside the platform: rows, connections, threads, queues, commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units
from reports.diagnosis.rule import Rule
from reports.full import LOAD, threads

if TYPE_CHECKING:
    from reports.diagnosis.facts import Facts, Over

BOOKING: Final = "booking"
CROWDED: Final = 0.5
"""So many bookings at once for each flight, and they wait for each other."""
FEW_WAITS: Final = 0.01
"""Fewer waits for a row than this a booking are none."""
STARVED: Final = 0.2
"""Somebody waits for a connection in this share of the seconds, or for so much of the time: the pool is too small."""
HELD_UP: Final = 0.2
"""The same of the wait for a free thread."""
PINNED_DEGREE: Final = 0.6
"""Threads that stopped growing are a sign of that wait, and not the wait itself."""
MANY: Final = 4
GROWN: Final = 20.0
"""Messages by which a queue must have grown."""
LAGGING_S: Final = 2.0
COMMITTING: Final = 0.4
"""This share of the time in databases, on cores that are idle, is waiting for a disk."""
IDLE: Final = 0.7
QUERYING: Final = 0.05
"""Slow queries a second."""


def _bookings(facts: Facts) -> float:
    """Give how many bookings were under way at once, on average."""
    work = facts.operations.get(BOOKING)
    return work.spent / facts.seconds if work and facts.seconds else 0.0


def _waits(facts: Facts) -> float | None:
    """Give how often a booking waited for a row; None where no database tells."""
    waits, work = facts.over("db_row_lock_waits", "service"), facts.operations.get(BOOKING)
    if not waits or not work or not facts.seconds:
        return None
    return sum(one.mean for one in waits.values()) / max((work.ok + work.failed) / facts.seconds, 1e-9)


def _rows_missing(facts: Facts) -> str:
    return "" if facts.booked and facts.booked.tried and BOOKING in facts.operations else "it booked nothing"


def _rows(facts: Facts) -> float:
    if facts.booked is None:
        return 0.0
    waits = _waits(facts)
    if waits is not None and waits < FEW_WAITS:
        return 0.0
    crowd = _bookings(facts) / max(facts.booked.rows, 1.0)
    crowded = crowd / (1 + crowd) if crowd >= CROWDED else 0.0
    return max(crowded, min(waits, 1.0) if waits is not None else 0.0)


def _rows_evidence(facts: Facts) -> str:
    rows = facts.booked.rows if facts.booked else 0.0
    text = f"{_bookings(facts):.1f} bookings at once on {rows:.3g} flight{'s' * (round(rows, 2) != 1)}"
    waits = _waits(facts)
    text += f", and {waits:.2f} waits for a row a booking" if waits is not None else ""
    meant = " (as it is meant to be: contention = true)" if facts.run.scenario.contention else ""
    return f"{text}: who books waits for who books the same flight{meant}"


ROWS: Final = Rule(
    "few-rows",
    "bookings wait for each other's rows",
    0.8,
    _rows_missing,
    _rows,
    _rows_evidence,
    lambda _: (
        "spread the bookings over more flights if the test is not about that; else hold the row more briefly: one "
        "UPDATE that counts down and checks at once, late in the transaction (profile safe)"
    ),
)


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
    if parts and sum(parts.values()) >= FEW_WAITS:
        said.append(f"{sum(parts.values()):.0%} of what clients waited was for a connection ({_most(parts)})")
    return "; ".join(said)


def _most(parts: dict[str, float]) -> str:
    return ", ".join(f"{units.plain(name, 60)} {share:.0%}" for name, share in list(parts.items())[:3])


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
        said.append(f"{sum(parts.values()):.0%} of what clients waited was for a free thread ({_most(parts)})")
    said += [f"{units.plain(what, 200)} stopped growing with the load" for what in _pinned(facts)]
    return "; ".join(said)


THREADS: Final = Rule(
    "threads-full",
    "requests wait for a free thread",
    0.75,
    _threads_missing,
    _threads,
    _threads_evidence,
    lambda _: "find what the threads wait for first; more of them (THREADS) only help where that is not a core",
)


def _queues_missing(facts: Facts) -> str:
    return "" if facts.over("queue_depth", "queue") else "no service told of its queues"


def _behind(facts: Facts) -> tuple[str, Over] | None:
    grown = {name: one for name, one in facts.over("queue_depth", "queue").items() if one.last - one.first >= GROWN}
    name = max(grown, key=lambda each: grown[each].last - grown[each].first, default=None)
    return None if name is None else (name, grown[name])


def _accepted(facts: Facts) -> float:
    return facts.booked.accepted / facts.seconds if facts.booked and facts.seconds else 0.0


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


def _cores_used(facts: Facts) -> float | None:
    """Give the share of the machine that the platform and the load used; None where it was not measured."""
    used = facts.over("cpu", "process")
    if not any(process != LOAD for process in used):
        return None
    return sum(cpu.mean for cpu in used.values()) / facts.run.machine.cores


def _commits_missing(facts: Facts) -> str:
    if _cores_used(facts) is None:
        return "the platform's CPU was not measured"
    seen = facts.parts or facts.over("db_threads_running", "service")
    return "" if seen else "no service told how long it was in its database"


def _commits(facts: Facts) -> float:
    used = _cores_used(facts)
    if used is None or used >= IDLE:
        return 0.0
    waits = _waits(facts)
    if waits is not None and waits >= CROWDED:  # they wait for a row, and not for the disk
        return 0.0
    part = sum(facts.share("db").values())
    if facts.parts:
        return min(2 * part * (1 - used), 1.0) if part >= COMMITTING else 0.0
    return 0.5 if sum(one.mean for one in facts.over("db_threads_running", "service").values()) >= MANY else 0.0


def _commits_evidence(facts: Facts) -> str:
    used = (_cores_used(facts) or 0.0) * facts.run.machine.cores
    parts = facts.share("db")
    cores = counted(facts.run.machine.cores, "core")
    if parts:
        head = f"{sum(parts.values()):.0%} of what clients waited was in databases ({_most(parts)})"
    else:
        running = sum(one.mean for one in facts.over("db_threads_running", "service").values())
        head = f"{running:.3g} queries were running in the database on average"
    return f"{head}, with {used:.2f} of {cores} in use: they wait for the disk, most of all for commits"


COMMITS: Final = Rule(
    "commit-bound",
    "the database waits for its disk",
    0.75,
    _commits_missing,
    _commits,
    _commits_evidence,
    lambda _: "fewer commits a booking (one transaction, outbox in batches), group commit, or a faster disk",
)


def _queries_missing(facts: Facts) -> str:
    return "" if facts.over("db_slow_queries", "service") else "no MySQL told of slow queries"


def _slow(facts: Facts) -> float:
    return sum(one.mean for one in facts.over("db_slow_queries", "service").values())


QUERIES: Final = Rule(
    "slow-queries",
    "single queries take very long",
    0.6,
    _queries_missing,
    lambda facts: min(0.5 + _slow(facts), 1.0) if _slow(facts) >= QUERYING else 0.0,
    lambda facts: f"{_slow(facts):.2g} slow queries a second, by the database's own count",
    lambda _: "EXPLAIN them: an index is missing, or a page of results is cut by OFFSET (profile indexed)",
)

RULES: Final = (ROWS, POOLS, THREADS, QUEUES, COMMITS, QUERIES)
