"""The booking service's tables, and the bodies and queries that it takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text, UniqueConstraint

from reference_services.common.columns import Timestamp
from reference_services.common.fields import Body, Id, Page, QueryId, Seats
from reference_services.common.searching import Searched

IN_PROCESS, BOOKED, CANCELLED = "InProcess", "Booked", "Cancelled"

metadata = MetaData()

bookings = Table(
    "bookings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flightId", Integer, nullable=False),
    Column("userId", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("NoOfSeats", Integer, nullable=False),
    Column("totalCost", BigInteger, nullable=False),
    Column("idempotencyKey", String(191)),
    # Under this key flights knows the seats. It cannot be guessed, so that nobody gives back another's seats.
    Column("reservationKey", String(32), nullable=False),
    # Whether flights may still hold seats for a booking that is cancelled.
    Column("seatsOwed", Boolean, nullable=False),
    # When the settler looks at this booking; null when it is settled.
    Column("settleAt", Timestamp),
    Column("createdAt", Timestamp, nullable=False),
    Column("updatedAt", Timestamp, nullable=False),
    # Null keys are all different: bookings without a key are not limited.
    UniqueConstraint("userId", "idempotencyKey"),
)

# A notification that is not handed to the bus yet; the row goes when the bus has it.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("createdAt", Timestamp, nullable=False),
)


SEARCHED = (
    Searched("bookings_by_flight", "bookings", ("flightId",)),
    Searched("bookings_by_user", "bookings", ("userId",)),
    Searched("bookings_to_settle", "bookings", ("settleAt",)),
)


class NewBooking(Body):
    """Seats on a flight for a user."""

    flight_id: Id
    user_id: Id
    no_of_seats: Seats = Field(alias="NoOfSeats")


class BookingChange(Body):
    """The one change that a booking takes."""

    status: Literal["Cancelled"]


class BookingQuery(Page):
    """Which bookings are listed."""

    flight_id: QueryId | None = None
    user_id: QueryId | None = None
    status: Literal["InProcess", "Booked", "Cancelled"] | None = None
