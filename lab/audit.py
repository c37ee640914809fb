"""The audit's eyes: read flights, bookings, tickets and mails from a target before and after a run."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lab import notification
from lab.errors import CallError
from lab.facts import IN_PROCESS, UNKNOWN, UNSURE, Booking, FlightFacts, MailFacts, booking_of, read_ledger
from lab.integrity import assess, expected_mail
from lab.model.verdict import Integrity
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from threading import Event

    from lab.facts import Row
    from lab.model.dataset import Flight
    from lab.notification import Delivery
    from lab.platform import Client

PAGE: Final = 1000
AT_ONCE: Final = 4
POLL_S: Final = 0.3
SETTLE_LIMIT_S: Final = 30.0
DRAIN_LIMIT_S: Final = 120.0
STALL_LIMIT_S: Final = 15.0
SENT: Final = "SUCCESS"
_DOUBTFUL: Final = {UNKNOWN, UNSURE}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a target stood before the run. `None`: it could not be read, and `notes` says why."""

    left: dict[Any, int]
    bookings: dict[Any, tuple[Booking, ...]] | None
    tickets: int | None
    mails: int
    notes: tuple[str, ...] = ()


class Auditor:
    """Audits one run. `halt` ends all waiting, when the user has no patience.

    `deliveries` is, after the audit, what was mailed to whom after how long, as far as that can be seen.
    """

    def __init__(self, client: Client, flights: Sequence[Flight], halt: Event, mail_file: Path | None = None) -> None:
        self._client = client
        self._flights = flights
        self._halt = halt
        self._mail_file = mail_file
        self.deliveries: list[Delivery] = []

    def before(self) -> Snapshot:
        """Read how the target stands before the run.

        Raises:
            CallError: not even the flights can be read: there is nothing to load either.
        """
        notes: list[str] = []
        left = self._each(self._left)
        try:
            bookings: dict[Any, tuple[Booking, ...]] | None = self._each(self._bookings)
        except CallError as error:
            bookings = None
            notes.append(f"bookings cannot be listed: {error}")
        try:
            tickets: int | None = len(self._client.listing("reminder", "/tickets", page=PAGE))
        except CallError as error:
            tickets = None
            notes.append(f"notifications cannot be listed: {error}")
        return Snapshot(left, bookings, tickets, len(self._mails(0)), tuple(notes))

    def after(self, before: Snapshot, ledger: Path) -> Integrity:
        """Wait until the platform has settled, read it again, and hold everything against the ledger."""
        rows = list(read_ledger(ledger))
        notes = list(before.notes)
        try:
            facts = self._settled(before, notes, doubtful=any(row.outcome in _DOUBTFUL for row in rows))
        except CallError as error:
            return Integrity(checked=False, notes=(*notes, f"the audit could not read the target: {error}"))
        mail = self._drained(before, rows, facts, notes)
        found = assess(rows, facts, mail)
        return replace(found, notes=(*notes, *found.notes))

    def _each(self, read: Any) -> dict[Any, Any]:  # noqa: ANN401 - any of the readers below
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip([f.id for f in self._flights], pool.map(read, self._flights), strict=True))

    def _left(self, flight: Flight) -> int:
        data = self._client.get("flights", f"/flights/{flight.id}").data
        try:
            return int(data["totalSeats"])
        except (KeyError, TypeError, ValueError):
            raise CallError(f"flight {flight.number}: the answer has no totalSeats") from None

    def _bookings(self, flight: Flight) -> tuple[Booking, ...]:
        rows = self._client.listing("booking", "/bookings", query={"flightId": flight.id}, page=PAGE)
        try:
            return tuple(booking_of(row) for row in rows)
        except KeyError as error:
            raise CallError(f"flight {flight.number}: a listed booking has no {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise CallError(f"flight {flight.number}: a listed booking is not as the contract says: {error}") from None

    def _settled(self, before: Snapshot, notes: list[str], *, doubtful: bool) -> list[FlightFacts]:
        """Read bookings and counters once no booking is on its way any more.

        Where an answer was lost (`doubtful`), its request may still be at work, unseen: then two readings must agree.
        """
        end = time.monotonic() + SETTLE_LIMIT_S
        last = None
        while True:
            bookings = None if before.bookings is None else self._each(self._bookings)
            left = self._each(self._left)
            waiting = sum(b.status == IN_PROCESS for rows in (bookings or {}).values() for b in rows)
            still = not doubtful or last == (bookings, left)
            if (still and not waiting) or time.monotonic() > end or self._halt.wait(POLL_S):
                break
            last = bookings, left
        if waiting:
            what = counted(waiting, "booking was", "bookings were")
            notes.append(f"{what} still InProcess {SETTLE_LIMIT_S:g} s after the load")
        return [
            FlightFacts(
                flight,
                before.left[flight.id],
                left[flight.id],
                None if before.bookings is None else before.bookings[flight.id],
                None if bookings is None else bookings[flight.id],
            )
            for flight in self._flights
        ]

    def _drained(
        self, before: Snapshot, rows: list[Row], facts: list[FlightFacts], notes: list[str]
    ) -> MailFacts | None:
        """Wait until every booked one is notified, or nothing moves any more."""
        if before.tickets is None:
            return None
        needed = sum(expected_mail(rows, facts)[0].values())
        begin = moved = time.monotonic()
        seen = -1
        while True:
            try:
                tickets = self._client.listing("reminder", "/tickets", page=PAGE, offset=before.tickets)
            except CallError as error:
                notes.append(f"notifications cannot be listed: {error}")
                return None
            sent = [str(t.get("recepientEmail")) for t in tickets if t.get("status") == SENT]
            now = time.monotonic()
            if len(sent) > seen:
                seen, moved = len(sent), now
            if len(sent) >= needed or now - moved > STALL_LIMIT_S or now - begin > DRAIN_LIMIT_S:
                break
            if self._halt.wait(POLL_S):
                break
        made = Counter(str(t.get("recepientEmail")) for t in tickets)
        found = MailFacts(made, Counter(sent), now - begin)
        if self._mail_file is None:
            self.deliveries = notification.by_ticket(facts, tickets)
            return found
        mails = self._mails(before.mails)
        self.deliveries = notification.by_mail(facts, mails)
        return _with_mails(found, mails, notes)

    def _mails(self, skip: int) -> list[dict[str, Any]]:
        if self._mail_file is None or not self._mail_file.exists():
            return []
        with self._mail_file.open(encoding="utf-8") as lines:
            return [json.loads(line) for number, line in enumerate(lines) if number >= skip and line.endswith("\n")]


def _with_mails(found: MailFacts, mails: list[dict[str, Any]], notes: list[str]) -> MailFacts:
    """Where the lab keeps the mail itself, a ticket that says it was sent is believed only with its mail."""
    distinct = {(mail["message_id"], to) for mail in mails for to in mail["recipients"]}
    repeated = sum(len(mail["recipients"]) for mail in mails) - len(distinct)
    if repeated:
        notes.append(f"{repeated} mails came again with the Message-ID of an earlier one")
    arrived = Counter(to for _, to in distinct)
    return MailFacts(Counter(found.tickets) | arrived, Counter(found.mailed) & arrived, found.drain_seconds)
