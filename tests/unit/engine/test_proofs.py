"""Runs whose figures are known from theory (measurement.md §7), on a virtual clock with the engine's own parts."""

from __future__ import annotations

from itertools import pairwise
from math import log

import pytest

from tests.unit.engine.played import play

P95_MS, P99_MS, WITHIN_MS = 301, 2461, 20


def test_a_stall_is_in_the_response_times_of_an_open_model() -> None:
    """T1: one connection, on which arrivals wait for each other: p95 = 301 ms, p99 = 2461 ms; service shows nothing."""
    found = play("prove", "T1 one user")["T1 one user"]

    assert found["response"] == [pytest.approx(P95_MS, abs=WITHIN_MS), pytest.approx(P99_MS, abs=WITHIN_MS)]
    assert found["service"] == [pytest.approx(1, abs=0.01)] * 2
    assert (found["iterations"], found["dropped"], found["users"]) == (6000, 0, 1)


def test_with_users_enough_no_arrival_waits_for_one() -> None:
    """T1: whatever the stall does, an iteration begins every 10 ms; what it hid in the queue is then service time."""
    found = play("prove", "T1 users enough")["T1 users enough"]

    assert found["response"] == [pytest.approx(P95_MS, abs=WITHIN_MS), pytest.approx(P99_MS, abs=WITHIN_MS)]
    assert found["service"] == pytest.approx(found["response"], rel=1e-3)
    assert (found["iterations"], found["dropped"]) == (6000, 0)
    assert [late for at, late in pairwise(found["begun"]) if not 0.0089 < late - at < 0.0111] == []


def test_an_arrival_that_finds_no_free_user_has_no_answer() -> None:
    """T1: with ten users the rest of the stall is dropped, and a percentile that falls among it is no answer."""
    found = play("prove", "T1 few users")["T1 few users"]

    assert found["iterations"] + found["dropped"] == 6000
    assert found["dropped"] == pytest.approx(290, abs=2)
    p95, p99 = found["response"]
    assert 2800 < p95 < 3001  # of 6,000 the 5,700th: the 290 lie beyond it, the ten who waited before it
    assert p99 is None
    assert found["service"] == [pytest.approx(1, abs=0.01)] * 2


def test_a_closed_model_hides_a_stall_and_is_found_out() -> None:
    """T3: ten slow samples and no more, a p99 that saw nothing, and a gate that says so."""
    found = play("prove", "T3")["T3"]

    assert found["slow"] == 10
    assert found["service"] == [pytest.approx(2, abs=0.01)] * 2
    [[level, sentence]] = found["stalls"]
    assert level == "SUSPECT"
    assert "p(99)<500" in sentence
    [[level, sentence]] = found["little"]
    assert level == "VALID", sentence


def test_a_queue_has_the_percentiles_of_its_theory() -> None:
    """T4: at an M/M/1 queue q(p) = ln(1/(1 − p))/(µ − λ), within 5 %."""
    found = play("prove", "T4")["T4"]

    theory = [1000 * log(1 / (1 - p)) / (100 - 40) for p in (0.5, 0.9, 0.95, 0.99)]
    assert found["response"] == pytest.approx(theory, rel=0.05)
    assert found["service"] == pytest.approx(theory, rel=0.05)
    assert found["arrivals"] == pytest.approx(60_000, rel=0.01)
    assert found["dropped"] == 0


@pytest.mark.parametrize(("users", "rate"), [(5, 21.80), (11, 41.84), (20, 49.91)])
def test_a_closed_model_has_the_throughput_of_its_theory(users: int, rate: float) -> None:
    """T5: the machine-repair model within 3 %; and Little's law finds the users' time complete."""
    assert machine_repair(users, think=0.2, service=0.02) == pytest.approx(rate, abs=0.005)
    found = play("prove", f"T5 {users}")[f"T5 {users}"]

    assert found["rate"] == pytest.approx(rate, rel=0.03)
    [[level, sentence]] = found["little"]
    assert level == "VALID", sentence


def machine_repair(users: int, think: float, service: float) -> float:
    """Give the exact throughput of users who think and queue at one server, by mean value analysis."""
    waiting = rate = 0.0
    for number in range(1, users + 1):
        stay = service * (1 + waiting)
        rate = number / (think + stay)
        waiting = rate * stay
    return rate
