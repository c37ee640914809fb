"""The calls of the flights service: the same five for each kind of thing, and reservations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from reference_services.common.answers import answer
from reference_services.common.errors import invalid
from reference_services.common.fields import Body, Page
from reference_services.common.inputs import read_body, read_id, read_query
from reference_services.common.openapi import Operation
from reference_services.flights.models import Change, FlightQuery, NewReservation, NewReservations
from reference_services.flights.tables import flights

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from reference_services.flights.resource import Resource
    from reference_services.flights.seats import Seats

LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of thing is reached.

    Attributes:
        path: its first path segment.
        new: the body that makes one.
        change: the body that changes one.
        query: the query of its list.
    """

    path: str
    new: type[Body]
    change: type[Change]
    query: type[Page] = Page


def resource_routes(kind: Kind, resource: Resource) -> Blueprint:
    """Give the blueprint of the five calls on one kind of thing."""
    blueprint = Blueprint(kind.path, __name__)
    one, many = f"/{kind.path}/<identity>", f"/{kind.path}"

    @blueprint.post(many)
    def create() -> Response:
        made = resource.create(read_body(kind.new).model_dump(by_alias=True))
        return answer(made, f"The {resource.kind} was made.", 201)

    @blueprint.get(many)
    def show_list() -> Response:
        page = read_query(kind.query)
        return answer(resource.page(page, conditions(page)), f"A page of {kind.path}.")

    @blueprint.get(one)
    def show(identity: str) -> Response:
        return answer(resource.read(read_id(resource.kind, identity)), f"The {resource.kind}.")

    @blueprint.patch(one)
    def change(identity: str) -> Response:
        wanted = read_id(resource.kind, identity)
        values = read_body(kind.change).model_dump(by_alias=True, exclude_unset=True)
        return answer(resource.change(wanted, values), f"The {resource.kind} was changed.")

    @blueprint.delete(one)
    def remove(identity: str) -> Response:
        return answer(resource.delete(read_id(resource.kind, identity)), f"The {resource.kind} was deleted.")

    return blueprint


def conditions(page: Page) -> list[ColumnElement[bool]]:
    """Turn a list's query into conditions."""
    if not isinstance(page, FlightQuery):
        return []
    tests = (
        (page.departure_airport_id, flights.c.departureAirportID.__eq__),
        (page.arrival_airport_id, flights.c.arrivalAirportId.__eq__),
        (page.min_price, flights.c.price.__ge__),
        (page.max_price, flights.c.price.__le__),
    )
    return [test(value) for value, test in tests if value is not None]


def reservation_routes(seats: Seats) -> Blueprint:
    """Give the blueprint of reservations."""
    blueprint = Blueprint("reservations", __name__)

    @blueprint.post("/flights/<identity>/reservations")
    def take(identity: str) -> Response:
        flight_id = read_id("flight", identity)
        return answer(seats.take(flight_id, read_body(NewReservation)), "The seats are taken.", 201)

    @blueprint.post("/reservations")
    def take_all() -> Response:
        return answer(seats.take_all(read_body(NewReservations).wishes), "Each wish has an answer of its own.")

    @blueprint.delete("/flights/<identity>/reservations/<path:key>")
    def give_back(identity: str, key: str) -> Response:
        flight_id = read_id("flight", identity)
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise invalid("key", f"must be at most {LONGEST_KEY} printable characters")
        return answer(seats.give_back(flight_id, key), "The seats were given back.")

    return blueprint


def operations(kind: Kind) -> list[Operation]:
    """Describe the five calls on one kind of thing."""
    many, one = f"/api/v1/{kind.path}", f"/api/v1/{kind.path}/{{id}}"
    missing, wrong = {404: "unknown id"}, {400: "invalid", 413: "too large", 415: "no JSON"}
    taken = {409: "taken"}
    return [
        Operation("post", many, "Make one", {201: "made", **wrong, **missing, **taken}, kind.new),
        Operation("get", many, "List them", {200: "a page", 400: "invalid"}, query=kind.query),
        Operation("get", one, "Read one", {200: "found", **missing}),
        Operation("patch", one, "Change one", {200: "changed", **wrong, **missing, **taken}, kind.change),
        Operation("delete", one, "Delete one", {200: "deleted", **missing, 409: "in use"}),
    ]


RESERVATIONS = (
    Operation(
        "post",
        "/api/v1/flights/{id}/reservations",
        "Take seats, once per key",
        {201: "taken", 400: "invalid", 404: "no such flight", 409: "too few seats", 413: "too large", 415: "no JSON"},
        NewReservation,
    ),
    Operation(
        "post",
        "/api/v1/reservations",
        "Take seats for many at once, each once per its key and whatever becomes of the others",
        {200: "an answer for each, with its status", 400: "invalid", 413: "too large", 415: "no JSON"},
        NewReservations,
    ),
    Operation(
        "delete",
        "/api/v1/flights/{id}/reservations/{key}",
        "Give seats back, once",
        {200: "given back", 400: "invalid", 404: "no such flight or key"},
    ),
)
