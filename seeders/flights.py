"""Flights: told apart by their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.errors import SeedError
from lab.model.dataset import Flight
from lab.platform import identity
from seeders.ensure import Kind, Work, each, ensure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from seeders.airplanes import Fleet
    from seeders.ensure import Row
    from seeders.plan import Blueprint, PlannedFlight


def seed_flights(
    work: Work,
    plan: Blueprint,
    airports: Sequence[int | str],
    fleet: Fleet,
    on_flight: Callable[[Flight], None],
) -> list[Flight]:
    """Make sure that the planned flights exist, and give them in the plan's order, sold out or not.

    A flight that was there keeps its airplane; its capacity is that airplane's.

    Raises:
        CallError: the target refused, or went away.
    """
    kind: Kind[PlannedFlight] = Kind(
        name="flights",
        path="/flights",
        body=lambda flight: {
            "flightNumber": flight.number,
            "airplaneId": fleet.ids[flight.airplane],
            "departureAirportID": airports[flight.departure],
            "arrivalAirportId": airports[flight.arrival],
            "departureTime": _moment(flight.leaves),
            "arrivalTime": _moment(flight.lands),
            "price": flight.price,
        },
        item_key=lambda flight: flight.number,
        row_key=lambda row: row.get("flightNumber"),
    )
    rows, _ = ensure(work, kind, plan.flights, lambda row: on_flight(_flight(row, fleet, work)))
    return [_flight(row, fleet, work) for row in rows]


def still_listed(work: Work, flights: Sequence[Flight]) -> bool:
    """Tell whether the target has each of some flights, with its id and its number.

    Raises:
        CallError: the target refused, or went away.
    """
    strange: list[Flight] = []

    def look(flight: Flight) -> bool:
        answer = work.client.get("flights", f"/flights/{quote(str(flight.id), safe='')}", accept=(404,))
        return isinstance(answer.data, dict) and answer.data.get("flightNumber") == flight.number

    def note(flight: Flight, there: bool) -> None:  # noqa: FBT001 - a task's result
        if not there:
            strange.append(flight)

    each(work, look, flights, note)
    return not strange


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _flight(row: Row, fleet: Fleet, work: Work) -> Flight:
    number, price, airplane = row.get("flightNumber"), row.get("price"), row.get("airplaneId")
    if isinstance(price, bool) or not isinstance(price, (int, float)):
        raise SeedError(f"flight {number}: its price is {price!r}, and no number")
    if isinstance(airplane, bool) or not isinstance(airplane, (int, str)):
        raise SeedError(f"flight {number}: its airplane is {airplane!r}, and no id")
    seats = fleet.seats_of(work, airplane)
    return Flight(identity(row, f"flight {number}"), str(number), seats, float(price))
