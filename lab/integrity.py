"""Integrity: what was answered, against what is in the database, on the counters and in the mail. Pure.

measurement.md §6: capacity = seats left + seats booked; every accepted booking is in the database; what is in the
database was accepted, or its answer was lost; at most one booking per key; cost = price × seats; one mail each. Flaws
that were there before the run are not held against it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lab.model.dataset import Flight
from lab.model.verdict import FlightDefect, Integrity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


BOOKED: Final = "Booked"
CANCELLED: Final = "Cancelled"
IN_PROCESS: Final = "InProcess"
ACCEPTED: Final = "accepted"
UNKNOWN: Final = "unknown"
CENT: Final = 0.01
EXAMPLES: Final = 5


class Row(NamedTuple):
    """An attempt, as the ledger holds it."""

    outcome: str
    flight: int | str
    user: int | str
    email: str
    seats: int
    booking: int | str | None
    cost: float | None
    key: str


class Booking(NamedTuple):
    """A booking, as the platform lists it."""

    id: int | str
    user: int | str
    seats: int
    status: str
    cost: float | None


@dataclass(frozen=True, slots=True)
class FlightFacts:
    """One flight before and after the run. `None` bookings: the target has no list of them."""

    flight: Flight
    left_before: int
    left_after: int
    before: tuple[Booking, ...] | None
    after: tuple[Booking, ...] | None


@dataclass(frozen=True, slots=True)
class MailFacts:
    """Notifications of this run, counted by recipient: tickets of any state, and mails handed over."""

    tickets: Mapping[str, int]
    mailed: Mapping[str, int]
    drain_seconds: float


@dataclass(slots=True)
class _Sums:
    """What adds up over the flights."""

    oversold: int = 0
    lost: int = 0
    missing: int = 0
    unexpected: int = 0
    found: int = 0
    defects: list[FlightDefect] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_ledger(path: Path) -> Iterator[Row]:
    """Read a run's ledger; a last line that was cut off is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield Row(*json.loads(line))


def booking_of(raw: Mapping[str, Any]) -> Booking:
    """Read a booking as the platform answers it.

    Raises:
        KeyError: a key of the contract is missing.
    """
    return Booking(raw["id"], raw["userId"], raw["NoOfSeats"], raw["status"], raw.get("totalCost"))


def assess(ledger: Iterable[Row], flights: Sequence[FlightFacts], mail: MailFacts | None) -> Integrity:
    """Hold the ledger, the flights' counters, the bookings and the mail against each other."""
    rows = list(ledger)
    by_flight: dict[Any, list[Row]] = {}
    for row in rows:
        by_flight.setdefault(row.flight, []).append(row)
    sums = _Sums()
    listed = all(facts.after is not None for facts in flights)
    for facts in flights:
        attempts = by_flight.get(facts.flight.id, [])
        if facts.before is None or facts.after is None:
            _by_ledger(sums, facts, attempts)
        else:
            _by_list(sums, facts, attempts)
    _keys_used_twice(sums, rows)
    if not listed:
        sums.notes.append("the target lists no bookings: seats are checked against the load's own ledger alone")
    missing, extra = (None, None) if mail is None else _mail(rows, flights, mail, sums.notes)
    accepted = [row for row in rows if row.outcome == ACCEPTED]
    return Integrity(
        checked=bool(flights),
        seats_oversold=sums.oversold if flights else None,
        seats_lost=sums.lost if flights else None,
        bookings_missing=sums.missing if listed and flights else None,
        bookings_unexpected=sums.unexpected if listed and flights else None,
        notifications_missing=missing,
        notifications_unexpected=extra,
        flights_checked=len(flights),
        flights_sold_out=sum(facts.left_after <= 0 < facts.left_before for facts in flights),
        bookings_accepted=len(accepted),
        bookings_unknown=sum(row.outcome == UNKNOWN for row in rows),
        bookings_found=sums.found,
        seats_accepted=sum(row.seats for row in accepted),
        notifications_found=0 if mail is None else sum(mail.mailed.values()),
        drain_seconds=0.0 if mail is None else round(mail.drain_seconds, 3),
        defects=tuple(sorted(sums.defects, key=lambda d: (-d.oversold, -abs(d.defect)))),
        notes=tuple(sums.notes),
    )


