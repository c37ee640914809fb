"""No input gives a 500: whatever is wrong is a 4xx in the one shape, with a sentence that names the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.services.hostile import (
    IDS,
    NO_OBJECT,
    OTHER_TYPES,
    QUERIES,
    TARGETS,
    WITHOUT_A_FIELD,
    Target,
)
from tests.integration.services.platform import API, BOTH, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.services.client import Answer
    from tests.integration.services.platform import Platform, User

BACKENDS = BOTH
FIELDS = [(name, field) for name, target in TARGETS.items() for field in target.fields]


class Ground:
    """Valid things to aim at, and a valid body for each call."""

    def __init__(self, safe: Platform, user: User) -> None:
        flight = safe.flight(capacity=50)
        booking = safe.book(flight, user).data["id"]
        port = safe.flights.call("GET", f"{API}/airports/{flight.values['arrivalAirportId']}").data
        self._ids = {
            "city": port["cityId"],
            "airport": port["id"],
            "airplane": flight.values["airplaneId"],
            "flight": flight.id,
            "booking": booking,
        }
        new_flight = {**flight.values, "flightNumber": unique("F")}
        new_port = {"name": unique("port"), "address": "a", "cityId": port["cityId"]}
        plane = {"modelNumber": unique("model"), "capacity": 10}
        self._bodies: dict[str, dict[str, Any]] = {
            "signup": {"email": f"{unique('v')}@example.com", "password": "correct-horse"},
            "signin": {"email": user.email, "password": user.password},
            "new city": {"name": unique("city")},
            "city": {"name": unique("city")},
            "new airport": new_port,
            "airport": new_port,
            "new airplane": plane,
            "airplane": plane,
            "new flight": new_flight,
            "flight": {"price": 70},
            "reservation": {"seats": 1, "key": unique("k")},
            "new booking": {"flightId": flight.id, "userId": user.id, "NoOfSeats": 1},
            "booking": {"status": "Cancelled"},
            "ticket": {"subject": "s", "content": "c", "recepientEmail": f"{unique('v')}@example.com"},
        }

    def path(self, target: Target) -> str:
        """Give the path of a call on something that is there."""
        return target.path.format(**self._ids)

    def body(self, name: str) -> dict[str, Any]:
        """Give a body that would be accepted."""
        return dict(self._bodies[name])

    def with_raw(self, name: str, field: str, raw: str) -> bytes:
        """Give that body with one field of raw JSON text."""
        return json.dumps({**self.body(name), field: "@@"}).replace('"@@"', raw).encode()


@pytest.fixture(scope="module")
def ground(safe: Platform, user: User) -> Ground:
    """Give the module's valid things."""
    return Ground(safe, user)


def doors(safe: Platform, ground: Ground, user: User, name: str) -> dict[str, Callable[..., Answer]]:
    """Give the two ways to a call, direct and through the gateway."""
    target = TARGETS[name]

    def direct(**how: Any) -> Answer:
        return safe.services[target.service].call(target.method, ground.path(target), **how)

    def through(**how: Any) -> Answer:
        path = f"/{target.through}{ground.path(target)}"
        return safe.gateway.call(target.method, path, token=user.token, **how)

    return {"direct": direct, "gateway": through}


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[f"{name}-{field}" for name, field in FIELDS])
def test_bad_values_of_a_field(safe: Platform, ground: Ground, user: User, name: str, field: str) -> None:
    """Every bad value of a field, and its absence, is a 400 whose answer names the field."""
    target = TARGETS[name]
    call = doors(safe, ground, user, name)["direct"]
    bodies = {raw: ground.with_raw(name, field, raw) for raw in target.fields[field]}
    if field not in target.optional:
        bodies["(missing)"] = json.dumps({k: v for k, v in ground.body(name).items() if k != field}).encode()
    wrong = []
    for raw, body in bodies.items():
        answer = call(raw=body)
        named = field in answer.message and field in json.dumps(answer.err)
        if answer.status not in {400, 409} or not (named or raw in WITHOUT_A_FIELD):
            wrong.append((raw[:40], answer.status, answer.text[:120]))
        if answer.status == 409 and raw not in {"1000001", "2147483647"}:
            wrong.append((raw[:40], answer.status, answer.text[:120]))
    assert not wrong


@pytest.mark.parametrize("door", ["direct", "gateway"])
@pytest.mark.parametrize("name", TARGETS)
def test_bodies_that_are_no_object(safe: Platform, ground: Ground, user: User, name: str, door: str) -> None:
    """What is no JSON object, or one with none of the fields, is a 400, however deep, broken or odd it is."""
    call = doors(safe, ground, user, name)[door]
    answers = {what: call(raw=body).status for what, body in NO_OBJECT.items()}
    assert {what: status for what, status in answers.items() if status != 400} == {}


