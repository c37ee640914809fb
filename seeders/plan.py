"""From a plan's numbers to the list of what should exist: pure, and equal for equal plans.

Every item is drawn from its own random source, named after the seed, the kind and its index. So the users, cities and
airplanes of a larger plan begin with those of a smaller one, and so do its flights as long as there are as many
airports and airplanes to choose from; a flight's number is the same in any case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, zip_longest
from math import asin, cos, radians, sin, sqrt
from random import Random
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError
from seeders.world import Airport, City, cities

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.model.dataset import SeedPlan

MODELS: Final = (
    "A380-800", "747-8", "777-300ER", "A350-1000", "787-10", "A340-600", "A330-900", "777-200LR", "A350-900",
    "787-9", "MD-11", "767-400ER", "A321neo", "737-900ER",
)  # fmt: skip
FIRST_DAY: Final = datetime(2035, 1, 1, tzinfo=UTC)
"""All departures lie in the 365 days from here on: fixed, so that a plan means the same on every day."""
MOST: Final = 1_000_000
MOST_SEATS: Final = 10_000
EARTH_KM: Final = 6371.0
CRUISE_KM_H: Final = 850.0


@dataclass(frozen=True, slots=True)
class PlannedAirport:
    """An airport, in the city with index `city`; the position is in degrees."""

    name: str
    address: str
    city: int
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class PlannedAirplane:
    """An airplane with its number of seats."""

    model: str
    capacity: int


@dataclass(frozen=True, slots=True)
class PlannedFlight:
    """A flight; airplane, departure and arrival are indexes into the blueprint."""

    number: str
    airplane: int
    departure: int
    arrival: int
    leaves: datetime
    lands: datetime
    price: int


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """A user to sign up."""

    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Everything that should exist on the target, in an order that is part of the plan."""

    cities: tuple[str, ...]
    airports: tuple[PlannedAirport, ...]
    airplanes: tuple[PlannedAirplane, ...]
    flights: tuple[PlannedFlight, ...]
    users: tuple[PlannedUser, ...]


def blueprint(plan: SeedPlan) -> Blueprint:
    """Work out what a plan asks for.

    Raises:
        ConfigError: a number that cannot be met, with the option that it came from.
    """
    check(plan)
    towns = cities()[: plan.cities]
    airports = tuple(islice(_airports(towns), plan.airports))
    if len(airports) < plan.airports:
        raise ConfigError(
            f"--airports {plan.airports}: {plan.cities} cities have {len(airports)} airports; "
            "ask for fewer airports or for more cities"
        )
    airplanes = tuple(_airplane(plan, index) for index in range(plan.airplanes))
    flights = tuple(_flight(plan, index, airports) for index in range(plan.flights))
    users = tuple(planned_user(plan.rng_seed, index) for index in range(plan.users))
    return Blueprint(tuple(town.name for town in towns), airports, airplanes, flights, users)


def check(plan: SeedPlan) -> None:
    """Refuse numbers that cannot be met.

    Raises:
        ConfigError: names the option, its value and its bounds.
    """
    bounds = (
        ("cities", 1, len(cities())),
        ("airports", 2, MOST),  # a flight needs two
        ("airplanes", 1, MOST),
        ("flights", 1, MOST),
        ("users", 0, MOST),
        ("rng_seed", 0, 2**31 - 1),
    )
    for name, least, most in bounds:
        value = getattr(plan, name)
        option = f"--{name.replace('_', '-')} {value}"
        if value < least:
            raise ConfigError(f"{option}: must be at least {least}")
        if value > most:
            raise ConfigError(f"{option}: must be at most {most}")
    fewest, most = plan.capacity_min, plan.capacity_max
    if not 1 <= fewest <= most <= MOST_SEATS:
        raise ConfigError(
            f"--capacity {fewest}:{most}: must be MIN:MAX with 1 ≤ MIN ≤ MAX ≤ {MOST_SEATS} (seats of an airplane)"
        )


def planned_user(rng_seed: int, index: int) -> PlannedUser:
    """Give the user with an index; the password is made up from the seed, and protects nothing."""
    secret = hashlib.sha256(f"airbourne:{rng_seed}:{index}".encode()).hexdigest()[:16]
    return PlannedUser(f"traveller-{index + 1:04}.s{rng_seed}@airbourne.test", f"pw-{secret}")


def distance_km(here: PlannedAirport, there: PlannedAirport) -> float:
    """Give the great-circle distance in km (haversine formula)."""
    north, south = radians(here.latitude), radians(there.latitude)
    rise = sin((south - north) / 2) ** 2
    turn = sin(radians(there.longitude - here.longitude) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(rise + cos(north) * cos(south) * turn, 1.0)))


def _airports(towns: Sequence[City]) -> Iterator[PlannedAirport]:
    """Give every town's main airport, then every second one, and so on: each town has one before any has two."""
    for round_ in zip_longest(*(town.airports for town in towns)):
        for index, airport in enumerate(round_):
            if airport is not None:
                yield _planned_airport(airport, index)


def _planned_airport(airport: Airport, city: int) -> PlannedAirport:
    name = f"{airport.name} ({airport.iata})"
    return PlannedAirport(name, airport.address, city, airport.latitude, airport.longitude)


def _airplane(plan: SeedPlan, index: int) -> PlannedAirplane:
    rng = Random(f"{plan.rng_seed}:airplane:{index}")
    return PlannedAirplane(MODELS[index % len(MODELS)], rng.randint(plan.capacity_min, plan.capacity_max))


def _flight(plan: SeedPlan, index: int, airports: Sequence[PlannedAirport]) -> PlannedFlight:
    rng = Random(f"{plan.rng_seed}:flight:{index}")
    airplane = rng.randrange(plan.airplanes)
    departure = rng.randrange(len(airports))
    arrival = _elsewhere(rng, departure, airports)
    kilometres = distance_km(airports[departure], airports[arrival])
    leaves = FIRST_DAY + timedelta(days=rng.randrange(365), minutes=5 * rng.randrange(24 * 12))
    # Half an hour for taxiing and climbing; timetables are in steps of 5 minutes.
    minutes = 5 * round((30 + kilometres / CRUISE_KM_H * 60) / 5)
    price = 25 + round(kilometres * rng.uniform(0.06, 0.12))
    number = f"AB{plan.rng_seed}-{plan.capacity_min}-{plan.capacity_max}-{index + 1:04}"
    return PlannedFlight(number, airplane, departure, arrival, leaves, leaves + timedelta(minutes=minutes), price)


def _elsewhere(rng: Random, departure: int, airports: Sequence[PlannedAirport]) -> int:
    """Draw an airport of another city; where chance finds none in 20 draws, any other airport."""
    for _ in range(20):
        arrival = rng.randrange(len(airports))
        if airports[arrival].city != airports[departure].city:
            return arrival
    return (departure + 1) % len(airports)
