"""How a booking's notification leaves: one strategy per profile, and the publisher of the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pydantic_core import to_json
from sqlalchemy import bindparam, delete, func, select

from reference_services.booking.models import outbox
from reference_services.booking.store import write_note
from reference_services.common.clock import iso, now
from reference_services.common.errors import BusError, DatabaseError, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_services.common.bus import Publisher
    from reference_services.common.database import Database
    from reference_services.common.profile import Profile

BATCH = 500
WAITING = select(outbox.c.id, outbox.c.body).order_by(outbox.c.id).limit(BATCH)
DEPTH = select(func.count()).select_from(outbox)
SENT = delete(outbox).where(outbox.c.id.in_(bindparam("sent", expanding=True)))


def message(identity: str, subject: str, content: str, recipient: str) -> str:
    """Write a `CREATE_TICKET` message; `id` stays the same when it is delivered twice."""
    data = {
        "subject": subject,
        "content": content,
        "recepientEmail": recipient,
        "notificationTime": iso(now()),
    }
    return to_json({"service": "CREATE_TICKET", "id": identity, "data": data}).decode()


def booking_message(booking: dict[str, Any], cost: int, recipient: str) -> str:
    """Write the message that says that a booking is booked."""
    number, seats, flight = booking["id"], booking["NoOfSeats"], booking["flightId"]
    content = f"Booking {number}: {seats} seat(s) on flight {flight}, {cost} in all. Have a good flight."
    return message(f"booking-{number}", f"Booking {number} is booked", content, recipient)


class Notifier(Protocol):
    """Sends notifications."""

    def note_for_outbox(self, body: str) -> str | None:
        """Give what belongs into the booking's own transaction, or None."""

    def committed(self, body: str) -> None:
        """Hear that the transaction is committed."""

    def committed_all(self) -> None:
        """Hear that a transaction with many notes in the outbox is committed."""

    def send_alone(self, body: str) -> None:
        """Send a notification that belongs to no booking."""


class OutboxNotifier:
    """Writes the notification with the booking; a background task publishes it, after a crash too."""

    def __init__(self, database: Database, nudge: Callable[[], None]) -> None:
        self._database = database
        self._nudge = nudge

    def note_for_outbox(self, body: str) -> str | None:
        """Let the notification be written with the booking."""
        return body

    def committed(self, body: str) -> None:  # noqa: ARG002 - the strategies share one signature
        """Wake the publisher."""
        self._nudge()

    def committed_all(self) -> None:
        """Wake the publisher."""
        self._nudge()

    def send_alone(self, body: str) -> None:
        """Write it to the outbox and wake the publisher."""
        self._database.write(lambda connection: write_note(connection, body, now()))
        self._nudge()


class DirectNotifier:
    """Publishes after the commit: a crash between loses the notification (the first version's way).

    So does a bus that is away: the booking stays booked, and its client is told of a failure, as there.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def note_for_outbox(self, body: str) -> str | None:  # noqa: ARG002 - the strategies share one signature
        """Write nothing."""
        return None

    def committed(self, body: str) -> None:
        """Publish.

        Raises:
            Refusal: 500, the bus did not take it.
        """
        try:
            self._publisher.publish([body])
        except BusError as problem:
            sentence = f"Booked, but the notification is lost: {problem}."
            raise Refusal(500, sentence, {"notification": "lost"}) from problem

    def committed_all(self) -> None:
        """Do nothing: what is published straight away is in no outbox."""

    def send_alone(self, body: str) -> None:
        """Publish.

        Raises:
            Refusal: 503, the bus did not take it.
        """
        try:
            self._publisher.publish([body])
        except BusError as problem:
            sentence = f"The notification is not published: {problem}."
            raise Refusal(503, sentence, {"bus": "away"}, {"Retry-After": "1"}) from problem


class OutboxPublisher:
    """Moves notifications from the outbox to the bus, in order, in batches.

    A crash after the bus took a batch and before its rows are gone publishes it again; the reminder recognises
    a message by its `id`. While the bus is away the notifications stay where they are.
    """

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher

    def step(self) -> bool:
        """Move one batch; true when there may be more.

        Raises:
            BusError: the bus did not take all of the batch, which comes again whole.
        """
        if self._publisher.ready() is not None:
            return False
        rows = self._database.read(lambda connection: connection.execute(WAITING).all())
        if not rows:
            return False
        self._publisher.publish([row.body for row in rows])
        sent = {"sent": [row.id for row in rows]}
        self._database.write(lambda connection: connection.execute(SENT, sent))
        return len(rows) == BATCH

    def depth(self) -> int | None:
        """Count the notifications that the bus does not have yet; None when the database does not say."""
        try:
            return int(self._database.read(lambda connection: connection.execute(DEPTH).scalar_one()))
        except DatabaseError:
            return None


def notifier_of(profile: Profile, database: Database, publisher: Publisher, nudge: Callable[[], None]) -> Notifier:
    """Choose the profile's way of sending notifications."""
    return OutboxNotifier(database, nudge) if profile.notify == "outbox" else DirectNotifier(publisher)
