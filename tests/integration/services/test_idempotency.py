"""`Idempotency-Key`: the same wish twice is one booking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.services.platform import API, BOTH, at_once, unique

if TYPE_CHECKING:
    from tests.integration.services.client import Answer
    from tests.integration.services.platform import Flight, Platform, User


BACKENDS = BOTH


def keyed(safe: Platform, flight: Flight, user: User, key: str, seats: int = 2) -> Answer:
    """Book under a key."""
    return safe.book(flight, user, seats, {"Idempotency-Key": key})


def seen(answer: Answer) -> tuple[int, Any, str]:
    """Give what a client sees of an answer."""
    return answer.status, answer.data, answer.message


def test_one_after_another(safe: Platform, user: User, flight: Flight) -> None:
    """Three times the same wish under one key gives one booking and three equal answers."""
    key = unique("key")
    answers = [seen(keyed(safe, flight, user, key)) for _ in range(3)]
    assert answers[0][0] == 200
    assert answers == [answers[0]] * 3
    assert len(safe.bookings(flight)) == 1
    assert (safe.left(flight), safe.defect(flight)) == (flight.capacity - 2, 0)


def test_eight_at_once(safe: Platform, user: User, flight: Flight) -> None:
    """Eight times the same wish at the same moment gives one booking, one ticket's worth of seats, equal answers."""
    for _ in range(5):
        key, before = unique("key"), safe.left(flight)
        answers = [seen(answer) for answer in at_once(8, lambda _, key=key: keyed(safe, flight, user, key))]  # type: ignore[misc]
        assert answers[0][:1] == (200,)
        ids = {answer[1].get("id") for answer in answers}
        assert (len(ids), {answer[1]["status"] for answer in answers}) == (1, {"Booked"})
        assert [{**answer[1], "updatedAt": ""} for answer in answers] == [{**answers[0][1], "updatedAt": ""}] * 8
        assert (safe.left(flight), safe.defect(flight)) == (before - 2, 0)


def test_another_wish_under_a_used_key(safe: Platform, user: User, flight: Flight) -> None:
    """A used key with other seats or another flight is a 4xx that books nothing."""
    key, other = unique("key"), safe.flight()
    assert keyed(safe, flight, user, key).status == 200
    for answer in (keyed(safe, flight, user, key, seats=3), keyed(safe, other, user, key)):
        assert (400 <= answer.status < 500, "Idempotency-Key" in answer.text) == (True, True)
    assert (safe.left(flight), safe.left(other)) == (flight.capacity - 2, other.capacity)


def test_keys_belong_to_their_users(safe: Platform, user: User, flight: Flight) -> None:
    """Two users with the same key have two bookings."""
    key, other = unique("key"), safe.user()
    mine, theirs = keyed(safe, flight, user, key), keyed(safe, flight, other, key)
    assert (mine.status, theirs.status) == (200, 200)
    assert (mine.data["userId"], theirs.data["userId"]) == (user.id, other.id)
    assert mine.data["id"] != theirs.data["id"]


def test_without_a_key_each_wish_counts(safe: Platform, user: User, flight: Flight) -> None:
    """The same body twice without a key is two bookings."""
    assert len({safe.book(flight, user).data["id"] for _ in range(3)}) == 3


def test_a_refused_wish_may_be_tried_again(safe: Platform, user: User) -> None:
    """A key whose booking got no seats is free again once there are some."""
    flight, key = safe.flight(capacity=2), unique("key")
    first = safe.book(flight, user, 2)
    assert keyed(safe, flight, user, key).status == 409
    assert safe.cancel(first.data["id"], user).status == 200
    assert keyed(safe, flight, user, key).data["status"] == "Booked"
    assert (safe.left(flight), safe.defect(flight)) == (0, 0)


def test_a_key_whose_booking_was_cancelled_books_nothing(safe: Platform, user: User, flight: Flight) -> None:
    """Nobody is answered "booked" by a booking that is cancelled: the repetition is a 409 that says what to do."""
    key = unique("key")
    first = keyed(safe, flight, user, key)
    assert safe.cancel(first.data["id"], user).status == 200
    again = keyed(safe, flight, user, key)
    assert (again.status, again.err) == (409, {"Idempotency-Key": "cancelled"})
    assert "new key" in again.message
    assert (safe.left(flight), safe.defect(flight)) == (flight.capacity, 0)


def test_many_keys_for_the_last_seats(safe: Platform, user: User) -> None:
    """Four keys, four times each, at once on seats for two: two bookings, and no seat is lost or sold twice."""
    flight, keys = safe.flight(capacity=4), [unique("key") for _ in range(4)]
    answers = at_once(16, lambda index: keyed(safe, flight, user, keys[index % 4]))
    assert {answer.status for answer in answers} <= {200, 409, 503}
    booked = {answer.data["id"] for answer in answers if answer.status == 200}
    assert len(booked) == 2
    assert (safe.left(flight), safe.defect(flight)) == (0, 0)


def test_keys_that_are_none(safe: Platform, user: User, flight: Flight) -> None:
    """An empty, endless or unprintable key is a 400 that names the header."""
    body = {"flightId": flight.id, "userId": user.id, "NoOfSeats": 1}
    for key in ("", "x" * 10_000, "a\tb"):
        answer = safe.booking.call("POST", f"{API}/bookings", body, headers={"Idempotency-Key": key})
        assert (answer.status, "Idempotency-Key" in answer.message) == (400, True), key[:10]
