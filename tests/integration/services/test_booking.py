"""The booking service against the contract, direct and through the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.services.platform import API, BOTH, at_once

if TYPE_CHECKING:
    from tests.integration.services.platform import Flight, Platform, User

BACKENDS = BOTH
SHOWN = {"id", "flightId", "userId", "status", "NoOfSeats", "totalCost", "createdAt", "updatedAt"}
MISSING = 2_147_483_647
TOO_MANY = [101, 1_000_000, 1_000_001, 2_147_483_647]


@pytest.mark.parametrize("door", ["booking", "gateway"])
def test_book_read_list_cancel(safe: Platform, user: User, flight: Flight, door: str) -> None:
    """A booking is answered `Booked` with its cost, is found by id, flight and user, and is cancelled."""
    prefix = "/bookingservice" if door == "gateway" else ""
    service, path = safe.services[door], f"{prefix}{API}/bookings"
    body = {"flightId": flight.id, "userId": user.id, "NoOfSeats": 3}
    made = service.call("POST", path, body, token=user.token)
    assert (made.status, set(made.data), made.data["status"]) == (200, SHOWN, "Booked")
    assert {name: made.data[name] for name in body} == body
    assert made.data["totalCost"] == 3 * flight.price
    assert safe.left(flight) == flight.capacity - 3
    one = f"{path}/{made.data['id']}"
    assert service.call("GET", one, token=user.token).data == made.data
    for query in (f"flightId={flight.id}", f"flightId={flight.id}&userId={user.id}", f"flightId={flight.id}&limit=1"):
        listed = service.call("GET", f"{path}?{query}", token=user.token)
        assert (listed.status, listed.data) == (200, [made.data]), query
    for query in (f"flightId={flight.id}&userId={MISSING}", f"flightId={flight.id}&offset=1"):
        assert service.call("GET", f"{path}?{query}", token=user.token).data == [], query
    cancelled = service.call("PATCH", one, {"status": "Cancelled"}, token=user.token)
    assert cancelled.status == 200
    assert {**cancelled.data, "updatedAt": ""} == {**made.data, "status": "Cancelled", "updatedAt": ""}
    assert service.call("GET", one, token=user.token).data["status"] == "Cancelled"
    assert (safe.left(flight), safe.defect(flight)) == (flight.capacity, 0)


def test_the_list_is_paged_by_id(safe: Platform, user: User, flight: Flight) -> None:
    """Limit and offset walk over a flight's bookings in the order of their ids."""
    ids = [safe.book(flight, user).data["id"] for _ in range(5)]
    pages = [
        safe.booking.call("GET", f"{API}/bookings?flightId={flight.id}&limit=2&offset={offset}").data
        for offset in (0, 2, 4, 6)
    ]
    assert [[one["id"] for one in page] for page in pages] == [ids[:2], ids[2:4], ids[4:], []]


def test_there_is_no_such_flight(safe: Platform, user: User) -> None:
    """A booking on an unknown flight is a 404 and is not left in process."""
    body = {"flightId": MISSING, "userId": user.id, "NoOfSeats": 1}
    assert safe.booking.call("POST", f"{API}/bookings", body).status == 404
    kept = safe.booking.call("GET", f"{API}/bookings?flightId={MISSING}&limit=1000").data
    assert {one["status"] for one in kept} <= {"Cancelled"}


def test_too_few_seats(safe: Platform, user: User) -> None:
    """More seats than are left are a 409 that takes none; the last ones can still be had."""
    flight = safe.flight(capacity=4)
    assert [safe.book(flight, user, seats).status for seats in (5, 3, 2, 1, 1)] == [409, 200, 409, 200, 409]
    assert (safe.left(flight), safe.defect(flight)) == (0, 0)


@pytest.mark.parametrize("seats", TOO_MANY)
def test_no_number_of_seats_is_the_services_fault(safe: Platform, seats: int) -> None:
    """However many seats are wanted, the answer is a 4xx: the flights service is not away."""
    want_too_many(safe, seats)


@pytest.mark.parametrize("seats", TOO_MANY)
def test_no_number_of_seats_is_the_services_fault_as_found(as_found: Platform, seats: int) -> None:
    """Nor is it in the first version's way of taking seats."""
    want_too_many(as_found, seats)


