"""From a plan's numbers to the list of what should exist."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ConfigError
from lab.model.dataset import SeedPlan
from seeders.plan import PlannedAirport, blueprint, distance_km
from seeders.world import cities

PLANS = st.builds(
    SeedPlan,
    cities=st.integers(1, 60),
    airports=st.just(2),
    airplanes=st.integers(1, 30),
    flights=st.integers(1, 60),
    users=st.integers(0, 60),
    capacity_min=st.integers(1, 400),
    capacity_max=st.integers(400, 900),
    rng_seed=st.integers(0, 10_000),
)


@given(plan=PLANS)
@settings(max_examples=30, deadline=None)
def test_equal_plans_make_equal_lists(plan: SeedPlan) -> None:
    """The same plan, asked for twice, gives the same list."""
    assert blueprint(plan) == blueprint(replace(plan))


@given(plan=PLANS, more=st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_a_larger_plan_extends_a_smaller_one(plan: SeedPlan, more: int) -> None:
    """More of a kind begins with what fewer of it were; no flight's number depends on how much else there is."""
    small = blueprint(plan)
    large = blueprint(replace(plan, flights=plan.flights + more, users=plan.users + more))
    wide = blueprint(replace(plan, cities=plan.cities + more, airplanes=plan.airplanes + more))
    assert large.flights[: plan.flights] == small.flights
    assert large.users[: plan.users] == small.users
    assert wide.cities[: plan.cities] == small.cities
    assert wide.airplanes[: plan.airplanes] == small.airplanes
    assert [flight.number for flight in wide.flights] == [flight.number for flight in small.flights]


@given(plan=PLANS)
@settings(max_examples=30, deadline=None)
def test_everything_in_a_plan_makes_sense(plan: SeedPlan) -> None:
    """Flights leave before they arrive and elsewhere, numbers and e-mails are unique, capacities keep their range."""
    made = blueprint(plan)
    assert (len(made.cities), len(made.airports), len(made.airplanes)) == (plan.cities, 2, plan.airplanes)
    assert (len(made.flights), len(made.users)) == (plan.flights, plan.users)
    assert all(plan.capacity_min <= plane.capacity <= plan.capacity_max for plane in made.airplanes)
    for flight in made.flights:
        assert flight.departure != flight.arrival
        assert flight.leaves < flight.lands
        assert flight.leaves.year == 2035
        assert flight.price > 0
        assert 0 <= flight.airplane < plan.airplanes
    assert len({flight.number for flight in made.flights}) == plan.flights
    assert len({user.email for user in made.users}) == plan.users
    assert all(4 <= len(user.password) <= 50 for user in made.users)


def test_every_city_has_an_airport_before_one_has_two() -> None:
    """With as many airports as cities each city has one; the default plan's forty airports belong to its cities."""
    assert [airport.city for airport in blueprint(SeedPlan(airports=20)).airports] == list(range(20))
    more = blueprint(SeedPlan()).airports
    assert len(more) == 40
    assert [airport.city for airport in more[:20]] == list(range(20))
    assert {airport.city for airport in more} == set(range(20))


def test_cities_and_airports_are_real_and_unique() -> None:
    """Names and airports occur once, and the first ones are those that everybody knows."""
    names = [city.name for city in cities()]
    codes = [airport.iata for city in cities() for airport in city.airports]
    assert len(names) == len({name.casefold() for name in names}) > 500
    assert all(name == name.strip() for name in names)
    assert len(codes) == len(set(codes))
    assert names[:4] == ["London", "Paris", "New York", "Tokyo"]
    assert [airport.iata for airport in cities()[0].airports] == ["LHR", "LCY", "LGW", "LTN", "STN"]


def test_a_flight_takes_as_long_as_its_distance_asks_for() -> None:
    """London to New York is some 5,540 km, and a flight's time follows from its distance."""
    made = blueprint(SeedPlan(flights=200))
    london, _, new_york = made.airports[:3]
    assert distance_km(london, new_york) == pytest.approx(5540, abs=20)
    assert distance_km(london, london) == 0
    for flight in made.flights:
        hours = (flight.lands - flight.leaves).total_seconds() / 3600
        kilometres = distance_km(made.airports[flight.departure], made.airports[flight.arrival])
        assert 0.4 < hours < 25
        assert hours == pytest.approx(0.5 + kilometres / 850, abs=0.05)


def test_the_other_side_of_the_earth_is_half_its_girth_away() -> None:
    """Antipodes do not make the formula leave its domain."""
    here, there = PlannedAirport("", "", 0, 0.0, 0.0), PlannedAirport("", "", 0, 0.0, 180.0)
    assert distance_km(here, there) == pytest.approx(20015, abs=1)


def test_plans_with_other_seeds_or_seats_do_not_meet() -> None:
    """Flight numbers of another seed or another range of seats are others, so that both fit on one target."""
    plans = [SeedPlan(), SeedPlan(rng_seed=11), SeedPlan(capacity_min=150, capacity_max=250), SeedPlan(rng_seed=2)]
    numbers = [{flight.number for flight in blueprint(plan).flights} for plan in plans]
    assert len(set.union(*numbers)) == sum(len(some) for some in numbers)
    assert re.fullmatch(r"traveller-0001\.s11@airbourne\.test", blueprint(plans[1]).users[0].email)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (SeedPlan(flights=0), "--flights 0: must be at least 1"),
        (SeedPlan(users=-1), "--users -1: must be at least 0"),
        (SeedPlan(cities=0), "--cities 0: must be at least 1"),
        (SeedPlan(cities=100_000), r"--cities 100000: must be at most \d+"),
        (SeedPlan(airports=1), "--airports 1: must be at least 2"),
        (SeedPlan(cities=1, airports=6), "--airports 6: 1 cities have 5 airports; ask for fewer airports or for more"),
        (SeedPlan(airplanes=-3), "--airplanes -3: must be at least 1"),
        (SeedPlan(users=10**9), "--users 1000000000: must be at most 1000000"),
        (SeedPlan(capacity_min=0), "--capacity 0:850: must be MIN:MAX with 1 ≤ MIN ≤ MAX"),
        (SeedPlan(capacity_min=900), "--capacity 900:850: must be MIN:MAX"),
        (SeedPlan(capacity_max=10_001), "--capacity 400:10001: must be MIN:MAX .* ≤ 10000"),
        (SeedPlan(rng_seed=-1), "--rng-seed -1: must be at least 0"),
    ],
)
def test_numbers_that_cannot_be_met_are_refused(plan: SeedPlan, sentence: str) -> None:
    """The error names the option, its value and the bound."""
    with pytest.raises(ConfigError, match=sentence):
        blueprint(plan)


def test_a_plan_may_do_without_users() -> None:
    """Nobody has to be signed up."""
    assert blueprint(SeedPlan(users=0)).users == ()
