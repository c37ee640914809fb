"""Bookings in the database: a small state machine, each step one conditional statement.

    InProcess ──▶ Booked ──▶ Cancelled (seats owed) ──▶ Cancelled
        └───────────────────────▲

Every arrow is an UPDATE with the state before it in its condition, so that of several who try (the request, a
repeated request, the settler) one does it and the others see that they did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from reference_services.booking.models import BOOKED, CANCELLED, IN_PROCESS, bookings, outbox
from reference_services.common.clock import now
from reference_services.common.columns import Timestamp
from reference_services.common.database import new_id
from reference_services.common.searching import Paging, by_scan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row, Select, TextClause, Update

    from reference_services.booking.models import BookingQuery
    from reference_services.common.database import Database

Booking = dict[str, Any]
BookingList = list[Booking]

INSERT = insert(bookings)
INSERT_ALL = INSERT.returning(bookings.c.id, bookings.c.reservationKey)
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
        paging: how a page of a list is found.
    """

    def __init__(self, database: Database, abandon_after: timedelta | None, paging: Paging = by_scan) -> None:
        self._database = database
        self._paging = paging
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

    def begin_all(self, wishes: Sequence[Booking]) -> BookingList | None:
        """Record bookings in process, in one transaction; None, and nothing is done, when a key is known already."""
        moment = now()
        due = None if self._abandon_after is None else moment + self._abandon_after
        stamps = {"createdAt": moment, "updatedAt": moment, "settleAt": due}
        rows = [{**wish, **stamps, "status": IN_PROCESS, "totalCost": 0, "seatsOwed": False} for wish in wishes]
        try:
            ids = self._database.write(lambda connection: _inserted(connection, rows))
        except IntegrityError:
            return None
        return [{**row, "id": ids[row["reservationKey"]]} for row in rows]

    def book_all(self, taken: Sequence[tuple[Booking, int, str | None]]) -> dict[int, Booking] | None:
        """Make bookings in process booked ones, with their costs and notes, in one transaction.

        Returns:
            Them by their ids; None, and nothing is done, when one of them is not in process any more.
        """
        if not taken:
            return {}
        moment = now()
        costs = {int(booking["id"]): int(cost) for booking, cost, _ in taken}
        notes = [{"body": note, "createdAt": moment} for _, _, note in taken if note is not None]

        def change(connection: Connection) -> None:
            values = {"booked": BOOKED, "before": IN_PROCESS, "moment": moment}
            if connection.execute(_book_all(costs), values).rowcount != len(costs):
                raise _FinishedByAnotherError
            if notes:
                connection.execute(NOTE, notes)

        try:
            self._database.write(change)
        except _FinishedByAnotherError:
            return None
        booked = ({**booking, "status": BOOKED, "totalCost": cost, "updatedAt": moment} for booking, cost, _ in taken)
        return {booking["id"]: booking for booking in booked}

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
        return self._all(self._paging(select(bookings), bookings.c.id, conditions, query), {})

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


class _FinishedByAnotherError(Exception):
    """Of bookings that were to be booked together, one is not in process: the transaction is undone."""


def _inserted(connection: Connection, rows: Sequence[Booking]) -> dict[str, int]:
    """Add rows and give their ids by their reservation keys: in one statement, where the database tells them."""
    if connection.dialect.insert_executemany_returning:
        made = connection.execute(INSERT_ALL, rows)
        return {row.reservationKey: row.id for row in made}
    return {row["reservationKey"]: new_id(connection.execute(INSERT, row)) for row in rows}


def _book_all(costs: Mapping[int, int]) -> TextClause:
    """Write the statement that books many, each at its own cost."""
    # Numbers of our own; as parameters they would be three for each booking, in a statement that is never the same.
    cases = " ".join(f"WHEN {booking} THEN {cost}" for booking, cost in costs.items())
    statement = (
        f"UPDATE bookings SET status = :booked, totalCost = CASE id {cases} END, settleAt = NULL, updatedAt = :moment "  # noqa: S608 - numbers alone
        f"WHERE id IN ({', '.join(map(str, costs))}) AND status = :before"
    )
    return text(statement).bindparams(bindparam("moment", type_=Timestamp))


def write_note(connection: Connection, body: str, moment: datetime) -> None:
    """Write a notification that belongs to no booking into the outbox."""
    connection.execute(NOTE, {"body": body, "createdAt": moment})


def _booking(row: Row[*tuple[Any, ...]]) -> Booking:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