def want_too_many(platform: Platform, seats: int) -> None:
    """Book them; none is taken."""
    flight = platform.flight()
    wanted = {"flightId": flight.id, "userId": 1, "NoOfSeats": seats}
    assert platform.booking.call("POST", f"{API}/bookings", wanted).status in {400, 409}
    assert platform.left(flight) == flight.capacity


def test_costs_beyond_32_bits(safe: Platform, user: User) -> None:
    """The most expensive flight with very many seats has its right price."""
    flight = safe.flight(capacity=1_000_000, price=1_000_000_000)
    booked = safe.book(flight, user, seats=1_000_000)
    assert (booked.status, booked.data["totalCost"]) == (200, 10**15)


def test_eight_cancels_at_once_give_the_seats_back_once(safe: Platform, user: User, flight: Flight) -> None:
    """However often a booking is cancelled, and however closely, its seats come back once."""
    kept, gone = safe.book(flight, user, 4), safe.book(flight, user, 5)
    answers = at_once(8, lambda _: safe.cancel(gone.data["id"], user))
    assert [answer.status for answer in answers] == [200] * 8
    assert {answer.data["status"] for answer in answers} == {"Cancelled"}
    assert safe.cancel(gone.data["id"], user).status == 200
    assert (kept.status, safe.left(flight), safe.defect(flight)) == (200, flight.capacity - 4, 0)


def test_nobody_cancels_anothers_booking(safe: Platform, user: User, flight: Flight) -> None:
    """Through the gateway it is a 403, the booking stays, and so do its seats."""
    booked = safe.book(flight, user, 2)
    assert safe.cancel(booked.data["id"], safe.user()).status == 403
    assert safe.booking.call("GET", f"{API}/bookings/{booked.data['id']}").data["status"] == "Booked"
    assert safe.left(flight) == flight.capacity - 2


def test_a_booking_is_only_ever_cancelled(safe: Platform, user: User, flight: Flight) -> None:
    """No PATCH makes a booking `Booked` or `InProcess`, nor changes its seats; a cancelled one stays so."""
    booked = safe.book(flight, user, 2)
    one = f"{API}/bookings/{booked.data['id']}"
    assert safe.cancel(booked.data["id"], user).status == 200
    for body in ({"status": "Booked"}, {"status": "InProcess"}, {"NoOfSeats": 1}, {"status": None}):
        assert safe.booking.call("PATCH", one, body).status == 400, body
    assert safe.booking.call("GET", one).data["status"] == "Cancelled"
    assert safe.booking.call("DELETE", one).status == 405


def test_info(safe: Platform, user: User) -> None:
    """The platform's own hello."""
    direct = safe.booking.call("GET", f"{API}/info")
    through = safe.gateway.call("GET", f"/bookingservice{API}/info", token=user.token)
    assert [(answer.status, answer.message) for answer in (direct, through)] == [(200, "Response from routes")] * 2


def test_as_found_speaks_the_same_contract(as_found: Platform) -> None:
    """The first version's profile books, refuses and cancels with the same answers when nobody else is there."""
    user, flight = as_found.user(), as_found.flight(capacity=5)
    answers = [as_found.book(flight, user, seats) for seats in (3, 3, 2)]
    assert [answer.status for answer in answers] == [200, 409, 200]
    assert (set(answers[0].data), answers[0].data["status"]) == (SHOWN, "Booked")
    assert as_found.left(flight) == 0
    assert [as_found.cancel(answers[0].data["id"], user).status for _ in range(2)] == [200, 200]
    assert (as_found.left(flight), as_found.defect(flight)) == (3, 0)
    body = {"flightId": MISSING, "userId": user.id, "NoOfSeats": 1}
    assert as_found.booking.call("POST", f"{API}/bookings", body).status == 404


def test_an_address_that_is_none_is_refused(safe: Platform, user: User, flight: Flight) -> None:
    """Called past the gateway, booking takes no header for an address that no mail can go to."""
    body = {"flightId": flight.id, "userId": user.id, "NoOfSeats": 1}
    refused = safe.booking.call("POST", f"{API}/bookings", body, headers={"X-User-Email": "not%20an%20email"})
    assert (refused.status, list(refused.err)) == (400, ["X-User-Email"])
    assert safe.left(flight) == flight.capacity
