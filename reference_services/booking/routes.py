"""The calls of the booking service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Blueprint, Response, request

from reference_services.booking.models import BookingChange, BookingQuery, NewBooking
from reference_services.booking.service import Caller
from reference_services.common.answers import answer
from reference_services.common.errors import invalid
from reference_services.common.fields import email_address
from reference_services.common.inputs import read_body, read_id, read_query
from reference_services.common.openapi import Operation

if TYPE_CHECKING:
    from reference_services.booking.service import BookingService

LONGEST_KEY = 191

OPERATIONS = (
    Operation(
        "post",
        "/api/v1/bookings",
        "Book seats",
        {
            200: "booked",
            400: "invalid",
            403: "another user",
            404: "no such flight",
            409: "too few seats, or the key's booking was cancelled",
            413: "too large",
            415: "no JSON",
            422: "the key belongs to another booking",
            503: "flights is away",
        },
        NewBooking,
        headers={"Idempotency-Key": False},
    ),
    Operation("get", "/api/v1/bookings", "List bookings", {200: "a page", 400: "invalid"}, query=BookingQuery),
    Operation("get", "/api/v1/bookings/{id}", "Read one", {200: "found", 404: "unknown id"}),
    Operation(
        "patch",
        "/api/v1/bookings/{id}",
        "Cancel one",
        {
            200: "cancelled",
            400: "invalid",
            403: "another user's",
            404: "unknown id",
            409: "still in process",
            413: "too large",
            415: "no JSON",
        },
        BookingChange,
    ),
    Operation("post", "/api/v1/publish", "Publish a test notification", {201: "published"}),
    Operation("get", "/api/v1/info", "Say hello", {200: "hello"}),
)


def booking_routes(service: BookingService) -> Blueprint:
    """Give the blueprint of bookings."""
    blueprint = Blueprint("bookings", __name__)

    @blueprint.post("/bookings")
    def book() -> Response:
        return answer(service.book(read_body(NewBooking), _caller(), _idempotency_key()), "Booked.")

    @blueprint.get("/bookings")
    def show_list() -> Response:
        return answer(service.list(read_query(BookingQuery)), "A page of bookings.")

    @blueprint.get("/bookings/<identity>")
    def show(identity: str) -> Response:
        return answer(service.read(read_id("booking", identity)), "The booking.")

    @blueprint.patch("/bookings/<identity>")
    def cancel(identity: str) -> Response:
        wanted = read_id("booking", identity)
        read_body(BookingChange)
        return answer(service.cancel(wanted, _caller()), "Cancelled.")

    return blueprint


def other_routes(service: BookingService) -> Blueprint:
    """Give the blueprint of the calls that are about no booking."""
    blueprint = Blueprint("other", __name__)

    @blueprint.post("/publish")
    def publish() -> Response:
        service.publish_test()
        return answer({}, "A test notification was published.", 201)

    @blueprint.get("/info")
    def info() -> Response:
        return answer({}, "Response from routes")

    return blueprint


def _caller() -> Caller:
    """Read whom the gateway names; it strips these headers from what clients send."""
    user_id = request.environ.get("HTTP_X_USER_ID", "")
    email = request.environ.get("HTTP_X_USER_EMAIL")
    if user_id and not (user_id.isascii() and user_id.isdigit()):
        raise invalid("X-User-Id", "must be a whole number")
    try:
        known = email_address(unquote(email)) if email else None
    except ValueError as error:
        raise invalid("X-User-Email", str(error)) from None
    return Caller(int(user_id[:20]) if user_id else None, known)


def _idempotency_key() -> str | None:
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", f"must be 1 to {LONGEST_KEY} printable ASCII characters")
    return key
