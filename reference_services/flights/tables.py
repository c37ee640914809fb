"""The flights service's tables; a column is named as clients name the field.

Whoever knows a thing by its id must not meet another one under it: bookings name a flight that may be deleted. MariaDB
and MySQL never give an id again; SQLite only when it is told to.
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint

from reference_services.common.columns import Timestamp
from reference_services.common.searching import Searched

metadata = MetaData()


def _stamps() -> tuple[Column[object], Column[object]]:
    return Column("createdAt", Timestamp, nullable=False), Column("updatedAt", Timestamp, nullable=False)


city = Table(
    "city",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(191), nullable=False, unique=True),
    *_stamps(),
    sqlite_autoincrement=True,
)

airports = Table(
    "airports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(191), nullable=False),
    Column("address", String(191), nullable=False),
    Column("cityId", ForeignKey("city.id"), nullable=False),
    *_stamps(),
    sqlite_autoincrement=True,
)

airplane = Table(
    "airplane",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("modelNumber", String(191), nullable=False),
    Column("capacity", Integer, nullable=False),
    *_stamps(),
    sqlite_autoincrement=True,
)

flights = Table(
    "flights",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flightNumber", String(191), nullable=False, unique=True),
    Column("airplaneId", ForeignKey("airplane.id"), nullable=False),
    Column("departureAirportID", ForeignKey("airports.id"), nullable=False),
    Column("arrivalAirportId", ForeignKey("airports.id"), nullable=False),
    Column("departureTime", Timestamp, nullable=False),
    Column("arrivalTime", Timestamp, nullable=False),
    Column("price", Integer, nullable=False),
    Column("boardingGate", String(191)),
    Column("totalSeats", Integer, nullable=False),
    *_stamps(),
    # The last line of defence: whatever a future change gets wrong, no flight is sold below zero.
    CheckConstraint("totalSeats >= 0", name="seats_left"),
    sqlite_autoincrement=True,
)

SEARCHED = (
    Searched("flights_by_route", "flights", ("departureAirportID", "arrivalAirportId", "price")),
    Searched("flights_by_arrival", "flights", ("arrivalAirportId", "price")),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flightId", ForeignKey("flights.id"), nullable=False),
    Column("key", String(100), nullable=False),
    Column("seats", Integer, nullable=False),
    # A reservation that was given back stays as a mark that its key is spent.
    Column("released", Boolean, nullable=False),
    *_stamps(),
    UniqueConstraint("flightId", "key"),
)
