"""A traveller: the calls of the platform that the scenarios' users are put together from, each with its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lab.engine.client import json_data, operation
from lab.engine.lean import LeanUser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.engine.ledger import Attempt
    from lab.model.dataset import Flight, Member

OK: Final = 200
PAGE: Final = 20
REMEMBERED: Final = 20
"""Bookings that a traveller may cancel, the newest: who remembered all of them would grow for ever."""
BOOKINGS: Final = "/bookingservice/api/v1/bookings"


class Traveller(LeanUser):
    """Somebody who books seats through the gateway."""

    abstract = True

    def book(self, flight: Flight, seats: int, user: int | str, email: str, token: str) -> dict[str, Any]:
        """Book seats once, and note in the ledger what was answered; gives the booking, or nothing."""
        with self.ledger.attempt(flight.id, user, email, seats) as attempt:
            response = self.ask_for(attempt, order(flight, seats, user), token)
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
        return booking if accepted else {}

    def ask_for(self, attempt: Attempt, wanted: Mapping[str, object], token: str, *, judged: bool = False) -> Any:  # noqa: ANN401 - any client's response
        """Send the request for a booking; with `judged` it is the caller who says whether the answer is a failure."""
        return self.client.post(
            self.target.through_gateway("booking") + "/api/v1/bookings",
            json=dict(wanted),
            headers={"x-access-token": token, "Idempotency-Key": attempt.key},
            name=BOOKINGS,
            context=operation("booking"),
            catch_response=judged,
        )

    def sign_in(self, email: str, password: str, called: str) -> str:
        """Sign in and give the token, or an empty text; `called` is the operation's name in the figures."""
        response = self.client.post(
            self.target.through_gateway("auth") + "/api/v1/signin",
            json={"email": email, "password": password},
            name="/auth/api/v1/signin",
            context=operation(called),
        )
        token = json_data(response).get("token")
        signed_in = self.check(response, {"signed in": lambda r: r.status_code == OK and token}, called)
        return str(token) if signed_in else ""

    def find(self, query: Mapping[str, object], token: str, called: str) -> list[dict[str, Any]]:
        """Search flights; gives those that were found, none where the answer is not of the contract's shape."""
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        response = self.client.get(
            f"{self.target.through_gateway('flights')}/api/v1/flights?{asked}",
            headers={"x-access-token": token},
            name="/flights/api/v1/flights",
            context=operation(called),
        )
        rows: list[dict[str, Any]] = []
        if self.check(response, {"flights found": lambda r: _rows(r) is not None}, called):
            rows = _rows(response) or []
        return rows


class PoolTraveller(Traveller):
    """A traveller of the pool, who was signed up and signed in before the load began."""

    abstract = True

    def on_start(self) -> None:
        """Take the next traveller, who has seen no airport and booked nothing yet."""
        self.member: Member = self.data.next_member()
        self.airports: list[object] = []
        self.mine: list[tuple[Flight, int, int | str]] = []

    def book_any(self) -> None:
        """Book 1–4 seats on any of the dataset's flights."""
        flight, seats, who = self.rng.choice(self.data.flights), self.rng.randint(1, 4), self.member
        booking = self.book(flight, seats, who.id, who.email, who.token)
        if "id" in booking:
            self.mine.append((flight, seats, booking["id"]))
            del self.mine[:-REMEMBERED]

    def look(self) -> None:
        """Search in one of three ways: a page of all, below a price, or from an airport that was seen before."""
        price = int(self.rng.choice(self.data.flights).price)
        first = PAGE * self.rng.randrange(len(self.data.flights) // PAGE + 1)
        queries: list[dict[str, Any]] = [
            {"limit": PAGE, "offset": first},
            {"limit": PAGE, "minPrice": price // 2, "maxPrice": price},
        ]
        if self.airports:
            queries.append({"limit": PAGE, "departureAirportID": self.rng.choice(self.airports)})
        query = self.rng.choice(queries)
        found = self.find(query, self.member.token, "search")
        self.check(found, {"flights are those asked for": lambda rows: all(_fits(r, query) for r in rows)}, "search")
        self.airports = [row["departureAirportID"] for row in found if "departureAirportID" in row] or self.airports

    def cancel_one(self) -> None:
        """Cancel one of the bookings of its own; there must be one."""
        flight, seats, booking = self.mine.pop(self.rng.randrange(len(self.mine)))
        who = self.member
        with self.ledger.withdraw(flight.id, who.id, who.email, seats, booking=booking) as withdrawal:
            response = self.client.patch(
                f"{self.target.through_gateway('booking')}/api/v1/bookings/{booking}",
                json={"status": "Cancelled"},
                headers={"x-access-token": who.token},
                name=f"{BOOKINGS}/[id]",
                context=operation("cancel"),
            )
            cancelled = withdrawal.settle(response.status_code, json_data(response))
        self.check(response, {"booking cancelled": lambda _: cancelled}, "cancel")


def order(flight: Flight, seats: int, user: int | str) -> dict[str, object]:
    """Give the body of a booking."""
    return {"flightId": flight.id, "userId": user, "NoOfSeats": seats}


def _rows(response: Any) -> list[dict[str, Any]] | None:  # noqa: ANN401 - any client's response
    rows = response.json()["data"]
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def _fits(row: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    fewest, most = query.get("minPrice", row["price"]), query.get("maxPrice", row["price"])
    airport = query.get("departureAirportID", row["departureAirportID"])
    return bool(fewest <= row["price"] <= most and row["departureAirportID"] == airport)
