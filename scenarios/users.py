"""The user classes of the scenarios that ship: who does what, one iteration at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid4

from locust import constant, task

from lab.engine.client import LabUser, json_data, operation

if TYPE_CHECKING:
    from lab.model.dataset import Flight

CREATED: Final = 201
OK: Final = 200


class Traveller(LabUser):
    """Somebody who books seats through the gateway."""

    abstract = True

    def book(self, flight: Flight, seats: int, user: int | str, email: str, token: str) -> None:
        """Book seats once, and note in the ledger what was answered."""
        with self.ledger.attempt(flight.id, user, email, seats) as attempt:
            response = self.client.post(
                self.target.through_gateway("booking") + "/api/v1/bookings",
                json={"flightId": flight.id, "userId": user, "NoOfSeats": seats},
                headers={"x-access-token": token, "Idempotency-Key": attempt.key},
                name="/bookingservice/api/v1/bookings",
                context=operation("booking"),
            )
            booking = json_data(response)
            accepted = attempt.settle(response.status_code, booking)
        self.check(
            response,
            {
                "booking accepted": lambda _: accepted,
                "booking is for the seats asked for": lambda _: booking.get("NoOfSeats") == seats,
            },
            "booking",
        )


class PoolBooker(Traveller):
    """A traveller of the pool, signed in once, who books 1–4 seats on a random flight, then thinks for a second."""

    wait_time = constant(1)

    def on_start(self) -> None:
        """Take the next traveller, whose token was fetched before the load began."""
        self.member = self.data.next_member()

    @task
    def book_any_flight(self) -> None:
        """Book on any of the dataset's flights."""
        member, flight = self.member, self.rng.choice(self.data.flights)
        self.book(flight, self.rng.randint(1, 4), member.id, member.email, member.token)


class NaiveBooker(Traveller):
    """The first, wrong test: sign up, sign in and book 1–5 seats on one flight, all in every iteration."""

    wait_time = constant(1)

    @task
    def sign_up_and_book(self) -> None:
        """Be a new traveller each time."""
        email, password = f"naive-{uuid4().hex}@airbourne.test", "correct-horse"
        who = {"email": email, "password": password}
        signup = self.client.post(
            self.target.through_gateway("auth") + "/api/v1/signup",
            json=who,
            name="/auth/api/v1/signup",
            context=operation("signup"),
        )
        signed_up = self.check(signup, {"signed up": lambda r: r.status_code == CREATED}, "signup")
        if not signed_up:
            return
        signin = self.client.post(
            self.target.through_gateway("auth") + "/api/v1/signin",
            json=who,
            name="/auth/api/v1/signin",
            context=operation("signin"),
        )
        token = json_data(signin).get("token")
        if self.check(signin, {"signed in": lambda r: r.status_code == OK and token}, "signin"):
            user = json_data(signup).get("id", "")
            self.book(self.data.flights[0], self.rng.randint(1, 5), user, email, str(token))