def _by_list(sums: _Sums, facts: FlightFacts, attempts: Sequence[Row]) -> None:
    before, after = facts.before or (), facts.after or ()
    capacity = facts.flight.capacity
    held_before, held_after = _held(before), _held(after)
    defect = (capacity - facts.left_after - held_after) - (capacity - facts.left_before - held_before)
    oversold = max(held_after - capacity, 0) - max(held_before - capacity, 0)
    _add_defect(sums, facts, held_after, defect, max(oversold, 0))
    known = {booking.id for booking in before}
    new = {booking.id: booking for booking in after if booking.id not in known}
    sums.found += len(new)
    accepted = {row.booking: row for row in attempts if row.outcome == ACCEPTED}
    lost = [name for name in accepted if name not in new and name not in known]
    sums.missing += len(lost)
    if lost:
        sums.notes.append(f"flight {facts.flight.number}: answered as booked, but not in the database: {_few(lost)}")
    doubtful = Counter((row.user, row.seats) for row in attempts if row.outcome == UNKNOWN)
    odd: list[int | str] = []
    for booking in new.values():
        row = accepted.get(booking.id)
        if row is not None:
            if booking.seats != row.seats or booking.user != row.user or not _priced(booking, facts.flight.price):
                odd.append(booking.id)
        elif doubtful[booking.user, booking.seats] > 0:
            doubtful[booking.user, booking.seats] -= 1
        elif booking.status != CANCELLED:
            odd.append(booking.id)
    sums.unexpected += len(odd)
    if odd:
        sums.notes.append(
            f"flight {facts.flight.number}: in the database, but never asked for like this (seats, user or price): "
            f"{_few(odd)}"
        )


def _by_ledger(sums: _Sums, facts: FlightFacts, attempts: Sequence[Row]) -> None:
    """Without a list of bookings: accepted ≤ seats taken ≤ accepted + unknown."""
    accepted = sum(row.seats for row in attempts if row.outcome == ACCEPTED)
    unknown = sum(row.seats for row in attempts if row.outcome == UNKNOWN)
    taken = facts.left_before - facts.left_after
    defect = min(taken - accepted, 0) + max(taken - accepted - unknown, 0)
    _add_defect(sums, facts, accepted, defect, max(accepted - facts.left_before, 0))


def _add_defect(sums: _Sums, facts: FlightFacts, booked: int, defect: int, oversold: int) -> None:
    sums.lost += abs(defect)
    sums.oversold += oversold
    if facts.left_after < 0:
        sums.notes.append(f"flight {facts.flight.number}: {facts.left_after} seats left, below zero")
    if defect or oversold:
        flight = facts.flight
        sums.defects.append(
            FlightDefect(str(flight.id), flight.number, flight.capacity, facts.left_after, booked, defect, oversold)
        )


def _held(bookings: Iterable[Booking]) -> int:
    return sum(booking.seats for booking in bookings if booking.status != CANCELLED)


def _priced(booking: Booking, price: float) -> bool:
    return booking.cost is None or abs(booking.cost - price * booking.seats) < CENT


def _few(names: Sequence[object]) -> str:
    shown = ", ".join(str(name) for name in names[:EXAMPLES])
    return shown if len(names) <= EXAMPLES else f"{shown} and {len(names) - EXAMPLES} more"


def _keys_used_twice(sums: _Sums, rows: Iterable[Row]) -> None:
    by_key: dict[str, set[Any]] = {}
    for row in rows:
        if row.outcome == ACCEPTED:
            by_key.setdefault(row.key, set()).add(row.booking)
    extra = sum(len(bookings) - 1 for bookings in by_key.values())
    sums.unexpected += extra
    if extra:
        sums.notes.append(f"{extra} bookings came of an idempotency key that had one already")


def _mail(rows: Sequence[Row], flights: Sequence[FlightFacts], mail: MailFacts, notes: list[str]) -> tuple[int, int]:
    """Compare by recipient where the platform mails to the travellers; else by the totals."""
    least, most = expected_mail(rows, flights)
    if mail.tickets and not (least.keys() | most.keys()) & mail.tickets.keys():
        notes.append("notifications go to other addresses than the travellers': compared by their number alone")
        need, found, made = sum(least.values()), sum(mail.mailed.values()), sum(mail.tickets.values())
        return max(need - found, 0), max(made - sum(most.values()), 0)
    missing = sum(max(number - mail.mailed.get(email, 0), 0) for email, number in least.items())
    extra = sum(
        max(max(mail.tickets.get(email, 0), mail.mailed.get(email, 0)) - number, 0) for email, number in most.items()
    )
    return missing, extra


def expected_mail(rows: Sequence[Row], flights: Sequence[FlightFacts]) -> tuple[Counter[str], Counter[str]]:
    """Give the fewest and the most notifications there may be, by recipient.

    A booking that is `Booked` must be notified; one that was cancelled may have been, before it was.
    """
    emails = {row.user: row.email for row in rows}
    least: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for facts in flights:
        if facts.after is None:
            continue
        known = {booking.id for booking in facts.before or ()}
        for booking in facts.after:
            if booking.id not in known:
                email = emails.get(booking.user, f"user {booking.user}")
                most[email] += 1
                least[email] += booking.status == BOOKED
    if any(facts.after is None for facts in flights):
        for row in rows:
            most[row.email] += row.outcome in {ACCEPTED, UNKNOWN}
            least[row.email] += row.outcome == ACCEPTED
    return least, most
