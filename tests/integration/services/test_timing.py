"""What the services' answers tell of their time, and what they tell of their work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.model.server_timing import Reader

if TYPE_CHECKING:
    from tests.integration.services.platform import Flight, Platform, User

WHOLE = re.compile(r"gateway;dur=(\d+\.\d{3}), ")
CALLS = re.compile(r"([a-z]+)\.net;desc=([a-z]+);")


def test_a_bookings_answer_tells_the_whole_tree(safe: Platform, user: User, flight: Flight) -> None:
    """Every hop is in it with who called it, and all parts add up to the gateway's whole, to the µs."""
    header = safe.book(flight, user).headers["Server-Timing"]
    whole = WHOLE.match(header)
    assert whole is not None, header
    told = Reader().read(header)
    assert told.odd == []
    assert sum(told.parts.values()) == round(float(whole[1]) * 1000), header
    assert set(CALLS.findall(header)) == {("auth", "gateway"), ("booking", "gateway"), ("flights", "booking")}
    assert {"auth.db", "booking.db", "flights.db", "booking.pool", "gateway.own"} <= told.parts.keys()


def test_signing_in_tells_what_hashing_takes(safe: Platform, user: User) -> None:
    """The time that the password's hash takes stands apart from auth's other work."""
    answer = safe.gateway.call("POST", "/auth/api/v1/signin", {"email": user.email, "password": user.password})
    assert Reader().read(answer.headers["Server-Timing"]).parts["auth.hash"] > 0


def test_an_answer_that_is_an_error_tells_its_time_too(safe: Platform) -> None:
    """A refusal goes the same way."""
    answer = safe.gateway.call("GET", "/flights/api/v1/flights", token="none")
    assert answer.status == 401
    assert "auth.own" in Reader().read(answer.headers["Server-Timing"]).parts


def test_every_service_tells_of_its_work(safe: Platform) -> None:
    """Threads at work of all of them, connections of those that have a database, and the age of what waits."""
    told = {name: service.call("GET", "/figures").data for name, service in safe.services.items()}
    assert all("threadsBusy" in figures for figures in told.values())
    assert {name for name, figures in told.items() if {"poolInUse", "poolWaiting"} <= figures.keys()} == {
        "auth",
        "flights",
        "booking",
        "reminder",
    }
    assert {"queueDepth", "queueAgeMs"} <= told["reminder"].keys()
