"""Seats under load: never sold twice on `safe`, visibly lost on `as-found`; reservations are taken once per key."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.integration.services.platform import API, BOTH, at_once, unique

if TYPE_CHECKING:
    from tests.integration.services.client import Answer
    from tests.integration.services.platform import Flight, Platform, User

BACKENDS = BOTH
ROUNDS = 15


def test_no_seat_is_sold_twice(safe: Platform, user: User) -> None:
    """Of 40 bookings at once on 25 seats exactly 25 are `Booked`, 15 are a 409, and the list agrees."""
    flight = safe.flight(capacity=25)
    answers = at_once(40, lambda _: safe.book(flight, user))
    assert Counter(answer.status for answer in answers) == {200: 25, 409: 15}
    assert (safe.left(flight), safe.defect(flight)) == (0, 0)
    listed = {one["id"] for one in safe.bookings(flight) if one["status"] == "Booked"}
    assert listed == {answer.data["id"] for answer in answers if answer.status == 200}
    assert {one["status"] for one in safe.bookings(flight)} == {"Booked", "Cancelled"} or len(listed) == 25


def test_bookings_and_cancels_at_once_lose_nothing(safe: Platform, user: User) -> None:
    """While some book 1 to 4 seats and others cancel, capacity stays what is left and what is booked."""
    flight = safe.flight(capacity=60)
    before = [safe.book(flight, user, seats).data["id"] for seats in (1, 2, 3, 4) * 3]

    def work(index: int) -> int:
        return (safe.cancel(before[index // 2], user) if index % 2 else safe.book(flight, user, 1 + index % 4)).status

    assert set(at_once(24, work)) <= {200, 409}
    assert safe.defect(flight) == 0


def test_as_found_loses_updates(as_found: Platform) -> None:
    """The same kind of load on the first version books more seats than are gone from the flight."""
    user, flight = as_found.user(), as_found.flight(capacity=10_000)
    for _ in range(ROUNDS):
        answers = at_once(40, lambda _: as_found.book(flight, user))
        assert {answer.status for answer in answers} == {200}
        if as_found.defect(flight) < 0:
            break
    booked = sum(one["NoOfSeats"] for one in as_found.bookings(flight) if one["status"] == "Booked")
    assert booked > flight.capacity - as_found.left(flight), f"no race in {ROUNDS} rounds"


def reserve(safe: Platform, flight: Flight, key: str, seats: int = 3) -> Answer:
    """Take seats under a key."""
    return safe.flights.call("POST", f"{API}/flights/{flight.id}/reservations", {"seats": seats, "key": key})


def release(safe: Platform, flight: Flight, key: str) -> Answer:
    """Give a key's seats back."""
    return safe.flights.call("DELETE", f"{API}/flights/{flight.id}/reservations/{quote(key, safe='')}")


def test_a_key_takes_its_seats_once(safe: Platform, flight: Flight) -> None:
    """A replayed reservation gives the same answer and takes no more, one after another and eight at once."""
    key = unique("key")
    answers = [reserve(safe, flight, key), *at_once(8, lambda _: reserve(safe, flight, key))]
    assert {answer.status for answer in answers} == {201}
    assert safe.left(flight) == flight.capacity - 3
    other = unique("key")
    assert {answer.status for answer in at_once(8, lambda _: reserve(safe, flight, other))} == {201}
    assert safe.left(flight) == flight.capacity - 6
    assert 400 <= reserve(safe, flight, key, seats=4).status < 500
    assert safe.left(flight) == flight.capacity - 6


def test_a_key_is_a_flights_own(safe: Platform, flight: Flight) -> None:
    """The same key on another flight is another reservation."""
    key, other = unique("key"), safe.flight()
    assert [reserve(safe, flight, key).status, reserve(safe, other, key).status] == [201, 201]
    assert release(safe, flight, key).status == 200
    assert [safe.left(flight), safe.left(other)] == [flight.capacity, other.capacity - 3]


def test_seats_are_given_back_once(safe: Platform, flight: Flight) -> None:
    """A second DELETE of a key, and eight at once, give nothing more back."""
    keys = [unique("key"), unique("key")]
    assert [reserve(safe, flight, key).status for key in keys] == [201, 201]
    assert [release(safe, flight, keys[0]).status for _ in range(2)] == [200, 200]
    assert {answer.status for answer in at_once(8, lambda _: release(safe, flight, keys[1]))} == {200}
    assert safe.left(flight) == flight.capacity


def test_a_late_reservation_takes_nothing(safe: Platform, flight: Flight) -> None:
    """A DELETE that overtakes its POST, or follows it, leaves no seats behind that nobody will use."""
    key = unique("key")
    assert release(safe, flight, key).status in {200, 404}
    late = reserve(safe, flight, key)
    assert (400 <= late.status < 500, safe.left(flight)) == (True, flight.capacity)
    assert release(safe, flight, key).status in {200, 404}
    assert safe.left(flight) == flight.capacity


def test_reservation_and_release_at_once(safe: Platform, flight: Flight) -> None:
    """Whichever comes first, a key that was released holds no seats."""
    key = unique("key")
    at_once(8, lambda index: (release if index % 2 else reserve)(safe, flight, key).status)
    assert release(safe, flight, key).status in {200, 404}
    assert safe.left(flight) == flight.capacity


def test_too_many_seats_are_not_reserved(safe: Platform) -> None:
    """More seats than are left are a 409 and do not spend the key."""
    flight, key = safe.flight(capacity=5), unique("key")
    assert [reserve(safe, flight, key, seats).status for seats in (6, 5)] == [409, 201]
    assert reserve(safe, flight, unique("key"), 1).status == 409
    assert safe.left(flight) == 0


@pytest.mark.parametrize("key", ["a b", "é", "a%2Fb", "a?b", "a#b", "100%", "a+b", "a/b", "a\u00a0b", "a\u007fb", "😀"])
def test_a_key_that_can_be_used_can_be_released(safe: Platform, user: User, flight: Flight, key: str) -> None:
    """A key that POST takes is one that DELETE understands, also through the gateway; others are a 400."""
    through = f"/flights{API}/flights/{flight.id}/reservations"
    taken = reserve(safe, flight, key).status
    assert taken in {201, 400}
    if taken == 201:
        assert safe.gateway.call("DELETE", f"{through}/{quote(key, safe='')}", token=user.token).status == 200
    assert safe.left(flight) == flight.capacity


def test_keys_are_the_same_when_every_character_is(safe: Platform, flight: Flight) -> None:
    """Keys that differ in capitals, accents or a space at the end take seats each."""
    word = unique("key")
    keys = [word, word.upper(), f"{word} ", f"{word}é", f"{word}e"]
    assert [reserve(safe, flight, key, seats=1).status for key in keys] == [201] * len(keys)
    assert safe.left(flight) == flight.capacity - len(keys)


def test_deleting_a_flight_while_seats_are_taken_and_given_back(safe: Platform) -> None:
    """Whoever comes first, every answer is one of the contract's, and a flight that holds a reservation stays."""
    for _ in range(3):
        flight, keys = safe.flight(), [unique("key") for _ in range(3)]

        def work(index: int, flight: Flight = flight, keys: list[str] = keys) -> int:
            if index % 4 == 3:
                return safe.flights.call("DELETE", f"{API}/flights/{flight.id}").status
            return (release if index % 2 else reserve)(safe, flight, keys[index % 3]).status

        assert set(at_once(12, work)) <= {200, 201, 404, 409}
        there = safe.flights.call("GET", f"{API}/flights/{flight.id}").status
        held = [reserve(safe, flight, key).status for key in keys]
        assert there == 200 or held == [404] * 3
