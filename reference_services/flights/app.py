"""The flights service's composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.common.app import Parts, complete_app, new_app
from reference_services.common.background import Background
from reference_services.common.database import open_database
from reference_services.common.searching import paging_of
from reference_services.flights import models, tables
from reference_services.flights.resource import Flights, Resource
from reference_services.flights.routes import (
    RESERVATIONS,
    Kind,
    operations,
    reservation_routes,
    resource_routes,
)
from reference_services.flights.seats import Seats

if TYPE_CHECKING:
    from flask import Flask

    from reference_services.flights.config import FlightsConfig

CITY = Kind("city", models.NewCity, models.CityChange)
AIRPORTS = Kind("airports", models.NewAirport, models.AirportChange)
AIRPLANE = Kind("airplane", models.NewAirplane, models.AirplaneChange)
FLIGHTS = Kind("flights", models.NewFlight, models.FlightChange, models.FlightQuery)


def create_app(config: FlightsConfig) -> Flask:
    """Make the flights service.

    Raises:
        ConfigError: its database cannot be opened.
    """
    app = new_app(config.common)
    database = open_database(app, config.database_url, tables.metadata, config.common, tables.SEARCHED)
    paging = paging_of(config.common.profile)
    resources = (
        (CITY, Resource("city", tables.city, database, paging, unique="name")),
        (AIRPORTS, Resource("airport", tables.airports, database, paging)),
        (AIRPLANE, Resource("airplane", tables.airplane, database, paging)),
        (FLIGHTS, Flights(database, paging, tables.airplane, tables.reservations)),
    )
    described = [operation for kind, _ in resources for operation in operations(kind)]
    parts = Parts(
        blueprints=[
            *(resource_routes(kind, resource) for kind, resource in resources),
            reservation_routes(Seats(database)),
        ],
        operations=(*described, *RESERVATIONS),
        checks=[database.ready],
        background=Background(closers=[database.engine.dispose]),
    )
    return complete_app(app, parts)
