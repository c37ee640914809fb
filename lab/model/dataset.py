"""A dataset: what a seeder made on a target, and what a load test may use of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from lab.errors import DatasetError

DATASET_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight that may be booked; `capacity` is its airplane's number of seats, `price` in the platform's unit."""

    id: int | str
    number: str
    capacity: int
    price: float


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-up user of the platform. `token` is a secret: it stays in the dataset file (mode 0600).

    `token_expires` is in seconds since 1970, by this machine's clock; 0 when there is no token.
    """

    id: int | str
    email: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)
    token_expires: float = field(default=0.0, repr=False)


@dataclass(frozen=True, slots=True)
class DataNeeds:
    """What a scenario needs on the target: flights with so many seats each (fewest, most), and signed-up users."""

    flights: int = 50
    users: int = 200
    seats: tuple[int, int] = (400, 850)


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """How much a seeder should make, and from which random seed; equal plans make equal data."""

    cities: int = 20
    airports: int = 40
    airplanes: int = 10
    flights: int = 50
    users: int = 200
    capacity_min: int = 400
    capacity_max: int = 850
    rng_seed: int = 1


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is on the target. `complete` is False when seeding ended early and can be resumed."""

    target: str
    plan: SeedPlan
    flights: tuple[Flight, ...] = ()
    users: tuple[Member, ...] = ()
    cities: int = 0
    airports: int = 0
    airplanes: int = 0
    complete: bool = False
    version: int = DATASET_VERSION

    @property
    def seats(self) -> int:
        """Give the number of seats that exist on all flights."""
        return sum(flight.capacity for flight in self.flights)

    def select(self, needs: DataNeeds) -> Dataset:
        """Give the part of the dataset that a scenario asks for: the first flights and users that fit.

        One user is always in it, if there is one: whoever reads a target through its gateway shows a token.

        Raises:
            DatasetError: there are too few; it says how to seed them.
        """
        fewest, most = needs.seats
        flights = tuple(f for f in self.flights if fewest <= f.capacity <= most)[: needs.flights]
        if len(flights) < needs.flights or len(self.users) < needs.users:
            raise DatasetError(
                f"the scenario needs {needs.flights} flights of {fewest} to {most} seats and {needs.users} users; the "
                f"dataset has {len(flights)} and {len(self.users)}; add them with: airbourne-lab seed "
                f"--flights {needs.flights} --capacity {fewest}:{most} --users {max(needs.users, 1)}"
            )
        return replace(self, flights=flights, users=self.users[: max(needs.users, 1)])
