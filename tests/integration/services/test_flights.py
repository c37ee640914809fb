"""The flights service against the contract: create, read, list, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.services.platform import API, BOTH, at_once, unique

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.services.client import Answer
    from tests.integration.services.platform import Flight, Platform

BACKENDS = BOTH
STAMPS = {"id", "createdAt", "updatedAt"}
MISSING = 2_147_483_647


def city(_safe: Platform) -> dict[str, Any]:
    """Give a body that makes a city."""
    return {"name": unique("city")}


def airport(safe: Platform) -> dict[str, Any]:
    """Give a body that makes an airport."""
    return {"name": unique("port"), "address": "1 Runway", "cityId": safe.make("city", city(safe))}


def airplane(_safe: Platform) -> dict[str, Any]:
    """Give a body that makes an airplane."""
    return {"modelNumber": unique("model"), "capacity": 180}


def a_flight(safe: Platform) -> dict[str, Any]:
    """Give a body that makes a flight."""
    return {**safe.flight_values(capacity=150), "boardingGate": "B7"}


KINDS: dict[str, tuple[Callable[[Platform], dict[str, Any]], dict[str, Any]]] = {
    "city": (city, {"name": "new name"}),
    "airports": (airport, {"address": "2 Runway"}),
    "airplane": (airplane, {"capacity": 12}),
    "flights": (a_flight, {"price": 4321}),
}


@pytest.mark.parametrize("door", ["flights", "gateway"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_make_read_list_change_delete(safe: Platform, kind: str, door: str) -> None:
    """The five calls do what the contract says, direct and through the gateway."""
    values, change = KINDS[kind][0](safe), dict(KINDS[kind][1])
    if kind == "city":
        change = {"name": unique("renamed")}
    token, path = "", f"{API}/{kind}"
    if door == "gateway":
        token, path = safe.user().token, f"/flights{path}"
    service = safe.services[door]

    def call(method: str, rest: str = "", body: object = None) -> Answer:
        return service.call(method, path + rest, body, token=token)

    made = call("POST", body=values)
    assert made.status == 201
    extra = {"totalSeats", "airplaneDetail"} if kind == "flights" else set()
    assert set(made.data) == STAMPS | set(values) | extra
    assert {name: made.data[name] for name in values} == values
    one = f"/{made.data['id']}"
    assert (call("GET", one).status, call("GET", one).data) == (200, made.data)
    listed = call("GET", f"?limit=1000&offset={max(0, made.data['id'] - 1000)}")
    assert (listed.status, isinstance(listed.data, list)) == (200, True)
    changed = call("PATCH", one, change)
    assert changed.status == 200
    assert {**changed.data, "updatedAt": ""} == {**made.data, **change, "updatedAt": ""}
    assert call("GET", one).data == changed.data
    assert call("DELETE", one).status == 200
    assert [call("GET", one).status, call("PATCH", one, change).status, call("DELETE", one).status] == [404] * 3


def test_what_is_unique_is_taken_once(safe: Platform) -> None:
    """A second city of one name and a second flight of one number are a 409, by POST and by PATCH."""
    names = [city(safe), city(safe)]
    ids = [safe.make("city", values) for values in names]
    assert safe.flights.call("POST", f"{API}/city", names[0]).status == 409
    renamed = safe.flights.call("PATCH", f"{API}/city/{ids[1]}", names[0])
    assert (renamed.status, "name" in renamed.err) == (409, True)
    flights = [safe.flight_values(), safe.flight_values()]
    numbers = [safe.make("flights", values) for values in flights]
    again = safe.flights.call("POST", f"{API}/flights", {**flights[1], "flightNumber": flights[0]["flightNumber"]})
    moved = {"flightNumber": flights[0]["flightNumber"]}
    renumbered = safe.flights.call("PATCH", f"{API}/flights/{numbers[1]}", moved)
    assert [again.status, renumbered.status] == [409, 409]
    assert "flightNumber" in again.err


def test_one_of_many_cities_at_once_is_made(safe: Platform) -> None:
    """Eight POSTs of one city at the same moment make one."""
    values = city(safe)
    answers = at_once(8, lambda _: safe.flights.call("POST", f"{API}/city", values).status)
    assert sorted(answers) == [201] + [409] * 7


def test_a_flight_starts_with_its_airplanes_seats(safe: Platform) -> None:
    """`totalSeats` is the airplane's capacity, 200 when none was given, whatever the body says."""
    values = safe.flight_values(capacity=37)
    made = safe.flights.call("POST", f"{API}/flights", {**values, "totalSeats": 5})
    assert (made.status, made.data["totalSeats"]) == (201, 37)
    plane = safe.make("airplane", {"modelNumber": unique("model")})
    made = safe.flights.call("POST", f"{API}/flights", {**values, "flightNumber": unique("F"), "airplaneId": plane})
    assert made.data["totalSeats"] == 200
    assert made.data["airplaneDetail"] == {"modelNumber": made.data["airplaneDetail"]["modelNumber"], "capacity": 200}


