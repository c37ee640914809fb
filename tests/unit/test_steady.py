"""Where the warm-up ends: as it was told, or found by MSER-5."""

from __future__ import annotations

import random
from collections import Counter
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import steady
from lab.errors import ConfigError
from lab.model.histogram import bin_of
from lab.model.load import Load
from lab.model.sample import FAIL, OK, Tick, TrendKey
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.verdict import Validity

KEY = TrendKey("http_req_duration", "POST /", (("operation", "booking"),))


def scenario(*stages: Stage, warmup: float = 0.0, auto: bool = False) -> Scenario:
    """Make a scenario of 600 s at 20 users, unless told otherwise."""
    return Scenario("s", (Load("ramping-vus", "U", stages or (Stage(600, 20),), 20),), warmup=warmup, auto_warmup=auto)


def second(number: int, mean: float, count: int, rng: random.Random, outcome: str = OK) -> Tick:
    """Make up a second of `count` requests of about `mean` µs."""
    bins = Counter(bin_of(int(mean * rng.lognormvariate(0, 0.3))) for _ in range(count))
    return Tick(number, {KEY._replace(outcome=outcome): bins})


def transient(seed: int, seconds: int = 600, end: int = 40) -> list[Tick]:
    """Make up a run whose first 40 s are slower and thinner, less and less so; a tick stands for five seconds."""
    rng, found = np.random.default_rng(seed), []
    for number in range(0, seconds, 5):
        left = exp(-number / 15) if number < end else 0.0
        times = 400 * (1 + 2 * left) * rng.lognormal(0, 0.3, rng.poisson(200 * (1 - 0.6 * left)))
        # Below 2048 µs each value is its own bin.
        values, counts = np.unique(times.astype(int) // 16 * 16, return_counts=True)
        found.append(Tick(number, {KEY: dict(zip(values.tolist(), counts.tolist(), strict=True))}))
    return found


def test_a_transient_of_40_s_is_cut() -> None:
    """T15: the cut lies at 40 to 60 s in at least 90 % of 200 runs."""
    cuts = [steady.found(scenario(auto=True), transient(seed), 600).seconds for seed in range(200)]

    assert sum(40 <= cut <= 60 for cut in cuts) >= 180, Counter(cuts)


def test_a_run_that_was_steady_from_the_start_keeps_most_of_itself() -> None:
    """Chance cuts a bit, and the finding says what was cut."""
    rng = random.Random(7)
    found = steady.found(scenario(auto=True), [second(n, 20_000, 20, rng) for n in range(300)], 300)

    assert found.seconds <= 150
    assert found.findings[0].level is Validity.VALID


def test_a_run_that_was_never_steady_says_so() -> None:
    """It becomes slower and slower: nothing is cut, and it is suspect."""
    rng = random.Random(7)
    found = steady.found(scenario(auto=True), [second(n, 20_000 + 500 * n, 20, rng) for n in range(300)], 300)

    assert found.seconds == 0
    assert found.findings[0].level is Validity.SUSPECT
    assert "never steady" in found.findings[0].sentence


def test_the_way_down_is_not_looked_at() -> None:
    """What leaves the peak for good is no part of a steady time, and is not what was never steady."""
    rng = random.Random(7)
    ticks = [*transient(3, 400), *(second(n, 900, 40 - (n - 400) // 5, rng) for n in range(400, 600))]
    plan = scenario(Stage(400, 20), Stage(200, 0), auto=True)

    assert 40 <= steady.found(plan, ticks, 600).seconds <= 60


def test_a_short_run_has_no_warm_up_to_find() -> None:
    """Ten batches are the fewest, and seconds in which nothing succeeds are no percentile."""
    rng = random.Random(7)
    failing = [second(n, 900, 20, rng, FAIL) for n in range(30)]
    short = steady.found(scenario(auto=True), transient(1), 49)
    late = steady.found(scenario(auto=True), [*failing, *(second(n, 20_000, 20, rng) for n in range(30, 300))], 300)

    assert (short.seconds, short.findings[0].level) == (0, Validity.SUSPECT)
    assert late.seconds >= 30
    assert steady.found(scenario(auto=True), [], 300).seconds == 0


def test_what_was_told_is_cut_and_no_second_is_read() -> None:
    """A warm-up of its own needs no search, and is never longer than the run."""
    assert steady.found(scenario(warmup=30), iter(()), 300) == steady.Cut(30)
    assert steady.found(scenario(warmup=30), iter(()), 20) == steady.Cut(20)
    assert steady.found(scenario(), iter(()), 20) == steady.Cut(0)


def test_the_command_line_goes_before_the_file() -> None:
    """A time or the word auto; what is neither, or leaves nothing, is told with the remedy."""
    plan = scenario(warmup=10)

    assert steady.with_warmup(plan, "1m").warmup == 60
    assert steady.with_warmup(plan, "auto").auto_warmup
    assert not steady.with_warmup(scenario(auto=True), "0s").auto_warmup
    with pytest.raises(ConfigError, match=r'--warmup: "soon" is no duration; .* or "auto"'):
        steady.with_warmup(plan, "soon")
    with pytest.raises(ConfigError, match="--warmup 600s: that leaves nothing of a run of 600 s"):
        steady.with_warmup(plan, "600s")


@given(st.lists(st.integers(0, 10**9), min_size=steady.FEWEST, max_size=60))
def test_the_cut_has_the_least_error_but_for_chance(values: list[int]) -> None:
    """As computed the slow way for every cut in the first half; past it only where that is twice as good."""

    def error(start: int) -> float:
        rest = values[start:]
        mean = sum(rest) / len(rest)
        return sum((value - mean) ** 2 for value in rest) / len(rest) ** 2

    half = len(values) // 2
    least = min(error(start) for start in range(half + 1))
    cut = steady.truncation([float(value) for value in values])

    if cut is None:
        assert min(error(start) for start in range(half + 1, len(values) - 4)) <= least / 2 + 1e-3
    else:
        assert cut <= half
        assert error(cut) <= least * (1 + steady.CHANCE / len(values)) * (1 + 1e-6) + 1e-3
    assert steady.truncation([5.0] * len(values)) == 0
