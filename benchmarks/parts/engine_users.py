"""The users of benchmarks/engine.py: all send the same booking call, one an iteration, without think time."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from locust import FastHttpUser, HttpUser, User, constant, task

from lab.engine.client import LabUser, operation
from lab.engine.lean import LeanUser
from scenarios.users import PoolBooker

TOKEN: Final = "t" * 180
"""As long as the platform's own."""
BOOKINGS: Final = "/bookingservice/api/v1/bookings"


class Booker(User):
    """Sends the booking call and looks at nothing; mixed into a user class with a `client`."""

    abstract = True
    wait_time = constant(0)
    client: Any
    booked = 0

    def send(self, **told: object) -> None:
        """Book once."""
        self.booked += 1
        self.client.post(
            f"{self.host}/bookingservice/api/v1/bookings",
            json={"flightId": 17, "userId": 4711, "NoOfSeats": self.booked % 4 + 1},
            headers={"x-access-token": TOKEN, "Idempotency-Key": uuid4().hex},
            name=BOOKINGS,
            **told,
        )


class Plain(Booker):
    """As Locust has it."""

    abstract = True

    @task
    def book(self) -> None:
        """Book once."""
        self.send()


class Tagged(Booker):
    """As the lab has it."""

    abstract = True

    @task
    def book(self) -> None:
        """Book once, tagged as the shipped scenarios do."""
        self.send(context=operation("booking"))


class PlainHttp(Plain, HttpUser):
    """Locust's HttpUser."""


class PlainFast(Plain, FastHttpUser):
    """Locust's FastHttpUser."""


class Recorded(Tagged, LabUser):
    """The lab's user on Locust's fast client."""


class Lean(Tagged, LeanUser):
    """The lab's user on its own client."""


class Pool(PoolBooker):
    """What the shipped scenarios do for each booking: two checks, and two lines in the ledger."""

    wait_time = constant(0)