def test_patch_sets_the_seats_left(safe: Platform, flight: Flight) -> None:
    """`totalSeats` of a PATCH is an absolute number, 0 among them; below zero is refused."""
    for seats in (17, 0, 100):
        changed = safe.flights.call("PATCH", f"{API}/flights/{flight.id}", {"totalSeats": seats})
        assert (changed.status, changed.data["totalSeats"]) == (200, seats)
    assert safe.flights.call("PATCH", f"{API}/flights/{flight.id}", {"totalSeats": -1}).status == 400
    assert safe.left(flight) == 100


def test_a_flight_arrives_after_it_departs(safe: Platform, flight: Flight) -> None:
    """Arrival before or at departure is a 400 that names arrivalTime: in POST, and in PATCH of either time alone."""
    early = {"arrivalTime": flight.values["departureTime"]}
    before = {"arrivalTime": "2026-05-01T07:59:59Z"}
    zones = {"arrivalTime": "2026-05-01T09:00:00+02:00"}
    for wrong in (early, before, zones):
        body = {**flight.values, "flightNumber": unique("F"), **wrong}
        for answer in (
            safe.flights.call("POST", f"{API}/flights", body),
            safe.flights.call("PATCH", f"{API}/flights/{flight.id}", wrong),
        ):
            assert (answer.status, "arrivalTime" in answer.text) == (400, True), wrong
    late = safe.flights.call("PATCH", f"{API}/flights/{flight.id}", {"departureTime": "2026-05-01T23:00:00Z"})
    assert (late.status, "Time" in late.text) == (400, True)


def test_a_flight_leads_somewhere_else(safe: Platform, flight: Flight) -> None:
    """Departure and arrival at one airport are a 400 that names an airport: in POST, and in PATCH of either alone."""
    departure, arrival = flight.values["departureAirportID"], flight.values["arrivalAirportId"]
    one = f"{API}/flights/{flight.id}"
    answers = [
        safe.flights.call(
            "POST", f"{API}/flights", {**flight.values, "flightNumber": unique("F"), "arrivalAirportId": departure}
        ),
        safe.flights.call("PATCH", one, {"arrivalAirportId": departure}),
        safe.flights.call("PATCH", one, {"departureAirportID": arrival}),
    ]
    assert [(answer.status, "irport" in answer.text) for answer in answers] == [(400, True)] * 3


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("airports", "cityId"),
        ("flights", "airplaneId"),
        ("flights", "departureAirportID"),
        ("flights", "arrivalAirportId"),
    ],
)
def test_what_is_referred_to_must_be_there(safe: Platform, kind: str, field: str) -> None:
    """An unknown id in a body is a 404 that names the field, in POST and in PATCH, and changes nothing."""
    values = KINDS[kind][0](safe)
    one = f"{API}/{kind}/{safe.make(kind, values)}"
    before = safe.flights.call("GET", one).data
    again = {**values, field: MISSING} | ({"flightNumber": unique("F")} if kind == "flights" else {})
    made = safe.flights.call("POST", f"{API}/{kind}", again)
    changed = safe.flights.call("PATCH", one, {field: MISSING})
    assert [(answer.status, field in answer.text) for answer in (made, changed)] == [(404, True)] * 2
    assert safe.flights.call("GET", one).data == before


def test_what_is_in_use_is_not_deleted(safe: Platform, flight: Flight) -> None:
    """A city with airports, an airplane and airports with a flight, a flight with seats taken: 409, and they stay."""
    values = flight.values
    port = safe.flights.call("GET", f"{API}/airports/{values['departureAirportID']}").data
    taken = safe.flights.call("POST", f"{API}/flights/{flight.id}/reservations", {"seats": 1, "key": unique("k")})
    assert taken.status == 201
    for path in (
        f"city/{port['cityId']}",
        f"airports/{port['id']}",
        f"airplane/{values['airplaneId']}",
        f"flights/{flight.id}",
    ):
        assert safe.flights.call("DELETE", f"{API}/{path}").status == 409, path
        assert safe.flights.call("GET", f"{API}/{path}").status == 200, path


