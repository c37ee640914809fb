"""Bookings in the database: a small state machine, each step one conditional statement.

    InProcess ──▶ Booked ──▶ Cancelled (seats owed) ──▶ Cancelled
        └───────────────────────▲

Every arrow is an UPDATE with the state before it in its condition, so that of several who try (the request, a
repeated request, the settler) one does it and the others see that they did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from reference_services.booking.models import BOOKED, CANCELLED, IN_PROCESS, bookings, outbox
from reference_services.common.clock import now
from reference_services.common.database import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row, Select, Update

    from reference_services.booking.models import BookingQuery
    from reference_services.common.database import Database

Booking = dict[str, Any]
BookingList = list[Booking]

INSERT = insert(bookings)
BOOK = (
    update(bookings)
    .where(bookings.c.id == bindparam("booking"), bookings.c.status == IN_PROCESS)
    .values(status=BOOKED, totalCost=bindparam("cost"), settleAt=None, updatedAt=bindparam("moment"))
)
BY_ID = select(bookings).where(bookings.c.id == bindparam("booking"))
BY_KEY = select(bookings).where(bookings.c.userId == bindparam("user"), bookings.c.idempotencyKey == bindparam("key"))
DUE = (
    select(bookings)
    .where(bookings.c.settleAt <= bindparam("moment"))
    .order_by(bookings.c.settleAt)
    .limit(bindparam("most"))
)
CANCEL = (
    update(bookings)
    .where(bookings.c.id == bindparam("booking"), bookings.c.status == bindparam("before"))
    .values(
        status=CANCELLED,
        seatsOwed=bindparam("owed"),
        settleAt=bindparam("settle"),
        updatedAt=bindparam("moment"),
    )
)
# A booking that came to nothing frees its idempotency key: who tries again may succeed.
ABANDON = CANCEL.values(idempotencyKey=None)
SETTLED = (
    update(bookings)
    .where(bookings.c.id == bindparam("booking"), bookings.c.status == CANCELLED)
    .values(seatsOwed=False, settleAt=None)
)
POSTPONE = (
    update(bookings)
    # What somebody else booked or settled meanwhile needs no settling, and would stay due for ever.
    .where(bookings.c.id == bindparam("booking"), (bookings.c.status == IN_PROCESS) | bookings.c.seatsOwed)
    .values(settleAt=bindparam("settle"))
)
NOTE = insert(outbox)


class BookingStore:
    """The bookings of this service.

    Args:
        database: where they are.
        abandon_after: when a booking that is in process counts as abandoned; None never settles it.
    """

    def __init__(self, database: Database, abandon_after: timedelta | None) -> None:
        self._database = database
        self._abandon_after = abandon_after

    def begin(self, booking: Booking) -> Booking | None:
        """Record a booking in process; None when its user's idempotency key is known already."""
        moment = now()
        due = None if self._abandon_after is None else moment + self._abandon_after
        stamps = {"createdAt": moment, "updatedAt": moment, "settleAt": due}
        row = {**booking, **stamps, "status": IN_PROCESS, "totalCost": 0, "seatsOwed": False}
        try:
            made = self._database.write(lambda connection: new_id(connection.execute(INSERT, row)))
        except IntegrityError:
            return None
        return {**row, "id": made}

    def book(self, booking: Booking, cost: int, note: str | None) -> Booking | None:
        """Make a booking in process a booked one, with its notification when one is given; None when it is neither."""
        moment = now()

        def change(connection: Connection) -> bool:
            values = {"booking": booking["id"], "cost": cost, "moment": moment}
            if not connection.execute(BOOK, values).rowcount:
                return False
            if note is not None:
                connection.execute(NOTE, {"body": note, "createdAt": moment})
            return True

        if not self._database.write(change):
            return None
        return {**booking, "status": BOOKED, "totalCost": cost, "updatedAt": moment}

    def cancel(self, booking: Booking, *, owed: bool) -> Booking | None:
        """Cancel a booked one; None when it is not booked (any more)."""
        return self._cancel(CANCEL, booking, BOOKED, owed=owed)

    def abandon(self, booking: Booking, *, owed: bool) -> Booking | None:
        """Cancel one in process; None when it is not in process (any more)."""
        return self._cancel(ABANDON, booking, IN_PROCESS, owed=owed)

    def settled(self, booking_id: int) -> None:
        """Note that flights holds no seats for a cancelled booking."""
        self._changed(SETTLED, {"booking": booking_id})

    def settle_in(self, booking_id: int, delay: timedelta) -> None:
        """Let the settler look at a booking after a delay."""
        self._changed(POSTPONE, {"booking": booking_id, "settle": now() + delay})

    def due(self, most: int) -> Sequence[Booking]:
        """Give the bookings that the settler should look at now."""
        return self._all(DUE, {"moment": now(), "most": most})

    def by_id(self, booking_id: int) -> Booking | None:
        """Give a booking."""
        return self._one(BY_ID, {"booking": booking_id})

    def by_key(self, user_id: int, key: str) -> Booking | None:
        """Give the booking of a user's idempotency key."""
        return self._one(BY_KEY, {"user": user_id, "key": key})

    def list(self, query: BookingQuery) -> BookingList:
        """Give a page of bookings, ordered by id."""
        wanted = {"flightId": query.flight_id, "userId": query.user_id, "status": query.status}
        conditions = [bookings.c[name] == value for name, value in wanted.items() if value is not None]
        statement = select(bookings).where(*conditions).order_by(bookings.c.id)
        return self._all(statement.limit(query.limit).offset(query.offset), {})

    def _one(self, statement: Select[Any], values: dict[str, Any]) -> Booking | None:
        row = self._database.read(lambda connection: connection.execute(statement, values).first())
        return None if row is None else _booking(row)

    def _all(self, statement: Select[Any], values: dict[str, Any]) -> BookingList:
        rows = self._database.read(lambda connection: connection.execute(statement, values).all())
        return [_booking(row) for row in rows]

    def _changed(self, statement: Update, values: dict[str, Any]) -> bool:
        return self._database.write(lambda connection: connection.execute(statement, values).rowcount > 0)

    def _cancel(self, statement: Update, booking: Booking, before: str, *, owed: bool) -> Booking | None:
        moment = now()
        values = {"booking": booking["id"], "before": before, "owed": owed, "settle": None, "moment": moment}
        if owed:
            values["settle"] = moment
        if not self._changed(statement, values):
            return None
        return {**booking, "status": CANCELLED, "seatsOwed": owed, "updatedAt": moment}


def write_note(connection: Connection, body: str, moment: datetime) -> None:
    """Write a notification that belongs to no booking into the outbox."""
    connection.execute(NOTE, {"body": body, "createdAt": moment})


def _booking(row: Row[*tuple[Any, ...]]) -> Booking:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
