"""Taking seats and giving them back: atomically, once per key, in any order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from reference_services.common.clock import now
from reference_services.common.columns import Timestamp
from reference_services.common.errors import Refusal, unknown
from reference_services.flights.models import NewReservation
from reference_services.flights.tables import flights, reservations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, TextClause

    from reference_services.common.database import Database
    from reference_services.flights.models import Wish

TAKE = (
    update(flights)
    .where(flights.c.id == bindparam("flight"), flights.c.totalSeats >= bindparam("seats"))
    .values(totalSeats=flights.c.totalSeats - bindparam("seats"), updatedAt=bindparam("moment"))
)
GIVE = (
    update(flights)
    .where(flights.c.id == bindparam("flight"))
    .values(totalSeats=flights.c.totalSeats + bindparam("seats"), updatedAt=bindparam("moment"))
)
RELEASE = (
    update(reservations)
    .where(reservations.c.id == bindparam("reservation"), reservations.c.released.is_(False))
    .values(released=True, updatedAt=bindparam("moment"))
)
FLIGHT = select(flights.c.price, flights.c.totalSeats).where(flights.c.id == bindparam("flight"))
# Whoever touches reservations has locked their flight before, by this or by TAKE: in this order nobody meets another
# in a deadlock, and nobody records a key between another's look and mark. (SQLite has one writer, and no such lock.)
LOCKED = FLIGHT.with_for_update()
LOCKED_ALL = (
    select(flights.c.id, flights.c.price, flights.c.totalSeats)
    .where(flights.c.id.in_(bindparam("flights", expanding=True)))
    .order_by(flights.c.id)
    .with_for_update()
)
BY_KEY = select(reservations.c.id, reservations.c.seats, reservations.c.released).where(
    reservations.c.flightId == bindparam("flight"), reservations.c.key == bindparam("key")
)
RECORD = insert(reservations)
CREATED = 201


class Seats:
    """The seats left on flights.

    A reservation and the count of seats change in one transaction. A key is spent for ever: a reservation that
    was given back leaves a mark, and giving back a key that was never seen leaves one too, so that a request
    that was delayed on its way cannot take seats that nobody will use.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, flight_id: int, wish: NewReservation) -> dict[str, Any]:
        """Take seats; the same key again gives the same answer and takes no more.

        Raises:
            Refusal: 404 no such flight; 409 too few seats left, or the key is spent.
        """
        moment = now()

        def take(connection: Connection) -> dict[str, Any]:
            change = {"flight": flight_id, "seats": wish.seats, "moment": moment}
            if not connection.execute(TAKE, change).rowcount:
                return self._answer_without_taking(connection, flight_id, wish)
            row = {"flightId": flight_id, "key": wish.key, "seats": wish.seats, "released": False}
            connection.execute(RECORD, {**row, "createdAt": moment, "updatedAt": moment})
            flight = connection.execute(FLIGHT, {"flight": flight_id}).one()
            return _taken(flight_id, wish, flight)

        try:
            return self._database.write(take)
        except IntegrityError:
            # The key is known: the transaction, with the seats that it took, is undone.
            return self._database.read(lambda connection: self._answer_without_taking(connection, flight_id, wish))

    def take_all(self, wishes: Sequence[Wish]) -> list[dict[str, Any]]:
        """Take seats for many in one transaction, first come first served; each gets the answer that it had got alone.

        Whoever finds a key that is known undoes the whole transaction, and all are served alone.
        """
        moment = now()
        try:
            return self._database.write(lambda connection: _taken_together(connection, wishes, moment))
        except IntegrityError:
            return [self._alone(wish) for wish in wishes]

    def _alone(self, wish: Wish) -> dict[str, Any]:
        try:
            taken = self.take(wish.flight_id, NewReservation(seats=wish.seats, key=wish.key))
        except Refusal as refusal:
            return _refusal(refusal)
        return {"status": CREATED, **taken}

    def give_back(self, flight_id: int, key: str) -> dict[str, Any]:
        """Give the seats of a reservation back; once, however often it is asked for.

        Raises:
            Refusal: 404 no such flight or key; the key is spent from then on.
        """
        moment = now()

        def give(connection: Connection) -> int | None:
            if connection.execute(LOCKED, {"flight": flight_id}).first() is None:
                raise unknown("flight", flight_id)
            found = connection.execute(BY_KEY, {"flight": flight_id, "key": key}).first()
            if found is None:
                mark = {"flightId": flight_id, "key": key, "seats": 0, "released": True}
                connection.execute(RECORD, {**mark, "createdAt": moment, "updatedAt": moment})
                return None
            if connection.execute(RELEASE, {"reservation": found.id, "moment": moment}).rowcount:
                connection.execute(GIVE, {"flight": flight_id, "seats": found.seats, "moment": moment})
            return int(found.seats)

        seats = self._database.write(give)
        if seats is None:
            raise unknown("reservation", f'with the key "{key}" on flight {flight_id}')
        return {"flightId": flight_id, "key": key, "seats": seats, "released": True}

    def _answer_without_taking(self, connection: Connection, flight_id: int, wish: NewReservation) -> dict[str, Any]:
        flight = connection.execute(FLIGHT, {"flight": flight_id}).first()
        if flight is None:
            raise unknown("flight", flight_id)
        found = connection.execute(BY_KEY, {"flight": flight_id, "key": wish.key}).first()
        if found is None:
            raise _too_few(flight_id, flight.totalSeats, wish.seats)
        if found.released:
            raise Refusal(409, "The seats of this key were given back; use another key.", {"key": "spent"})
        if found.seats != wish.seats:
            raise Refusal(409, f"This key has taken {found.seats} seats already.", {"key": "used"})
        return _taken(flight_id, wish, flight)


