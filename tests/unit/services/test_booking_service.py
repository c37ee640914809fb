"""Booking's state machine with a hand-written flights service, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url

from reference_services.booking.models import NewBooking, metadata
from reference_services.booking.notify import OutboxNotifier, OutboxPublisher
from reference_services.booking.service import BookingService, Caller
from reference_services.booking.settler import Settler
from reference_services.booking.store import BookingStore
from reference_services.common.database import Database
from reference_services.common.errors import Refusal, UpstreamDownError, UpstreamSlowError
from reference_services.common.pooling import Pool
from reference_services.common.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

WISH = NewBooking.model_validate({"flightId": 1, "userId": 7, "NoOfSeats": 2})
ANN = Caller(7, "ann@example.test")


class FakeSeats:
    """Flights: takes seats per key, spends keys, and fails as it is told to, before or after its work."""

    settles = True

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.spent: set[str] = set()
        self.before: Exception | None = None
        self.after: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def take(self, flight_id: int, seats: int, key: str) -> int:
        """Take seats at a price of 50."""
        assert flight_id == 1
        if self.before is not None:
            raise self.before
        if key not in self.spent:
            self.held[key] = seats
        self.meanwhile()
        if self.after is not None:
            raise self.after
        return 50

    def give_back(self, flight_id: int, seats: int, key: str) -> None:
        """Give seats back."""
        assert (flight_id, seats) == (1, 2)
        if self.before is not None:
            raise self.before
        self.held.pop(key, None)
        self.spent.add(key)


class FakeBus:
    """A bus that remembers."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def publish(self, bodies: Sequence[str]) -> None:
        """Take messages."""
        self.bodies += bodies

    def ready(self) -> str | None:
        """Be ready."""
        return None

    def close(self) -> None:
        """Do nothing."""


class Bench:
    """A booking service with its parts at hand."""

    def __init__(self, path: Path) -> None:
        url = f"sqlite:///{path}/booking.db"
        database = Database(create_engine(url), Sqlite(make_url(url), Pool(8)))
        metadata.create_all(database.engine)
        self.seats = FakeSeats()
        self.bus = FakeBus()
        self.store = BookingStore(database, timedelta(0))
        self.service = BookingService(self.store, self.seats, OutboxNotifier(database, lambda: None))
        self.settler = Settler(self.store, self.service)
        self.publisher = OutboxPublisher(database, self.bus)
        self.engine = database.engine

    def refused(self, key: str | None = None) -> int:
        """Book, expecting a refusal; give its status."""
        with pytest.raises(Refusal) as refusal:
            self.service.book(WISH, ANN, key)
        return refusal.value.status


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An empty booking service."""
    made = Bench(tmp_path)
    yield made
    made.engine.dispose()


def test_a_booking_takes_seats_and_leaves_one_notification(bench: Bench) -> None:
    """A booked one costs price times seats, and its message carries its id and its user's address."""
    booked = bench.service.book(WISH, ANN, None)
    assert (booked["status"], booked["totalCost"]) == ("Booked", 100)
    bench.publisher.step()
    bench.publisher.step()
    (body,) = bench.bus.bodies
    assert '"id":"booking-1"' in body
    assert '"recepientEmail":"ann@example.test"' in body


def test_a_lost_answer_is_settled_by_giving_the_seats_back(bench: Bench) -> None:
    """Flights took the seats and its answer was lost: the client hears 503, and then nothing is held."""
    bench.seats.after = UpstreamSlowError("flights is slow", sent=True)
    assert bench.refused() == 503
    assert bench.seats.held
    bench.settler.step()
    assert not bench.seats.held
    assert bench.service.read(1)["status"] == "Cancelled"


def test_a_booked_one_is_never_due_again(bench: Bench) -> None:
    """A request that lost its answer, while another of the same key booked, leaves nothing for the settler."""
    booked = bench.service.book(WISH, ANN, "key")
    bench.store.settle_in(booked["id"], timedelta(seconds=-1))
    assert not bench.store.due(10)


def test_a_settled_one_is_never_due_again(bench: Bench) -> None:
    """Of two who give the same seats back, the one that hears nothing leaves nothing for the settler."""
    booked = bench.service.book(WISH, ANN, None)
    bench.service.cancel(booked["id"], ANN)
    bench.store.settle_in(booked["id"], timedelta(seconds=-1))
    assert not bench.store.due(10)


def test_seats_are_owed_until_flights_is_back(bench: Bench) -> None:
    """The settler tries again until the seats are given back."""
    bench.seats.after = UpstreamSlowError("flights is slow", sent=True)
    bench.refused()
    bench.seats.before = UpstreamDownError("flights is away", sent=False)
    bench.settler.step()
    assert bench.seats.held
    bench.seats.before = None
    bench.store.settle_in(1, timedelta(0))
    bench.settler.step()
    assert not bench.seats.held


def test_a_repetition_that_never_reached_flights_forgets_no_seats_of_the_first_try(bench: Bench) -> None:
    """The first try may have taken seats, whatever the second one hears: they are given back."""
    bench.seats.after = UpstreamDownError("flights hung up", sent=True)
    assert bench.refused("key") == 503
    bench.seats.before = UpstreamDownError("flights is away", sent=False)
    assert bench.refused("key") == 503
    bench.seats.before = bench.seats.after = None
    bench.settler.step()
    assert not bench.seats.held


def test_a_booking_that_was_given_up_meanwhile_is_not_booked(bench: Bench) -> None:
    """When the settler was faster than a slow request, the client hears 503 and no seats are held."""
    bench.seats.meanwhile = bench.settler.step
    assert bench.refused() == 503
    assert not bench.seats.held
    bench.publisher.step()
    assert not bench.bus.bodies


def test_a_key_gives_the_same_booking_and_takes_seats_once(bench: Bench) -> None:
    """A repeated request gives the first one's booking."""
    first = bench.service.book(WISH, ANN, "key")
    assert bench.service.book(WISH, ANN, "key") == first
    assert list(bench.seats.held.values()) == [2]


def test_a_key_belongs_to_one_wish(bench: Bench) -> None:
    """The same key with another body is refused."""
    bench.service.book(WISH, ANN, "key")
    other = WISH.model_copy(update={"no_of_seats": 3})
    with pytest.raises(Refusal, match="Idempotency-Key") as refusal:
        bench.service.book(other, ANN, "key")
    assert refusal.value.status == 422


def test_a_failed_booking_frees_its_key(bench: Bench) -> None:
    """Who tries again after a failure gets a new booking."""
    bench.seats.after = UpstreamSlowError("flights is slow", sent=True)
    bench.refused("key")
    bench.settler.step()
    bench.seats.after = None
    assert bench.service.book(WISH, ANN, "key")["id"] == 2


def test_nobody_acts_for_another_user(bench: Bench) -> None:
    """Booking and cancelling in another user's name is a 403."""
    booked = bench.service.book(WISH, ANN, None)
    bob = Caller(8, "bob@example.test")
    with pytest.raises(Refusal) as booking:
        bench.service.book(WISH, bob, None)
    with pytest.raises(Refusal) as cancelling:
        bench.service.cancel(booked["id"], bob)
    assert (booking.value.status, cancelling.value.status) == (403, 403)


def test_cancelling_twice_gives_back_once(bench: Bench) -> None:
    """A cancelled booking stays cancelled, and its seats are free."""
    booked = bench.service.book(WISH, ANN, None)
    bench.service.cancel(booked["id"], ANN)
    assert bench.service.cancel(booked["id"], ANN)["status"] == "Cancelled"
    assert not bench.seats.held
