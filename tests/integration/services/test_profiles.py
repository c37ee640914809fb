"""Every rung of the ladder speaks one contract, and none but the first sells a seat twice or loses anything."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from lab.stack.profiles import RUNGS
from tests import goldens
from tests.integration.services.platform import API, at_once, started, unique, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.services.client import Answer
    from tests.integration.services.platform import Flight, Platform, User

AT_ONCE, CAPACITY, SEATS = 24, 30, 2
TICKET = {
    "subject": "later",
    "content": "c",
    "recepientEmail": "ann@example.test",
    "notificationTime": "2199-01-01T00:00:00Z",
}
VARYING = re.compile(r"(?<=[a-z]-)[0-9a-f]{12}|\d+")


@pytest.fixture(scope="module", params=RUNGS)
def rung(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Give a stack of each profile; of those with several processes, with two each, however few the cores are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKERS", "2")
        patch.setenv("UPSTREAM_TIMEOUT_S", "20")  # on a machine that is busy with other tests
        with started(tmp_path_factory.mktemp("rung"), request.param) as platform:
            yield platform


def test_the_contract(rung: Platform) -> None:
    """The answers to one course through all services are the contract's, whatever the profile."""
    user, flight = rung.user(), rung.flight(capacity=10)
    said = {**accounts(rung, user), **flights(rung, flight), **bookings(rung, user, flight), **odd(rung, user)}
    assert {name: answer.status for name, answer in said.items()} == {
        name: int(name.rpartition(" ")[2]) for name in said
    }
    failed = [answer for answer in said.values() if answer.status >= 400]
    assert all(answer.data == {} and answer.err for answer in failed)
    assert set(said["booked 200"].data) == {
        *("id", "flightId", "userId", "status", "NoOfSeats", "totalCost", "createdAt", "updatedAt"),
    }
    assert (said["booked 200"].data["status"], said["booked 200"].data["totalCost"]) == ("Booked", 4 * flight.price)
    assert said["the same key 200"].data == said["booked 200"].data
    assert said["cancelled 200"].data["status"] == "Cancelled"
    assert (rung.left(flight), rung.defect(flight)) == (10, 0)
    wait_until(lambda: bool(rung.mails(user.email)), "the booking's mail")
    goldens.check("contract.jsonl", "".join(f"{line(name, answer)}\n" for name, answer in said.items()))


