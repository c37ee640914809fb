"""Bookings made together, with the real flights service behind them, on real databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic_core import to_json
from sqlalchemy import create_engine, insert, make_url, select

from reference_services.booking import models as booking_models
from reference_services.booking.models import NewBooking, bookings, outbox
from reference_services.booking.notify import OutboxNotifier
from reference_services.booking.seats import AtomicSeats
from reference_services.booking.service import Caller
from reference_services.booking.settler import Settler
from reference_services.booking.store import BookingStore
from reference_services.booking.together import BookingsTogether
from reference_services.common.client import Reply
from reference_services.common.database import Database
from reference_services.common.errors import Refusal, UpstreamSlowError
from reference_services.common.pooling import Pool
from reference_services.common.sqlite import Sqlite
from reference_services.flights import tables
from reference_services.flights.models import NewReservation, NewReservations
from reference_services.flights.seats import Seats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import MetaData

USERS = 7
WHEN = datetime(2030, 1, 1)  # noqa: DTZ001 - databases keep UTC without a zone
CAPACITY, SMALL = 400, 5


class Flights:
    """The flights service, called without a network; loses answers as it is told to."""

    timeout_s = 4.0

    def __init__(self, database: Database) -> None:
        self.seats = Seats(database)
        self.lose_answers = False

    def call(self, method: str, target: str, *, body: bytes | None = None, **_how: object) -> Reply:
        """Do what is asked, and lose the answer if that is wanted."""
        path = target.removeprefix("/api/v1")
        flight, _, key = path.removeprefix("/flights/").partition("/reservations")
        status = 200
        data: dict[str, Any] = {}
        try:
            if path == "/reservations":
                data = {"data": self.seats.take_all(NewReservations.model_validate_json(body or b"").wishes)}
            elif method == "POST":
                status = 201
                data = {"data": self.seats.take(int(flight), NewReservation.model_validate_json(body or b""))}
            else:
                data = {"data": self.seats.give_back(int(flight), key.removeprefix("/"))}
        except Refusal as refusal:
            status, data = refusal.status, {"message": refusal.message, "err": refusal.err}
        if self.lose_answers:
            raise UpstreamSlowError("flights did not answer", sent=True)
        return Reply(status, {}, to_json(data), 1)


class House:
    """Booking and flights."""

    def __init__(self, path: Path) -> None:
        flights = opened(f"{path}/flights.db", tables.metadata)
        database = opened(f"{path}/booking.db", booking_models.metadata)
        self.engines = flights.engine, database.engine
        with flights.engine.begin() as connection:
            fill(connection.execute)
        self.flights = Flights(flights)
        self.store = BookingStore(database, timedelta(0))
        notifier = OutboxNotifier(database, lambda: None)
        self.service = BookingsTogether(self.store, AtomicSeats(self.flights), notifier)  # type: ignore[arg-type]  # as above

    def book(self, flight: int, seats: int = 1, key: str | None = None) -> dict[str, Any] | int:
        """Book; give the booking, or the status of the refusal."""
        wish = NewBooking.model_validate({"flightId": flight, "userId": USERS, "NoOfSeats": seats})
        try:
            return self.service.book(wish, Caller(USERS, "ann@example.test"), key)
        except Refusal as refusal:
            return refusal.status

    def left(self, flight: int) -> int:
        """Give the seats left on a flight."""
        statement = select(tables.flights.c.totalSeats).where(tables.flights.c.id == flight)
        with self.engines[0].connect() as connection:
            return int(connection.execute(statement).scalar_one())

    def rows(self, status: str) -> list[Mapping[Any, Any]]:
        """Give the bookings of a status."""
        with self.engines[1].connect() as connection:
            return list(connection.execute(select(bookings).where(bookings.c.status == status)).mappings())

    def notes(self) -> list[str]:
        """Give the notes in the outbox."""
        with self.engines[1].connect() as connection:
            return list(connection.execute(select(outbox.c.body)).scalars())


def opened(path: str, metadata: MetaData) -> Database:
    """Make a database."""
    url = f"sqlite:///{path}"
    database = Database(create_engine(url), Sqlite(make_url(url), Pool(8)))
    metadata.create_all(database.engine)
    return database


def fill(execute: Any) -> None:  # noqa: ANN401 - a method with overloads
    """Make flight 1 with many seats, and flight 2 with few."""
    stamps = {"createdAt": WHEN, "updatedAt": WHEN}
    execute(insert(tables.city), {"name": "c", **stamps})
    execute(insert(tables.airports), [{"name": name, "address": "a", "cityId": 1, **stamps} for name in "ab"])
    execute(insert(tables.airplane), {"modelNumber": "m", "capacity": CAPACITY, **stamps})
    flight = {"airplaneId": 1, "departureAirportID": 1, "arrivalAirportId": 2, "departureTime": WHEN}
    flight |= {"arrivalTime": WHEN + timedelta(hours=1), **stamps}
    several = [("F1", 70, CAPACITY), ("F2", 90, SMALL)]
    execute(insert(tables.flights), [{**flight, "flightNumber": f, "price": p, "totalSeats": t} for f, p, t in several])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Booking and flights, with nothing booked."""
    made = House(tmp_path)
    yield made
    for engine in made.engines:
        engine.dispose()


