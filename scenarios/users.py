"""The user classes of the scenarios that ship: who does what, one iteration at a time.

`routine` tells `airbourne-lab lint`, which never runs a class, what it does: requests by operation, checks, seconds of
sleep and seats of an average iteration, the think time after it, and which flights it books. A test holds each routine
against what its class does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final
from uuid import uuid4

from gevent import sleep
from locust import between, constant, task

from lab.engine.client import json_data, operation
from scenarios.traveller import OK, PAGE, PoolTraveller, Traveller, order

if TYPE_CHECKING:
    from lab.model.dataset import Flight

CREATED: Final = 201
CONFLICT: Final = 409
TRIPS: Final = 10
APART: Final = 0.3


class PoolBooker(PoolTraveller):
    """A traveller of the pool, signed in once, who books 1–4 seats on a random flight, then thinks for a second."""

    wait_time = constant(1)
    routine: ClassVar = {
        "requests": {"booking": 1},
        "checks": ["booking accepted", "booking is for the seats asked for"],
        "think": 1,
        "seats": 2.5,
        "flights": "all",
    }

    @task
    def book_any_flight(self) -> None:
        """Book on any of the dataset's flights."""
        self.book_any()


class ArrivingBooker(PoolBooker):
    """The same for loads whose iterations come by the clock: it does not think, since nobody would wait for it."""

    wait_time = constant(0)
    routine: ClassVar = {
        "requests": {"booking": 1},
        "checks": ["booking accepted", "booking is for the seats asked for"],
        "seats": 2.5,
        "flights": "all",
    }


class SessionBooker(Traveller):
    """Travellers one after another: each signs in, looks at the flights, makes ten trips and makes way for the next.

    A trip is 1–3 bookings of 1–2 seats, 0.3 s apart, and 1–3 s of thought.
    """

    wait_time = between(1, 3)
    routine: ClassVar = {
        "requests": {"booking": 2, "login": 0.1, "setup": 0.1},
        "checks": ["booking accepted", "booking is for the seats asked for", "signed in", "flights found"],
        "think": 2,
        "sleep": 0.3,
        "seats": 3,
        "flights": "all",
    }

    def on_start(self) -> None:
        """Be nobody yet."""
        self.trips, self.token = 0, ""

    @task
    def travel(self) -> None:
        """Make a trip; every tenth begins with the session of a new traveller."""
        if self.trips % TRIPS == 0 or not self.token:
            self.member = self.data.next_member()
            self.token = self.sign_in(self.member.email, self.member.password, "login")
            self.find({"limit": PAGE}, self.token, "setup")
        self.trips += 1
        if not self.token:
            return
        for number in range(self.rng.randint(1, 3)):
            if number:
                sleep(APART)
            flight, who = self.rng.choice(self.data.flights), self.member
            self.book(flight, self.rng.randint(1, 2), who.id, who.email, self.token)


class Searcher(PoolTraveller):
    """A traveller of the pool who only looks: page by page, by price, or from an airport; then thinks for a second."""

    wait_time = between(0.5, 1.5)
    routine: ClassVar = {
        "requests": {"search": 1},
        "checks": ["flights found", "flights are those asked for"],
        "think": 1,
        "flights": "none",
    }

    @task
    def search(self) -> None:
        """Search once."""
        self.look()


class MixedTraveller(PoolTraveller):
    """What travellers do all day: 90 searches, 9 bookings of 1–4 seats, and 1 cancellation of a booking of their own.

    Whoever has nothing to cancel yet searches once more.
    """

    wait_time = between(0.5, 1.5)
    routine: ClassVar = {
        "requests": {"search": 0.9, "booking": 0.09, "cancel": 0.01},
        "checks": [
            "flights found",
            "flights are those asked for",
            "booking accepted",
            "booking is for the seats asked for",
            "booking cancelled",
        ],
        "think": 1,
        "seats": 0.225,
        "flights": "all",
    }

    @task(90)
    def search(self) -> None:
        """Search once."""
        self.look()

    @task(9)
    def buy(self) -> None:
        """Book on any of the dataset's flights."""
        self.book_any()

    @task(1)
    def give_back(self) -> None:
        """Cancel a booking of one's own."""
        if self.mine:
            self.cancel_one()
        else:
            self.look()


class CrowdBooker(PoolTraveller):
    """Everybody wants 1–2 seats on the same flight. A refusal is a right answer: sold, or refused for want of seats."""

    wait_time = constant(1)
    routine: ClassVar = {
        "requests": {"booking": 1},
        "checks": ["sold or refused properly"],
        "think": 1,
        "seats": 1.5,
        "flights": "one",
    }

    @task
    def grab(self) -> None:
        """Ask for seats on the dataset's first flight."""
        flight, seats, who = self.data.flights[0], self.rng.randint(1, 2), self.member
        with (
            self.ledger.attempt(flight.id, who.id, who.email, seats) as attempt,
            self.ask_for(attempt, order(flight, seats, who.id), who.token, judged=True) as response,
        ):
            accepted = attempt.settle(response.status_code, json_data(response))
            if response.status_code == CONFLICT:
                response.success()
        self.check(response, {"sold or refused properly": lambda r: accepted or r.status_code == CONFLICT}, "booking")


class Pinger(Traveller):
    """Asks the gateway how it is, ten times a second: what the gateway and the load generator cost by themselves."""

    wait_time = constant(0.1)
    routine: ClassVar = {"requests": {"health": 1}, "checks": ["healthy"], "think": 0.1, "flights": "none"}

    @task
    def ping(self) -> None:
        """Ask once."""
        response = self.client.get(f"{self.target.gateway}/health", name="/health", context=operation("health"))
        self.check(response, {"healthy": lambda r: r.status_code == OK}, "health")


class NaiveBooker(Traveller):
    """The first, wrong test: sign up, sign in and book 1–5 seats on one flight, all in every iteration."""

    wait_time = constant(1)
    routine: ClassVar = {
        "requests": {"signup": 1, "signin": 1, "booking": 1},
        "checks": ["signed up", "signed in", "booking accepted", "booking is for the seats asked for"],
        "think": 1,
        "seats": 3,
        "flights": "one",
    }

    def wanted(self) -> Flight:
        """Give the flight to book."""
        flight: Flight = self.data.flights[0]
        return flight

    @task
    def sign_up_and_book(self) -> None:
        """Be a new traveller each time."""
        email, password = f"naive-{uuid4().hex}@airbourne.test", "correct-horse"
        signup = self.client.post(
            self.target.through_gateway("auth") + "/api/v1/signup",
            json={"email": email, "password": password},
            name="/auth/api/v1/signup",
            context=operation("signup"),
        )
        if not self.check(signup, {"signed up": lambda r: r.status_code == CREATED}, "signup"):
            return
        token = self.sign_in(email, password, "signin")
        if token:
            self.book(self.wanted(), self.rng.randint(1, 5), json_data(signup).get("id", ""), email, token)


class NaiveSpreadBooker(NaiveBooker):
    """The first test with one mistake mended: the bookings spread over all flights."""

    routine: ClassVar = {
        "requests": {"signup": 1, "signin": 1, "booking": 1},
        "checks": ["signed up", "signed in", "booking accepted", "booking is for the seats asked for"],
        "think": 1,
        "seats": 3,
        "flights": "all",
    }

    def wanted(self) -> Flight:
        """Give any of the dataset's flights."""
        flight: Flight = self.rng.choice(self.data.flights)
        return flight