def _taken_together(connection: Connection, wishes: Sequence[Wish], moment: datetime) -> list[dict[str, Any]]:
    # Locked in the order of their ids, so that two who want the same flights do not wait for each other in a circle.
    wanted = {"flights": sorted({wish.flight_id for wish in wishes})}
    found = {row.id: row for row in connection.execute(LOCKED_ALL, wanted)}
    left = {identity: row.totalSeats for identity, row in found.items()}
    answers, rows = [], []
    for wish in wishes:
        identity = wish.flight_id
        if identity not in found:
            answers.append(_refusal(unknown("flight", identity)))
        elif left[identity] < wish.seats:
            answers.append(_refusal(_too_few(identity, left[identity], wish.seats)))
        else:
            left[identity] -= wish.seats
            rows.append({"flightId": identity, "key": wish.key, "seats": wish.seats, "released": False})
            answers.append({"status": CREATED, "price": found[identity].price, "totalSeats": left[identity]})
    if rows:
        changed = {identity: seats for identity, seats in left.items() if seats != found[identity].totalSeats}
        connection.execute(_leave(changed), {"moment": moment})
        connection.execute(RECORD, [{**row, "createdAt": moment, "updatedAt": moment} for row in rows])
    return answers


def _leave(left: Mapping[int, int]) -> TextClause:
    """Write the statement that notes how many seats are left on flights that are locked."""
    cases = " ".join(f"WHEN {int(flight)} THEN {int(seats)}" for flight, seats in left.items())
    statement = (
        f"UPDATE flights SET totalSeats = CASE id {cases} END, updatedAt = :moment "  # noqa: S608 - numbers alone
        f"WHERE id IN ({', '.join(map(str, left))})"
    )
    return text(statement).bindparams(bindparam("moment", type_=Timestamp))


def _too_few(flight_id: int, left: int, wanted: int) -> Refusal:
    sentence = f"Flight {flight_id} has {left} seats left, fewer than {wanted}."
    return Refusal(409, sentence, {"seats": "too few left"})


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {"status": refusal.status, "message": refusal.message, "err": refusal.err}


def _taken(flight_id: int, wish: NewReservation, flight: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "flightId": flight_id,
        "key": wish.key,
        "seats": wish.seats,
        "price": flight.price,
        "totalSeats": flight.totalSeats,
    }
