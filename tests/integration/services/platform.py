"""The whole platform as the tests use it: things with names of their own, made by HTTP and looked at by HTTP."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Barrier
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from lab.stack.backend import EMBEDDED, Backend
from lab.stack.layout import SERVICES, Layout
from lab.stack.owned import running
from tests.integration.services.client import Answer, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.stack.state import StackState

T = TypeVar("T")
API = "/api/v1"
ONE = ("embedded",)
BOTH = ("embedded", "services")
PATIENCE_S = 30.0
PAGE = 1000


@dataclass(frozen=True, slots=True)
class User:
    """An account that is signed in."""

    id: int
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight that nobody else books."""

    id: int
    capacity: int
    price: int
    values: Mapping[str, Any]


class Platform:
    """A running stack.

    Attributes:
        secrets: what must stand in no log.
    """

    def __init__(self, state: StackState) -> None:
        self.state = state
        self.layout = Layout(state.folder)
        target = state.target()
        self.gateway = Service(target.gateway)
        self.auth = Service(target.auth)
        self.flights = Service(target.flights)
        self.booking = Service(target.booking)
        self.reminder = Service(target.reminder)
        self.bus = settings_of(state.pids["reminder"])["BUS_URL"]
        self.services = {name: Service(target.url(name)) for name in SERVICES}
        self.secrets = {key.read_text(encoding="ascii").strip() for key in self.layout.secrets.glob("*.key")}

    def close(self) -> None:
        """Close all connections."""
        for service in (self.gateway, self.auth, self.flights, self.booking, self.reminder, *self.services.values()):
            service.close()

    def user(self) -> User:
        """Sign somebody up, and in."""
        email, password = f"{unique('user')}@example.com", unique("pw")
        self.secrets.add(password)
        made = self.auth.call("POST", f"{API}/signup", {"email": email, "password": password})
        assert made.status == 201, made
        signed = self.auth.call("POST", f"{API}/signin", {"email": email, "password": password})
        assert signed.status == 200, signed
        self.secrets.add(signed.data["token"])
        return User(made.data["id"], email, password, signed.data["token"])

    def make(self, path: str, values: Mapping[str, object]) -> int:
        """Make a thing at the flights service and give its id."""
        made = self.flights.call("POST", f"{API}/{path}", values)
        assert made.status == 201, made
        return int(made.data["id"])

    def flight_values(self, capacity: int = 100, price: int = 70) -> dict[str, Any]:
        """Give a body that makes a flight, with all that it refers to."""
        city = self.make("city", {"name": unique("city")})
        airports = [self.make("airports", {"name": unique("port"), "address": "a", "cityId": city}) for _ in range(2)]
        plane = self.make("airplane", {"modelNumber": unique("model"), "capacity": capacity})
        return {
            "flightNumber": unique("F"),
            "airplaneId": plane,
            "departureAirportID": airports[0],
            "arrivalAirportId": airports[1],
            "departureTime": "2026-05-01T08:00:00.000Z",
            "arrivalTime": "2026-05-01T10:30:00.000Z",
            "price": price,
        }

    def flight(self, capacity: int = 100, price: int = 70) -> Flight:
        """Make a flight of its own city, airports and airplane."""
        values = self.flight_values(capacity, price)
        return Flight(self.make("flights", values), capacity, price, values)

    def book(self, flight: Flight, user: User, seats: int = 1, headers: Mapping[str, str] | None = None) -> Answer:
        """Book through the gateway."""
        body = {"flightId": flight.id, "userId": user.id, "NoOfSeats": seats}
        path = f"/bookingservice{API}/bookings"
        return self.gateway.call("POST", path, body, token=user.token, headers=headers)

    def cancel(self, booking_id: int, user: User) -> Answer:
        """Cancel through the gateway."""
        path = f"/bookingservice{API}/bookings/{booking_id}"
        return self.gateway.call("PATCH", path, {"status": "Cancelled"}, token=user.token)

    def left(self, flight: Flight) -> int:
        """Give the number of seats left."""
        return int(self.flights.call("GET", f"{API}/flights/{flight.id}").data["totalSeats"])

    def bookings(self, flight: Flight, booking: Service | None = None) -> list[dict[str, Any]]:
        """Give all bookings of a flight."""
        return everything(booking or self.booking, f"bookings?flightId={flight.id}")

    def defect(self, flight: Flight, booking: Service | None = None) -> int:
        """Give capacity − left − booked: 0 is right, negative is a lost update, positive a leak."""
        booked: int = sum(one["NoOfSeats"] for one in self.bookings(flight, booking) if one["status"] == "Booked")
        return flight.capacity - self.left(flight) - booked

    def tickets(self, email: str, reminder: Service | None = None) -> list[dict[str, Any]]:
        """Give all tickets of an e-mail address."""
        return [one for one in everything(reminder or self.reminder, "tickets?") if one["recepientEmail"] == email]

    def mails(self, email: str = "") -> list[dict[str, Any]]:
        """Give the mails that the sink has accepted, of one recipient or of all."""
        assert self.state.mail_path is not None, "the stack has no mail sink"
        # The last line may be on its way still.
        lines = self.state.mail_path.read_text(encoding="utf-8").split("\n")[:-1]
        return [mail for mail in map(json.loads, lines) if not email or mail["recipients"] == [email]]

    def log_lines(self, service: str) -> list[dict[str, Any]]:
        """Give the lines of a service's log; each must be a JSON object."""
        lines = self.layout.log(service).read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines]
        assert all(isinstance(line, dict) for line in found)
        return found

    def assert_logs_hold_no_secret(self) -> None:
        """Look for tokens, passwords, hashes and the key in every log of the stack."""
        for path in self.layout.logs.iterdir():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert "$2b$" not in text, f"a password's hash is in {path.name}"
            leaked = [line for line in text.splitlines() if any(secret in line for secret in self.secrets)]
            assert not leaked, f"{len(leaked)} lines of {path.name} hold secrets: {leaked[0][:500]}"


@contextmanager
def started(folder: Path, profile: str, backend: Backend = EMBEDDED) -> Iterator[Platform]:
    """Have a stack; at its end, whatever happened to it, its logs hold no secret."""
    with running(folder, profile, backend=backend, timeout=90) as state:
        platform = Platform(state)
        yield platform
        platform.close()
        platform.assert_logs_hold_no_secret()


def unique(word: str) -> str:
    """Give a name that nobody else has."""
    return f"{word}-{uuid4().hex[:12]}"


def everything(service: Service, list_path: str) -> list[dict[str, Any]]:
    """Give all pages of a list; `list_path` holds a question mark."""
    found: list[dict[str, Any]] = []
    for offset in count(0, PAGE):
        page = service.call("GET", f"{API}/{list_path}&limit={PAGE}&offset={offset}")
        assert page.status == 200, page
        found += page.data
        if len(page.data) < PAGE:
            return found
    raise AssertionError


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; a test that passes takes no more of the time than it needs."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.02)


def at_once(number: int, work: Callable[[int], T]) -> list[T]:
    """Do the same thing in many threads that start together; give what each got."""
    barrier = Barrier(number)

    def start(index: int) -> T:
        barrier.wait()
        return work(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(start, range(number)))


def settings_of(pid: int) -> dict[str, str]:
    """Give the environment that a running process was started with."""
    with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - a file of the kernel's
        pairs = (entry.partition(b"=") for entry in file.read().split(b"\0") if entry)
        return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
