"""Each change of the ladder alone on the first safe rung: it starts, serves, and promises what that rung promises."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from reference_services.common.app import background_of
from reference_services.common.profile import LADDER
from tests.integration.services.client import Service
from tests.integration.services.platform import API, at_once, unique, wait_until
from tests.integration.services.within import composed, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CAPACITY, AT_ONCE = 5, 8
AT_WORK = ("booking", "gateway")
"""Who has work in the background without which a booking would not be whole, or would not be checked here."""


@pytest.fixture(params=LADDER[2:])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mapping[str, Service]]:
    """Give the services with one change on top of `safe`, as if there were two processes of each."""
    urls: dict[str, str] = {}
    with ExitStack() as stack:
        for name, app in composed(tmp_path, f"safe+{request.param}", urls, WORKERS="2"):
            if name in AT_WORK:
                background = background_of(app)
                stack.callback(background.stop)
                background.start()
            urls[name] = stack.enter_context(served(app))
        found = {name: Service(url) for name, url in urls.items()}
        for service in found.values():
            stack.callback(service.close)
        yield found


def test_a_change_alone(services: Mapping[str, Service]) -> None:
    """Whoever is signed in books, once per key, as many seats as there are; each booking's note leaves the outbox."""
    flights, gateway = services["flights"], services["gateway"]
    who = {"email": "ann@example.com", "password": "secret"}
    assert gateway.call("POST", f"/auth{API}/signup", who).status == 201
    signed = gateway.call("POST", f"/auth{API}/signin", who).data
    flight = make_flight(flights)
    body = {"flightId": flight, "userId": signed["id"], "NoOfSeats": 1}
    path = f"/bookingservice{API}/bookings"

    def book(key: str) -> tuple[int, int]:
        answer = gateway.call("POST", path, body, token=signed["token"], headers={"Idempotency-Key": key})
        return answer.status, answer.data.get("id", 0)

    keys = [unique("key") for _ in range(AT_ONCE)]
    answers = dict(zip(keys, at_once(AT_ONCE, lambda number: book(keys[number])), strict=True))
    assert sorted(status for status, _ in answers.values()) == [200] * CAPACITY + [409] * (AT_ONCE - CAPACITY)
    assert {key: book(key) for key, (status, _) in answers.items() if status == 200}.items() <= answers.items()
    assert flights.call("GET", f"{API}/flights/{flight}").data["totalSeats"] == 0
    assert gateway.call("GET", path, token=signed["token"] + "x").status == 401
    wait_until(lambda: services["booking"].call("GET", "/figures").data["outboxDepth"] == 0, "the outbox is empty")


def make_flight(flights: Service) -> int:
    """Make a flight and give its id."""

    def make(path: str, **values: object) -> int:
        made = flights.call("POST", f"{API}/{path}", values)
        assert made.status == 201, made
        return int(made.data["id"])

    city = make("city", name="city")
    ports = [make("airports", name=name, address="a", cityId=city) for name in ("one", "two")]
    return make(
        "flights",
        flightNumber="F1",
        airplaneId=make("airplane", modelNumber="m", capacity=CAPACITY),
        departureAirportID=ports[0],
        arrivalAirportId=ports[1],
        departureTime="2026-05-01T08:00:00.000Z",
        arrivalTime="2026-05-01T10:30:00.000Z",
        price=70,
    )