def test_many_at_once_sell_what_there_is(house: House) -> None:
    """Of 120 bookings at once each gets its own, and the small flight sells out exactly."""
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda number: house.book(1 + number % 2, 1 + number % 3), range(120)))
    booked = [answer for answer in answers if isinstance(answer, dict)]
    assert {answer for answer in answers if not isinstance(answer, dict)} == {409}
    assert len({one["id"] for one in booked}) == len(booked) == len(house.notes()) == len(house.rows("Booked"))
    for flight, price, capacity in ((1, 70, CAPACITY), (2, 90, SMALL)):
        sold = [one for one in booked if one["flightId"] == flight]
        assert all(one["totalCost"] == price * one["NoOfSeats"] for one in sold)
        assert sum(one["NoOfSeats"] for one in sold) == capacity - house.left(flight)
    assert house.left(2) == 0
    assert not house.rows("InProcess")


def test_each_answer_is_for_its_own_wish(house: House) -> None:
    """What comes back is what was asked for, whoever else was in the group."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: house.book(1, 1 + number % 5), range(80)))
    assert [answer["NoOfSeats"] for answer in answers if isinstance(answer, dict)] == [1 + n % 5 for n in range(80)]


def test_a_known_key_is_the_same_booking_and_spoils_no_other(house: House) -> None:
    """The same key many times at once is one booking; others in its groups are booked all the same."""
    keys = [f"key-{number % 4}" if number % 2 else uuid4().hex for number in range(60)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda key: house.book(1, 2, key), keys))
    made = {key: {one["id"] for k, one in zip(keys, answers, strict=True) if k == key} for key in keys}  # type: ignore[index]  # no refusals
    assert all(len(ids) == 1 for ids in made.values())
    assert len(house.rows("Booked")) == len(made) == len(house.notes())
    assert house.left(1) == CAPACITY - 2 * len(made)


def test_a_flight_that_is_not_there_is_a_404_for_who_asked(house: House) -> None:
    """Another booking of the same moment is not touched by it."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(house.book, [1, 99] * 8))
    assert [answer if isinstance(answer, int) else 200 for answer in answers] == [200, 404] * 8
    assert house.left(1) == CAPACITY - 8


def test_a_lost_answer_leaves_nothing_when_it_is_settled(house: House) -> None:
    """Flights took the seats of a group and its answer was lost: each is told 503, and the settler gives all back."""
    house.flights.lose_answers = True
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(house.book, [1] * 16)) == {503}
    assert house.left(1) == CAPACITY - 16
    house.flights.lose_answers = False
    settler = Settler(house.store, house.service)
    settler.step()
    assert house.left(1) == CAPACITY
    assert (len(house.rows("Cancelled")), house.notes(), house.rows("InProcess")) == (16, [], [])


def test_a_group_that_the_settler_was_faster_with_books_nobody_by_mistake(house: House) -> None:
    """When one of a group was given up meanwhile, it is a 503, the others are booked, and seats and notes agree."""
    begun = house.store.begin_all([row(number) for number in range(3)])
    assert begun is not None
    assert house.store.abandon(begun[1], owed=False) is not None
    assert house.store.book_all([(booking, 70, "note") for booking in begun]) is None
    assert (house.rows("Booked"), house.notes()) == ([], [])


def row(number: int) -> dict[str, Any]:
    """Give a wish as it is recorded."""
    return {"flightId": 1, "userId": USERS, "NoOfSeats": 1, "idempotencyKey": None, "reservationKey": f"r{number}"}
