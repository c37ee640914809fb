"""Races that are made to happen: what booking sees of flights is held until everybody is where the race needs them."""

from __future__ import annotations

from threading import Barrier, BrokenBarrierError, Event
from typing import TYPE_CHECKING

import pytest

from tests.integration.services.between import between
from tests.integration.services.platform import API, BOTH, at_once, unique, wait_until

if TYPE_CHECKING:
    from tests.integration.services.client import Answer
    from tests.integration.services.lone import Lone, Nursery
    from tests.integration.services.platform import Flight, Platform

BACKENDS = BOTH
TOGETHER = 20


def start_booking(nursery: Nursery, flights_url: str, **settings: str) -> Lone:
    """Start a booking service with a database and a bus of its own."""
    database = nursery.database(unique("bookings"))
    return nursery.start("booking", DATABASE_URL=database, BUS_URL=nursery.bus, FLIGHTS_URL=flights_url, **settings)


def book(booking: Lone, flight: Flight, **headers: str) -> Answer:
    """Book one seat."""
    body = {"flightId": flight.id, "userId": 1, "NoOfSeats": 1}
    return booking.service.call("POST", f"{API}/bookings", body, headers=headers)


@pytest.mark.parametrize(("profile", "defect"), [("safe", 0), ("as-found", 1 - TOGETHER)])
def test_twenty_read_before_one_writes(safe: Platform, nursery: Nursery, profile: str, defect: int) -> None:
    """When 20 one-seat bookings have all read before any writes, as-found loses exactly 19 updates, and safe none."""
    flight, all_have_read = safe.flight(), Barrier(TOGETHER)

    def answered(method: str, path: str) -> None:
        if method == "GET" and path != "/health":
            all_have_read.wait(20)

    with between(safe.flights, answered) as url:
        booking = start_booking(nursery, url, PROFILE=profile, UPSTREAM_TIMEOUT_S="30")
        answers = at_once(TOGETHER, lambda _: book(booking, flight))
    assert {answer.status for answer in answers} == {200}
    assert safe.defect(flight, booking.service) == defect


def test_an_answer_that_comes_too_late(safe: Platform, nursery: Nursery) -> None:
    """Seats that were taken for a booking that was told 503 come back, and its key can be used again."""
    flight, enough, key = safe.flight(), Event(), unique("key")

    def answered(method: str, _: str) -> None:
        if method == "POST":
            enough.wait(20)

    with between(safe.flights, answered) as url:
        booking = start_booking(nursery, url, UPSTREAM_TIMEOUT_S="0.5")
        assert book(booking, flight, **{"Idempotency-Key": key}).status == 503
        enough.set()
        wait_until(
            lambda: {one["status"] for one in safe.bookings(flight, booking.service)} == {"Cancelled"}, "settled"
        )
        wait_until(lambda: safe.left(flight) == flight.capacity, "the seats are back")
        assert book(booking, flight, **{"Idempotency-Key": key}).data["status"] == "Booked"
    assert (safe.left(flight), safe.defect(flight, booking.service)) == (flight.capacity - 1, 0)


def test_one_key_late_and_in_time(safe: Platform, nursery: Nursery) -> None:
    """Two requests with one key, of which one hears flights too late: one booking, or none, and no seat is lost."""
    flight, key, second_is_through = safe.flight(), unique("key"), Event()
    first = Barrier(2)

    def answered(method: str, _: str) -> None:
        if method == "POST" and not second_is_through.is_set():
            second_is_through.set()
            try:
                first.wait(5)
            except BrokenBarrierError:
                return

    with between(safe.flights, answered) as url:
        booking = start_booking(nursery, url, UPSTREAM_TIMEOUT_S="0.5")

        def work(index: int) -> int:
            if index:
                second_is_through.wait(20)
            return book(booking, flight, **{"Idempotency-Key": key}).status

        statuses = at_once(2, work)
        first.abort()
        assert set(statuses) <= {200, 503}
        again = book(booking, flight, **{"Idempotency-Key": key})
        assert (again.status, again.data["status"]) == (200, "Booked")
        wait_until(lambda: safe.defect(flight, booking.service) == 0, "capacity is what is left and what is booked")
    booked = [one for one in safe.bookings(flight, booking.service) if one["status"] == "Booked"]
    assert [one["id"] for one in booked] == [again.data["id"]]
    # A key that never came to nothing is still the first booking's.
    assert 200 not in statuses or len(safe.bookings(flight, booking.service)) == 1
