"""T7 to T11: how often the comparison is wrong when what is true is known; `benchmarks/calibration.py` is larger.

Sizes are moderate, so that bounds are those of the design widened by three standard errors of the simulation.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from benchmarks import calibration
from benchmarks.calibration import World, comparisons, share
from reports.stats.ruling import Answer
from reports.stats.sequential import looks

SEED = 7


def at_most(bound: float, experiments: int) -> float:
    """Give the bound and what a simulation of this size may be above it by chance."""
    return bound + 3 * sqrt(bound * (1 - bound) / experiments)


@pytest.mark.parametrize("world", ["rows that move together", "autocorrelation 0.6, drift 1 % a run"])
def test_t7_identical_systems_are_not_told_apart(world: str) -> None:
    """A/A: a false verdict in any of 20 rows in at most 5 % of the experiments."""
    found = share(comparisons(calibration.NULLS[world], 60, SEED), calibration.any_wrong)
    assert found <= at_most(0.05, 60)


def test_t8_an_effect_is_found_as_often_as_planned() -> None:
    """+5 % with s = 5 % and ten pairs: power 80 %; +10 % in one row of 20: at least 90 % after adjustment."""
    five = World(ratio=1.05, metrics=("p50",), operations=1)
    power = share(comparisons(five, 500, SEED), calibration.first_significant)
    assert power == pytest.approx(0.8, abs=3 * sqrt(0.16 / 500))
    ten = replace(calibration.POWER, ratio=1.10, affected=1)
    assert share(comparisons(ten, 50, SEED), calibration.first_is(Answer.REGRESSED)) >= 0.8
    assert share(comparisons(five, 300, SEED), calibration.first_is(Answer.IMPROVED)) <= at_most(0.025, 300)


def test_t9_the_interval_covers_the_true_ratio() -> None:
    """95 % intervals hold a known ratio in 95 % of the experiments."""
    world = World(ratio=0.77, metrics=("p95",), operations=1)
    found = share(comparisons(world, 600, SEED), calibration.covers(0.77))
    assert found == pytest.approx(0.95, abs=3 * sqrt(0.95 * 0.05 / 600))


@pytest.mark.parametrize("metric", calibration.POWER_METRICS)
def test_t10_what_differs_by_the_margin_is_not_called_equivalent(metric: str) -> None:
    """A true effect of exactly the margin is EQUIVALENT in at most 5 % of the experiments."""
    world = calibration.at_the_margin(calibration.BY_NAME[metric], 10)
    found = share(comparisons(world, 200, SEED), calibration.first_is(Answer.EQUIVALENT))
    assert found <= at_most(0.05, 200)


def test_t10_what_is_the_same_is_called_equivalent() -> None:
    """With no difference and little noise, the same test says EQUIVALENT: it is able to."""
    world = World(noise=0.03, metrics=("p95",), operations=1)
    assert share(comparisons(world, 50, SEED), calibration.first_is(Answer.EQUIVALENT)) > 0.9


def test_t11_a_drift_is_refused_or_harmless() -> None:
    """Drift of 1 % a run: AAAA…BBBB is refused, paired or not; interleaved it makes no false verdicts."""
    drifting = World(drift=0.01)
    assert calibration.refused(replace(drifting, interleaved=False), SEED)
    assert calibration.refused(replace(drifting, interleaved=False, paired=False), SEED)
    assert not calibration.refused(drifting, SEED)
    assert share(comparisons(drifting, 60, SEED), calibration.any_wrong) <= at_most(0.05, 60)


@pytest.mark.parametrize("most", [8, 20])
def test_looking_after_every_pair_stays_honest(most: int) -> None:
    """The levels of the looks keep false findings at 5 %; the plain 5 % at every look would not."""
    planned = looks(most)
    assert calibration.stopped(planned, 10_000, np.random.default_rng(SEED)) <= at_most(0.05, 10_000)
    assert calibration.stopped(planned, 10_000, np.random.default_rng(SEED), naive=True) > 0.07


def test_a_large_effect_stops_the_experiment_early() -> None:
    """+20 % with s = 5 % needs far fewer than twenty pairs, and is found."""
    world = World(ratio=1.2, metrics=("p95",), operations=1)
    rng = np.random.default_rng(SEED)
    ended = [calibration.until_settled(world, rng, looks(20)) for _ in range(30)]
    assert {found.rows[0].ruling.answer for found, _ in ended} == {Answer.REGRESSED}
    assert sum(pairs for _, pairs in ended) / len(ended) < 9
