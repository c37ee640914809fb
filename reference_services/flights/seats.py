"""Taking seats and giving them back: atomically, once per key, in any order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from reference_services.common.clock import now
from reference_services.common.errors import Refusal, unknown
from reference_services.flights.tables import flights, reservations

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from reference_services.common.database import Database
    from reference_services.flights.models import NewReservation

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
BY_KEY = select(reservations.c.id, reservations.c.seats, reservations.c.released).where(
    reservations.c.flightId == bindparam("flight"), reservations.c.key == bindparam("key")
)
RECORD = insert(reservations)


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
            sentence = f"Flight {flight_id} has {flight.totalSeats} seats left, fewer than {wish.seats}."
            raise Refusal(409, sentence, {"seats": "too few left"})
        if found.released:
            raise Refusal(409, "The seats of this key were given back; use another key.", {"key": "spent"})
        if found.seats != wish.seats:
            raise Refusal(409, f"This key has taken {found.seats} seats already.", {"key": "used"})
        return _taken(flight_id, wish, flight)


def _taken(flight_id: int, wish: NewReservation, flight: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "flightId": flight_id,
        "key": wish.key,
        "seats": wish.seats,
        "price": flight.price,
        "totalSeats": flight.totalSeats,
    }
