"""Rules on the databases: rows that bookings meet on, commits, and queries that take long.

Services that share a database server tell the same figures of it: the highest counts, and not their sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports.diagnosis.facts import BOOKING, IDLE
from reports.diagnosis.rule import Rule, most

if TYPE_CHECKING:
    from reports.diagnosis.facts import Facts

CROWDED: Final = 0.5
"""So many bookings at once for each flight, and they wait for each other."""
FEW_WAITS: Final = 0.01
"""Fewer waits for a row than this a booking are none."""
MANY: Final = 4
COMMITTING: Final = 0.4
"""This share of the time in databases, on cores that are idle, is waiting for a disk."""
QUERYING: Final = 0.05
"""Slow queries a second."""


def _bookings(facts: Facts) -> float:
    """Give how many bookings were under way at once, on average."""
    work = facts.operations.get(BOOKING)
    return work.spent / facts.seconds if work and facts.seconds else 0.0


def _server(facts: Facts, metric: str) -> float | None:
    """Give the mean of a figure of the database server; None where nobody told it."""
    return max((one.mean for one in facts.over(metric, "service").values()), default=None)


def _waits(facts: Facts) -> float | None:
    """Give how often a booking waited for a row; None where no database tells."""
    waits, work = _server(facts, "db_row_lock_waits"), facts.operations.get(BOOKING)
    if waits is None or not work or not facts.seconds:
        return None
    return waits / max((work.ok + work.failed) / facts.seconds, 1e-9)


def _rows_missing(facts: Facts) -> str:
    if facts.booked is None:
        return "there is no ledger of what it booked"
    return "" if facts.booked.tried and BOOKING in facts.operations else "it booked nothing"


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


def _commits_missing(facts: Facts) -> str:
    if facts.cores_used is None:
        return "the platform's CPU was not measured"
    seen = facts.parts or facts.over("db_threads_running", "service")
    return "" if seen else "no service told how long it was in its database"


def _commits(facts: Facts) -> float:
    if facts.cores_used is None:
        return 0.0
    used = facts.cores_used / facts.run.machine.cores
    if used >= IDLE:
        return 0.0
    waits = _waits(facts)
    if waits is not None and waits >= CROWDED:  # they wait for a row, and not for the disk
        return 0.0
    part = sum(facts.share("db").values())
    if facts.parts:
        return min(2 * part * (1 - used), 1.0) if part >= COMMITTING else 0.0
    return 0.5 if (_server(facts, "db_threads_running") or 0.0) >= MANY else 0.0


def _commits_evidence(facts: Facts) -> str:
    used = facts.cores_used or 0.0
    parts = facts.share("db")
    cores = counted(facts.run.machine.cores, "core")
    if parts:
        head = f"{sum(parts.values()):.0%} of what clients waited was in databases ({most(parts)})"
    else:
        head = f"{_server(facts, 'db_threads_running') or 0.0:.3g} queries were running in the database on average"
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
    return _server(facts, "db_slow_queries") or 0.0


QUERIES: Final = Rule(
    "slow-queries",
    "single queries take very long",
    0.6,
    _queries_missing,
    lambda facts: min(0.5 + _slow(facts), 1.0) if _slow(facts) >= QUERYING else 0.0,
    lambda facts: f"{_slow(facts):.2g} slow queries a second, by the database's own count",
    lambda _: "EXPLAIN them: an index is missing, or a page of results is cut by OFFSET (profile indexed)",
)

RULES: Final = (ROWS, COMMITS, QUERIES)