def test_everybody_wants_the_last_seats(rung: Platform) -> None:
    """On every rung but the first: exactly what there is is sold, a key books once, and each booking has its mail."""
    user, flight = rung.user(), rung.flight(capacity=CAPACITY)
    keys = [{"Idempotency-Key": uuid4().hex} if number % 3 else {} for number in range(AT_ONCE)]
    first = at_once(AT_ONCE, lambda number: rung.book(flight, user, SEATS, keys[number]))
    again = at_once(AT_ONCE, lambda number: rung.book(flight, user, SEATS, keys[number]) if keys[number] else None)
    assert {answer.status for answer in first} <= {200, 409}
    if rung.state.profile == "as-found":
        return
    accepted = {answer.data["id"] for answer in (*first, *again) if answer is not None and answer.status == 200}
    assert Counter(answer.status for answer in first) == {200: CAPACITY // SEATS, 409: AT_ONCE - CAPACITY // SEATS}
    assert all(one.data == two.data for one, two in zip(first, again, strict=True) if two and one.status == 200)
    assert {one["id"] for one in rung.bookings(flight) if one["status"] == "Booked"} == accepted
    assert (len(accepted), rung.left(flight), rung.defect(flight)) == (CAPACITY // SEATS, 0, 0)
    wait_until(lambda: len(rung.mails(user.email)) >= len(accepted), "a mail for each booking")
    assert len(rung.tickets(user.email)) == len(accepted)


def test_who_signs_out_is_out(rung: Platform) -> None:
    """A token that was used a moment ago counts no more, at auth at once, at the gateway within its second."""
    user = rung.user()
    path = f"/flights{API}/city?limit=1"
    assert rung.gateway.call("GET", path, token=user.token).status == 200
    assert rung.gateway.call("POST", f"/auth{API}/signout", token=user.token).data == user.id
    assert rung.auth.call("GET", f"{API}/isAuthenticated", token=user.token).status == 401
    wait_until(lambda: rung.gateway.call("GET", path, token=user.token).status == 401, "the token is refused")
    signed = rung.auth.call("POST", f"{API}/signin", {"email": user.email, "password": user.password})
    assert rung.gateway.call("GET", path, token=signed.data["token"]).status == 200


def accounts(rung: Platform, user: User) -> dict[str, Answer]:
    """Sign up, sign in and be asked for, rightly and wrongly."""
    auth, known = rung.auth, {"email": user.email, "password": user.password}
    return {
        "taken 409": auth.call("POST", f"{API}/signup", known),
        "no address 400": auth.call("POST", f"{API}/signup", {**known, "email": "no"}),
        "wrong password 401": auth.call("POST", f"{API}/signin", {**known, "password": "wrong"}),
        "unknown 401": auth.call("POST", f"{API}/signin", {**known, "email": f"{unique('no')}@example.com"}),
        "authenticated 200": auth.call("GET", f"{API}/isAuthenticated", token=user.token),
        "no token 401": auth.call("GET", f"{API}/isAuthenticated"),
        "no administrator 200": auth.call("GET", f"{API}/isAdmin?id={user.id}"),
        "nobody 404": auth.call("GET", f"{API}/isAdmin?id=2147483000"),
        "gateway without token 401": rung.gateway.call("GET", f"/flights{API}/city"),
        "gateway with another 401": rung.gateway.call("GET", f"/flights{API}/city", token=user.token[:-2]),
        "gateway, nothing there 404": rung.gateway.call("GET", "/nothing", token=user.token),
        "no list without proof 401": auth.call("GET", f"{API}/revocations", token=user.token),
    }


def flights(rung: Platform, flight: Flight) -> dict[str, Answer]:
    """Make, list, read, change and delete, and reserve."""
    service, one = rung.flights, f"{API}/flights/{flight.id}"
    route = f"departureAirportID={flight.values['departureAirportID']}&minPrice=1&maxPrice={flight.price}"
    others = [rung.make("flights", {**flight.values, "flightNumber": unique("F")}) for _ in range(3)]
    listed = service.call("GET", f"{API}/flights?{route}")
    pages = [service.call("GET", f"{API}/flights?{route}&limit=2&offset={offset}") for offset in (0, 2, 4)]
    assert [row["id"] for row in listed.data] == [flight.id, *others]
    assert [row for page in pages for row in page.data] == listed.data
    key = unique("key")
    return {
        "listed 200": listed,
        "read 200": service.call("GET", one),
        "unknown flight 404": service.call("GET", f"{API}/flights/2147483000"),
        "number taken 409": service.call("POST", f"{API}/flights", dict(flight.values)),
        "invalid 400": service.call("POST", f"{API}/flights", {**flight.values, "price": 0}),
        "no JSON 415": service.call("POST", f"{API}/flights", raw=b"x", headers={"Content-Type": "text/plain"}),
        "changed 200": service.call("PATCH", one, {"boardingGate": "B7"}),
        "deleted 200": service.call("DELETE", f"{API}/flights/{others[0]}"),
        "reserved 201": service.call("POST", f"{one}/reservations", {"seats": 3, "key": key}),
        "reserved again 201": service.call("POST", f"{one}/reservations", {"seats": 3, "key": key}),
        "too many 409": service.call("POST", f"{one}/reservations", {"seats": 8, "key": unique("key")}),
        "given back 200": service.call("DELETE", f"{one}/reservations/{key}"),
        "key spent 409": service.call("POST", f"{one}/reservations", {"seats": 3, "key": key}),
    }


def odd(rung: Platform, user: User) -> dict[str, Answer]:
    """Ask for what is not there, and badly, at the services and through the gateway."""
    body = {"flightId": 1, "userId": user.id, "NoOfSeats": 1}
    json_head, path = {"Content-Type": "application/json"}, f"{API}/bookings"
    doors: dict[str, Callable[..., Answer]] = {
        "at booking": rung.booking.call,
        "through the gateway": lambda method, where, *args, **how: rung.gateway.call(
            method, f"/bookingservice{where}", *args, token=user.token, **how
        ),
    }
    said: dict[str, Answer] = {}
    for door, call in doors.items():
        said |= {
            f"{door}, nothing there 404": call("GET", f"{API}/nothing"),
            f"{door}, double slash 404": call("GET", "/api//v1/bookings"),
            f"{door}, no such method 405": call("DELETE", path),
            f"{door}, broken JSON 400": call("POST", path, raw=b"{", headers=json_head),
            f"{door}, no object 400": call("POST", path, []),
            f"{door}, nothing said 400": call("POST", path, {}),
            f"{door}, all wrong 400": call("POST", path, {"flightId": "x", "userId": -1, "NoOfSeats": 1.5}),
            f"{door}, too large 413": call("POST", path, raw=b" " * (2 << 20), headers=json_head),
            f"{door}, no JSON 415": call("POST", path, raw=b"a=b", headers={"Content-Type": "text/plain"}),
            f"{door}, endless key 400": call("POST", path, body, headers={"Idempotency-Key": "x" * 192}),
            f"{door}, odd page 400": call("GET", f"{path}?limit=-1&offset=x"),
            f"{door}, odd change 400": call("PATCH", f"{path}/1", {"status": "Booked"}),
            f"{door}, unknown change 404": call("PATCH", f"{path}/2147483000", {"status": "Cancelled"}),
            f"{door}, id in words 404": call("GET", f"{path}/one"),
        }
    return said


def line(name: str, answer: Answer) -> str:
    """Write down what of an answer is the same for everybody: its kind, and its sentences without numbers and names."""
    kind = {"headers": sorted(name.lower() for name in answer.headers), "data": shape(answer.data), "err": answer.err}
    return json.dumps({"answer": name, **kind, "message": VARYING.sub("#", answer.message)}, ensure_ascii=False)


def shape(value: object) -> object:
    """Give a JSON value with types for what it holds; of a list its first element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def bookings(rung: Platform, user: User, flight: Flight) -> dict[str, Answer]:
    """Book and cancel, rightly and wrongly, through the gateway."""
    key, path = {"Idempotency-Key": uuid4().hex}, f"/bookingservice{API}/bookings"
    body: dict[str, Any] = {"flightId": flight.id, "userId": user.id, "NoOfSeats": 1}

    def send(change: dict[str, Any]) -> Answer:
        return rung.gateway.call("POST", path, {**body, **change}, token=user.token)

    booked = rung.book(flight, user, 4, key)
    one = f"{path}/{booked.data['id']}"
    return {
        "booked 200": booked,
        "the same key 200": rung.book(flight, user, 4, key),
        "the key of another 422": rung.book(flight, user, 3, key),
        "too few left 409": rung.book(flight, user, 7),
        "no such flight 404": send({"flightId": 2147483000}),
        "in another's name 403": send({"userId": user.id + 1}),
        "no seats 400": send({"NoOfSeats": 0}),
        "seats in words 400": send({"NoOfSeats": "two"}),
        "found 200": rung.gateway.call("GET", one, token=user.token),
        "not found 404": rung.gateway.call("GET", f"{path}/2147483000", token=user.token),
        "page 200": rung.gateway.call("GET", f"{path}?flightId={flight.id}&limit=1", token=user.token),
        "cancelled 200": rung.cancel(booked.data["id"], user),
        "cancelled again 200": rung.cancel(booked.data["id"], user),
        "published 201": rung.gateway.call("POST", f"/bookingservice{API}/publish", token=user.token),
        "info 200": rung.gateway.call("GET", f"/bookingservice{API}/info", token=user.token),
        "ticket 201": rung.gateway.call("POST", f"/reminder{API}/tickets", dict(TICKET), token=user.token),
        "tickets 200": rung.gateway.call("GET", f"/reminder{API}/tickets?limit=1", token=user.token),
    }
