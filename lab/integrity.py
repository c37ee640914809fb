"""Integrity: what was answered, against what is in the database, on the counters and in the mail. Pure.

measurement.md §6: capacity = seats left + seats booked; every accepted booking is in the database; what is in the
database was accepted, or its answer was lost; at most one booking per key; cost = price × seats; one mail each. What
the load cancelled itself is cancelled, and its seats are given back; where that answer was lost, it may be either.
Flaws that were there before the run are not held against it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lab.facts import ACCEPTED, BOOKED, CANCELLED, REFUSED, UNKNOWN, WITHDRAWALS, Undone
from lab.model.verdict import FlightDefect, Integrity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.facts import Booking, FlightFacts, MailFacts, Row


HALF_A_CENT: Final = 0.005
EXAMPLES: Final = 5


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


def assess(ledger: Iterable[Row], flights: Sequence[FlightFacts], mail: MailFacts | None) -> Integrity:
    """Hold the ledger, the flights' counters, the bookings and the mail against each other."""
    every = list(ledger)
    undone = Undone.of(every)
    rows = [row for row in every if row.outcome not in WITHDRAWALS]
    by_flight: dict[Any, list[Row]] = {}
    for row in rows:
        by_flight.setdefault(row.flight, []).append(row)
    sums = _Sums()
    listed = all(facts.before is not None and facts.after is not None for facts in flights)
    for facts in flights:
        attempts = by_flight.get(facts.flight.id, [])
        if facts.before is None or facts.after is None:
            _by_ledger(sums, facts, attempts, undone)
        else:
            _by_list(sums, facts, attempts, undone)
    _keys_used_twice(sums, rows)
    read = {facts.flight.id for facts in flights}
    elsewhere = sum(row.outcome != REFUSED for row in rows if row.flight not in read)
    if elsewhere and flights:
        sums.notes.append(f"{elsewhere} bookings were tried on flights that the audit did not read")
    if not listed:
        sums.notes.append("the target lists no bookings: seats are checked against the load's own ledger alone")
    missing, extra = (None, None) if mail is None else _mail(every, flights, mail, sums.notes)
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
        bookings_withdrawn=len(undone.surely),
        bookings_unknown=sum(row.outcome == UNKNOWN for row in rows),
        bookings_found=sums.found,
        seats_accepted=sum(row.seats for row in accepted),
        notifications_found=0 if mail is None else sum(mail.mailed.values()),
        drain_seconds=0.0 if mail is None else round(mail.drain_seconds, 3),
        defects=tuple(sorted(sums.defects, key=lambda d: (-d.oversold, -abs(d.defect)))),
        notes=tuple(sums.notes),
    )


def _by_list(sums: _Sums, facts: FlightFacts, attempts: Sequence[Row], undone: Undone) -> None:
    before, after = facts.before or (), facts.after or ()
    capacity = facts.flight.capacity
    held_before, held_after = _held(before), _held(after)
    defect = (capacity - facts.left_after - held_after) - (capacity - facts.left_before - held_before)
    oversold = max(held_after - capacity, 0) - max(held_before - capacity, 0)
    _add_defect(sums, facts, held_after, defect, max(oversold, 0))
    known = {booking.id for booking in before}
    new = {booking.id: booking for booking in after if booking.id not in known}
    sums.found += len(new)
    accepted = _claims(attempts)
    lost = [
        row.booking
        for name, rows in accepted.items()
        for row in rows[1 if name in new and undone.may_be(new[name]) else 0 :]
    ]
    sums.missing += len(lost)
    if lost:
        sums.notes.append(
            f"flight {facts.flight.number}: answered as booked, but not in the database as a booking of its own: "
            f"{_few(lost)}"
        )
    standing = [name for name, booking in new.items() if name in undone.surely and booking.status == BOOKED]
    sums.unexpected += len(standing)
    if standing:
        sums.notes.append(
            f"flight {facts.flight.number}: answered as cancelled, but still booked in the database: {_few(standing)}"
        )
    odd = _never_asked_for(facts, accepted, new.values(), attempts)
    sums.unexpected += len(odd)
    if odd:
        sums.notes.append(
            f"flight {facts.flight.number}: in the database, but never asked for like this (seats, user or price): "
            f"{_few(odd)}"
        )


def _claims(attempts: Iterable[Row]) -> dict[Any, list[Row]]:
    """Give, by booking, the accepted attempts that were answered with it; a replayed key claims nothing new."""
    found: dict[Any, dict[tuple[str, Any], Row]] = {}
    for row in attempts:
        if row.outcome == ACCEPTED:
            found.setdefault(row.booking, {})[row.key, row.booking] = row
    return {name: list(rows.values()) for name, rows in found.items()}


def _never_asked_for(
    facts: FlightFacts, accepted: Mapping[Any, Sequence[Row]], new: Iterable[Booking], attempts: Sequence[Row]
) -> list[int | str]:
    """Give the new bookings that nobody asked for, or not with these seats, or at another price."""
    doubtful = Counter((row.user, row.seats) for row in attempts if row.outcome == UNKNOWN)
    odd = []
    for booking in new:
        asked = {(row.user, row.seats) for row in accepted.get(booking.id, ())}
        who = booking.user, booking.seats
        if not asked and booking.status == CANCELLED:
            continue  # what became of an attempt that was refused, or whose answer was lost
        if not asked and doubtful[who] > 0:
            doubtful[who] -= 1
            asked = {who}
        if who not in asked or not _priced(booking, facts.flight.price):
            odd.append(booking.id)
    return odd


def _by_ledger(sums: _Sums, facts: FlightFacts, attempts: Sequence[Row], undone: Undone) -> None:
    """Without a list of bookings: accepted ≤ seats taken ≤ accepted + unknown, less what was cancelled again."""
    kept = [row for row in attempts if row.outcome == ACCEPTED and row.booking not in undone.surely]
    most = sum(row.seats for row in kept)
    least = most - sum(row.seats for row in kept if row.booking in undone.perhaps)
    unknown = sum(row.seats for row in attempts if row.outcome == UNKNOWN)
    taken = facts.left_before - facts.left_after
    defect = min(taken - least, 0) + max(taken - most - unknown, 0)
    _add_defect(sums, facts, most, defect, max(least - facts.left_before, 0))


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
    return booking.cost is None or abs(booking.cost - price * booking.seats) < HALF_A_CENT


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
        return max(need - found, 0), max(max(made, found) - sum(most.values()), 0)
    missing = sum(max(number - mail.mailed.get(email, 0), 0) for email, number in least.items())
    by_address = Counter(mail.tickets) | Counter(mail.mailed)
    return missing, (by_address - most).total()


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
    listed = {facts.flight.id for facts in flights if facts.after is not None}
    undone = Undone.of(rows)
    for row in rows:
        if len(listed) < len(flights) and row.flight not in listed:
            most[row.email] += row.outcome in {ACCEPTED, UNKNOWN}
            least[row.email] += row.outcome == ACCEPTED and row.booking not in undone.surely | undone.perhaps
    return least, most