def test_the_list_of_flights_is_searched_and_paged(safe: Platform) -> None:
    """The four filters, limit and offset choose flights in a fixed order; without a limit there still is one."""
    values = safe.flight_values(price=500)
    prices = (500, 600, 700)
    ids = [safe.make("flights", {**values, "flightNumber": unique("F"), "price": price}) for price in prices]
    here = f"departureAirportID={values['departureAirportID']}&arrivalAirportId={values['arrivalAirportId']}"

    def found(query: str) -> list[int]:
        answer = safe.flights.call("GET", f"{API}/flights?{here}&{query}")
        assert answer.status == 200
        return [one["id"] for one in answer.data]

    assert found("") == ids
    assert found("minPrice=600") == ids[1:]
    assert found("maxPrice=600") == ids[:2]
    assert found("minPrice=501&maxPrice=699") == ids[1:2]
    assert found("minPrice=700&maxPrice=500") == []
    assert [found(f"limit=1&offset={offset}") for offset in range(4)] == [[ids[0]], [ids[1]], [ids[2]], []]
    other = safe.flights.call("GET", f"{API}/flights?arrivalAirportId={values['departureAirportID']}")
    assert (other.status, other.data) == (200, [])


def test_a_list_without_a_limit_has_one(safe: Platform) -> None:
    """More cities than a page holds are not all listed at once."""
    for _ in range(130):
        safe.make("city", city(safe))
    whole = safe.flights.call("GET", f"{API}/city?limit=1000").data
    assert len(safe.flights.call("GET", f"{API}/city").data) < len(whole)


def test_a_change_of_nothing_is_refused(safe: Platform, flight: Flight) -> None:
    """An empty PATCH, one of unknown keys alone, and one that takes a needed value away are a 400."""
    one = f"{API}/flights/{flight.id}"
    for body in ({}, {"nothing": 1}, {"flightNumber": None}, {"totalSeats": None}, {"price": None}):
        assert safe.flights.call("PATCH", one, body).status == 400, body
    gate = safe.flights.call("PATCH", one, {"boardingGate": "A1"})
    none = safe.flights.call("PATCH", one, {"boardingGate": None})
    assert (gate.data["boardingGate"], none.status, none.data["boardingGate"]) == ("A1", 200, None)


def test_names_are_the_same_when_every_character_is(safe: Platform) -> None:
    """Capitals, accents and emoji make another name and another flight number; what was sent comes back as it was."""
    word = unique("name")
    for path, field, values in (("city", "name", {}), ("flights", "flightNumber", safe.flight_values())):
        names = [f"{word} {end}" for end in ("e", "E", "é", "😀", "😁", "ß", "ss")]
        made = [safe.flights.call("POST", f"{API}/{path}", {**values, field: name}) for name in names]
        assert [answer.status for answer in made] == [201] * len(names)
        found = [safe.flights.call("GET", f"{API}/{path}/{answer.data['id']}").data[field] for answer in made]
        assert found == names
        assert safe.flights.call("POST", f"{API}/{path}", {**values, field: names[3]}).status == 409


def test_the_id_of_what_was_deleted_is_nobodys(safe: Platform) -> None:
    """A new thing never gets the id of one that was deleted, not even of the last."""
    for kind, (values, _) in KINDS.items():
        first = safe.make(kind, values(safe))
        assert safe.flights.call("DELETE", f"{API}/{kind}/{first}").status == 200
        assert safe.make(kind, values(safe)) > first, kind


def test_two_changes_at_once_leave_a_whole_that_is_right(safe: Platform) -> None:
    """Changes that are each right with what was there before cannot together make a flight arrive before it departs."""
    for _ in range(5):
        flight = safe.flight()
        changes = [{"departureTime": "2026-05-01T10:00:00Z"}, {"arrivalTime": "2026-05-01T09:00:00Z"}] * 4
        answers = at_once(
            8,
            lambda index: safe.flights.call("PATCH", f"{API}/flights/{flight.id}", changes[index]).status,  # noqa: B023 - called at once
        )
        assert set(answers) <= {200, 400}
        after = safe.flights.call("GET", f"{API}/flights/{flight.id}").data
        assert after["departureTime"] < after["arrivalTime"]
