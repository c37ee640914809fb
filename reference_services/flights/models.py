"""The bodies and queries that the flights service takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from reference_services.common.fields import Body, Id, Moment, Name, Page, Price, QueryCount, QueryId, Seats

SeatsLeft = Annotated[int, Field(ge=0, le=1_000_000)]


def usable_key(text: str) -> str:
    """Refuse what could not be named in the path that releases it."""
    if not text.isprintable():
        raise ValueError("must be printable characters")
    return text


Key = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(usable_key)]


class Change(Body):
    """A change of some fields; what is absent stays, and null changes nothing to null."""

    @model_validator(mode="after")
    def _changes_something(self) -> Change:
        if not self.model_fields_set:
            raise ValueError("holds no field that can be changed")
        for name in self.model_fields_set:
            if getattr(self, name) is None and name != "boarding_gate":
                raise ValueError(f"{type(self).model_fields[name].alias} must not be null")
        return self


class NewCity(Body):
    """A new city."""

    name: Name


class CityChange(Change):
    """A city's new name."""

    name: Name | None = None


class NewAirport(Body):
    """A new airport."""

    name: Name
    address: Name
    city_id: Id


class AirportChange(Change):
    """An airport's new values."""

    name: Name | None = None
    address: Name | None = None
    city_id: Id | None = None


class NewAirplane(Body):
    """A new airplane."""

    model_number: Name
    capacity: Seats = 200


class AirplaneChange(Change):
    """An airplane's new values; flights that it serves keep their seats."""

    model_number: Name | None = None
    capacity: Seats | None = None


class NewFlight(Body):
    """A new flight; it starts with as many seats as its airplane has."""

    flight_number: Name
    airplane_id: Id
    departure_airport_id: Id = Field(alias="departureAirportID")
    arrival_airport_id: Id
    departure_time: Moment
    arrival_time: Moment
    price: Price
    boarding_gate: Name | None = None


class FlightChange(Change):
    """A flight's new values; `totalSeats` is the number of seats left."""

    flight_number: Name | None = None
    airplane_id: Id | None = None
    departure_airport_id: Id | None = Field(default=None, alias="departureAirportID")
    arrival_airport_id: Id | None = None
    departure_time: Moment | None = None
    arrival_time: Moment | None = None
    price: Price | None = None
    boarding_gate: Name | None = None
    total_seats: SeatsLeft | None = None


class FlightQuery(Page):
    """Which flights are listed."""

    departure_airport_id: QueryId | None = Field(default=None, alias="departureAirportID")
    arrival_airport_id: QueryId | None = None
    min_price: QueryCount | None = None
    max_price: QueryCount | None = None


class Wish(Body):
    """Seats on a flight, once per key."""

    flight_id: Id
    seats: Seats
    key: Key


class NewReservations(Body):
    """Seats for many at once."""

    wishes: Annotated[list[Wish], Field(min_length=1, max_length=200)]


class NewReservation(Body):
    """Seats to take, once per key."""

    seats: Seats
    key: Key
