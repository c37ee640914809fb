"""T20: 30 ms that are put into one service are attributed to it, through every hop that the request takes.

The services are real ones and talk HTTP; their clock is the test's, so that a busy machine takes no time.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from urllib3 import PoolManager

from lab.engine.recorder import Recorder
from lab.model.sample import Tally
from lab.model.server_timing import timing_of
from reference_services.common import client, database, timing
from reports.attribution.difference import difference
from reports.attribution.operation import MEDIAN, operations
from tests.integration.services.within import SERVICES, composed, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reports.attribution.operation import Operation

DELAY_NS: Final = 30_000_000
DELAY_US: Final = 30_000
TOLERANCE_US: Final = 3_000
ROUNDS: Final = 20
TICK_NS: Final = 10_000
PLAIN: Final = "plain"


class Clock:
    """A clock that goes on a little at each look, and by much where a service is slow."""

    def __init__(self) -> None:
        self._ns = 0

    def __call__(self) -> int:
        """Give the time in ns."""
        self._ns += TICK_NS
        return self._ns

    def pass_by(self, ns: int) -> None:
        """Let time pass."""
        self._ns += ns


@dataclass(slots=True)
class Platform:
    """Four services in this process, one of which is slow for the present request: `slow`, where it is not ""."""

    clock: Clock
    gateway: str = ""
    slow: str = ""

    def delay(self, service: str) -> None:
        """Let time pass where it is this service's turn."""
        if self.slow == service:
            self.clock.pass_by(DELAY_NS)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Give the platform, with the profile in which a booking takes all hops."""
    found = Platform(Clock())
    for module in (timing, client, database):
        monkeypatch.setattr(module, "monotonic_ns", found.clock)
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        for service, app in composed(tmp_path, "safe", urls):
            app.before_request(lambda service=service: found.delay(service))
            urls[service] = stack.enter_context(served(app))
        found.gateway = urls["gateway"]
        yield found


class Client:
    """Books, and records what the answers tell."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._pool = PoolManager(retries=False, timeout=60)
        self._recorder = Recorder(time.perf_counter)
        self._recorder.start()
        self._token = ""
        who = {"email": "ann@example.com", "password": "secret"}
        self.call("auth/api/v1/signup", who)
        signed = self.call("auth/api/v1/signin", who)
        self._token, self._user = signed["token"], signed["id"]
        plane = self.call("flights/api/v1/airplane", {"modelNumber": "A", "capacity": 5000})["id"]
        city = self.call("flights/api/v1/city", {"name": "c"})["id"]
        ports = [
            self.call("flights/api/v1/airports", {"name": name, "address": "a", "cityId": city})["id"] for name in "ab"
        ]
        flight = {
            "flightNumber": "F1",
            "airplaneId": plane,
            "departureAirportID": ports[0],
            "arrivalAirportId": ports[1],
            "departureTime": "2026-05-01T08:00:00.000Z",
            "arrivalTime": "2026-05-01T10:30:00.000Z",
            "price": 70,
        }
        self._flight = self.call("flights/api/v1/flights", flight)["id"]

    def call(self, path: str, body: dict[str, Any], operation: str = "") -> Any:  # noqa: ANN401 - whatever it answers
        """Send a request through the gateway."""
        headers = {"Content-Type": "application/json", "x-access-token": self._token}
        begin = self._platform.clock()
        answer = self._pool.request("POST", f"{self._platform.gateway}/{path}", body=json.dumps(body), headers=headers)
        us = (self._platform.clock() - begin) // 1000
        assert answer.status in {200, 201}, answer.data
        if operation:
            told = timing_of(answer.headers)
            self._recorder.line("POST", (("operation", operation),)).timed(us, told)
        return json.loads(answer.data)["data"]

    def book(self) -> None:
        """Book once with each service slow, and once with none."""
        for slow in ("", *SERVICES):
            self._platform.slow = slow
            wish = {"flightId": self._flight, "userId": self._user, "NoOfSeats": 1}
            self.call("bookingservice/api/v1/bookings", wish, slow or PLAIN)
        self._platform.slow = ""

    def found(self) -> dict[str, Operation]:
        """Give what was recorded."""
        tally = Tally()
        for tick in self._recorder.close({}, everything=True):
            tally.add(tick)
        return {one.name: one for one in operations((key, bins.bins) for key, bins in tally.trends.items())}

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def test_a_delay_in_a_service_is_attributed_to_that_service(platform: Platform) -> None:
    """Whichever it is, it is ranked first, with 30 ± 3 ms; and the parts add up to the whole."""
    user = Client(platform)
    for _ in range(ROUNDS):
        user.book()
    found = user.found()
    user.close()
    for service in SERVICES:
        moved = difference(found[PLAIN], found[service], MEDIAN)
        assert moved is not None
        first = moved.parts[0]
        assert first.label == f"{service}.own", str(moved)
        assert first.us == pytest.approx(DELAY_US, abs=TOLERANCE_US), str(moved)
        assert sum(part.us for part in moved.parts) == pytest.approx(moved.us)
        assert moved.us == pytest.approx(DELAY_US, abs=TOLERANCE_US), str(moved)