@pytest.mark.parametrize("name", TARGETS)
def test_other_content_types(safe: Platform, ground: Ground, user: User, name: str) -> None:
    """A body that is not declared as JSON is a 415 that names the header; JSON with a charset is JSON."""
    call = doors(safe, ground, user, name)
    wrong = []
    for door, send in call.items():
        for content_type in OTHER_TYPES:
            answer = send(raw=b"{}", headers={"Content-Type": content_type})
            if answer.status != 415 or "Content-Type" not in answer.message:
                wrong.append((door, content_type, answer.status))
    charset = call["direct"](raw=b"[]", headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert (charset.status, wrong) == (400, [])


@pytest.mark.parametrize("name", TARGETS)
def test_a_body_of_10_mb(safe: Platform, ground: Ground, user: User, name: str) -> None:
    """A body of 10 MB is a 413 in the one shape, direct and through the gateway."""
    body = json.dumps({**ground.body(name), "filler": "x" * 10_000_000}).encode()
    assert [send(raw=body).status for send in doors(safe, ground, user, name).values()] == [413, 413]


def test_unknown_keys_change_nothing(safe: Platform, user: User) -> None:
    """Keys that a body does not have are ignored or refused; they never reach what is stored."""
    flight = safe.flight(price=10)
    sly = {"status": "Cancelled", "totalCost": 0, "id": 1, "createdAt": "x", "__proto__": {}, "a" * 1000: 1, "": None}
    booked = safe.booking.call(
        "POST", f"{API}/bookings", {**sly, "flightId": flight.id, "userId": user.id, "NoOfSeats": 2}
    )
    assert (booked.status, booked.data["status"], booked.data["totalCost"]) == (200, "Booked", 20)
    made = safe.flights.call("POST", f"{API}/city", {"name": unique("city"), "id": 1, "createdAt": "x"})
    assert made.status == 201
    assert made.data["id"] != 1 or made.data["createdAt"] != "x"


@pytest.mark.parametrize(
    ("service", "path", "methods"),
    [
        ("flights", "city/{}", ("GET", "PATCH", "DELETE")),
        ("flights", "airports/{}", ("GET", "PATCH", "DELETE")),
        ("flights", "airplane/{}", ("GET", "PATCH", "DELETE")),
        ("flights", "flights/{}", ("GET", "PATCH", "DELETE")),
        ("flights", "flights/{}/reservations", ("POST",)),
        ("flights", "flights/{}/reservations/k", ("DELETE",)),
        ("booking", "bookings/{}", ("GET", "PATCH")),
    ],
)
def test_ids_of_nothing_in_a_path(
    safe: Platform, user: User, service: str, path: str, methods: tuple[str, ...]
) -> None:
    """What cannot be an id, or is the id of nothing, is a 404 or a 400, direct and through the gateway."""
    bodies = {"city": {"name": "x"}, "bookings": {"status": "Cancelled"}, "airports": {"name": "x"}}
    body = bodies.get(path.partition("/")[0], {"price": 5, "seats": 1, "key": "k", "capacity": 5})
    prefix = {"flights": "/flights", "booking": "/bookingservice"}[service]
    wrong = []
    for identity in (*IDS, "2147483647"):
        for method in methods:
            one = f"{API}/{path.format(identity)}"
            sent = None if method in {"GET", "DELETE"} else body
            direct = safe.services[service].call(method, one, sent)
            through = safe.gateway.call(method, prefix + one, sent, token=user.token)
            if {direct.status, through.status} - {400, 404}:
                wrong.append((method, identity[:30], direct.status, through.status))
    assert not wrong


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, (_, names) in QUERIES.items() for name in names])
def test_garbage_in_a_query(safe: Platform, path: str, name: str) -> None:
    """A query value that makes no sense is a 400 that names it; also limits of nothing and of everything."""
    service, names = QUERIES[path]
    values = [*names[name], *(["1000000000"] if name == "limit" else [])]
    answers = {value: safe.services[service].call("GET", f"{API}/{path}?{name}={value}") for value in values}
    assert {
        value[:30]: (answer.status, answer.text[:100])
        for value, answer in answers.items()
        if answer.status != 400 or name not in answer.err
    } == {}


def test_paths_that_are_nowhere(safe: Platform, user: User) -> None:
    """Unknown paths are a 404 in JSON at every service; no service answers with HTML, not even to redirect."""
    wrong = []
    paths = (
        "/",
        f"{API}",
        f"{API}/",
        f"{API}/nothing",
        "/api/v2/city",
        "/api//v1/city",
        f"{API}//city",
        "/%00",
        "/%FF",
    )
    for name, service in safe.services.items():
        for path in paths if name != "gateway" else ("/", "/nothing", "/nothing/x", "/flights//api/v1/none", "/%00/x"):
            raw = service.send("GET", path, headers={"x-access-token": user.token})
            if raw.status not in {200, 404} or raw.headers.get("Content-Type") != "application/json":
                wrong.append((name, path, raw.status, raw.headers.get("Content-Type")))
    assert not wrong


@pytest.mark.parametrize("service", ["auth", "flights", "booking", "reminder"])
def test_methods_that_a_path_does_not_have(safe: Platform, user: User, service: str) -> None:
    """A wrong method is a 405 in JSON that says which are right, direct and through the gateway."""
    path, right = {
        "auth": ("signup", "POST"),
        "flights": ("city", "GET"),
        "booking": ("bookings", "POST"),
        "reminder": ("tickets", "POST"),
    }[service]
    prefix = {"booking": "bookingservice"}.get(service, service)
    for method in ("PUT", "DELETE", "PATCH"):
        direct = safe.services[service].call(method, f"{API}/{path}", {})
        through = safe.gateway.call(method, f"/{prefix}{API}/{path}", {}, token=user.token)
        assert [direct.status, through.status] == [405, 405]
        assert all(right in answer.headers["Allow"] for answer in (direct, through))
    assert safe.services[service].call("DELETE", "/health").status == 405
