"""The users of the fault tests: they book, and write down what each attempt was answered, and when."""

from __future__ import annotations

import json
import time
from pathlib import Path

from locust import constant, task

from lab.engine.client import LabUser, json_data, operation


class SteadyBooker(LabUser):
    """Somebody who books 1–4 seats on a random flight, about twice a second."""

    wait_time = constant(0.4)

    def on_start(self) -> None:
        """Take the next traveller, and open the file of answers."""
        self.member = self.data.next_member()
        self.answers = Path(self.env["answers"]).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - until on_stop

    def on_stop(self) -> None:
        """Close the file."""
        self.answers.close()

    @task
    def book_any_flight(self) -> None:
        """Book once, under a new key, whatever became of the time before."""
        member, flight, seats = self.member, self.rng.choice(self.data.flights), self.rng.randint(1, 4)
        with self.ledger.attempt(flight.id, member.id, member.email, seats) as attempt:
            sent = time.time()
            response = self.client.post(
                self.target.through_gateway("booking") + "/api/v1/bookings",
                json={"flightId": flight.id, "userId": member.id, "NoOfSeats": seats},
                headers={"x-access-token": member.token, "Idempotency-Key": attempt.key},
                name="/bookingservice/api/v1/bookings",
                context=operation("booking"),
            )
            booking = json_data(response)
            attempt.settle(response.status_code, booking)
        answer = {
            "sent": sent,
            "answered": time.time(),
            "status": response.status_code,
            "booking": booking.get("id"),
            "body": response.text or "",
        }
        self.answers.write(json.dumps(answer) + "\n")
