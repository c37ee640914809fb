"""The schedule of an open model's arrivals is a pure function of its load and a seed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.arrivals import arrivals
from lab.model.load import Load
from lab.model.stage import Stage, user_seconds_by

STAGES = st.lists(
    st.builds(Stage, st.one_of(st.just(0.0), st.floats(0.01, 20)), st.integers(0, 200)), min_size=1, max_size=5
)
LOADS = st.builds(
    lambda stages, start, unit, begin: Load(
        "ramping-arrival-rate", "U", tuple(stages), start, time_unit=unit, start_time=begin
    ),
    STAGES,
    st.integers(0, 200),
    st.sampled_from([1.0, 0.5, 60.0]),
    st.sampled_from([0.0, 2.5, 100.0]),
)
CLOSE = 1e-6


def planned(load: Load, at: float) -> float:
    """Give how many arrivals the load's line adds up to by a second of the run."""
    return user_seconds_by(load.stages, load.start, at - load.start_time) / load.time_unit


@given(LOADS)
def test_as_many_arrive_as_the_line_adds_up_to(load: Load) -> None:
    """The whole is the integral, rounded up; and at each arrival the line has added up to its number."""
    found = list(arrivals(load, "seed"))

    assert abs(len(found) - ceil(load.arrivals - CLOSE)) <= (
        1 if abs(load.arrivals - round(load.arrivals)) < CLOSE else 0
    )
    for number, at in enumerate(found):
        assert planned(load, at) == pytest.approx(number, abs=1e-4)


@given(LOADS, st.booleans())
def test_arrivals_are_in_order_and_within_their_load(load: Load, poisson: bool) -> None:  # noqa: FBT001 - drawn
    """None comes before another that was to come first, before the load's begin or after its end."""
    found = list(arrivals(replace(load, poisson=poisson), "seed"))

    assert all(before <= after + CLOSE for before, after in pairwise(found))
    assert all(load.start_time <= at <= load.end + CLOSE for at in found)


@given(LOADS, st.sampled_from([0.5, 2.0, 4.0]), st.booleans())
def test_a_schedule_has_no_scale(load: Load, factor: float, poisson: bool) -> None:  # noqa: FBT001 - drawn
    """The same arrivals in a time unit, and a time, that are stretched alike stretch with them."""
    load = replace(load, poisson=poisson)
    stretched = replace(load.scaled(factor), time_unit=load.time_unit * factor)

    found = [at * factor for at in arrivals(load, "seed")]
    assert list(arrivals(stretched, "seed")) == pytest.approx(found, abs=1e-4)


def test_random_arrivals_have_the_mean_and_the_spread_of_a_poisson_process() -> None:
    """Of 40,000 gaps the mean is the rate's inverse, and the standard deviation is the mean."""
    load = Load("constant-arrival-rate", "U", (Stage(400, 100),), 100, poisson=True)
    found = list(arrivals(load, "seed"))

    gaps = [after - before for before, after in pairwise(found)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(0.01, rel=0.02)
    assert spread == pytest.approx(mean, rel=0.02)


def test_the_seed_decides_random_arrivals_and_nothing_else_does() -> None:
    """One seed, one schedule, another seed, another; evenly spaced ones do not care."""
    even = Load("constant-arrival-rate", "U", (Stage(5, 20),), 20)
    drawn = replace(even, poisson=True)

    assert list(arrivals(drawn, "a")) == list(arrivals(drawn, "a")) != list(arrivals(drawn, "b"))
    assert list(arrivals(even, "a")) == list(arrivals(even, "b")) == pytest.approx([n / 20 for n in range(100)])
