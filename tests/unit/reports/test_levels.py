"""Levels of a load: how well a rate is known, and which of them are about the highest."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from reports.levels import busiest, level, standard_error
from tests.stairs import climb


@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_a_rates_error_is_what_repeating_it_shows(alike: float) -> None:
    """Also where neighbouring seconds are alike: within a fifth of the spread of 400 repeated means."""
    rng = np.random.default_rng(1)
    means, errors = [], []
    for _ in range(400):
        noise = rng.standard_normal(60)
        for place in range(1, 60):
            noise[place] += alike * noise[place - 1]
        means.append(float(noise.mean()))
        errors.append(standard_error(noise.tolist()))

    assert float(np.mean(errors)) == pytest.approx(float(np.std(means)), rel=0.2)


def test_few_seconds_have_no_error_and_equal_ones_none() -> None:
    """Two seconds say nothing of a spread; five that are the same have none."""
    assert standard_error([10, 12]) == inf
    assert standard_error([10] * 5) == 0


def test_the_busiest_levels_are_those_near_the_highest_rate() -> None:
    """From the first that comes within a tenth of it to the last."""
    _, ticks = climb(lambda n: 10.0 * n)
    one = level(1, ticks[:8])
    rates = (50.0, 92.0, 100.0, 85.0, 91.0, 20.0)

    assert busiest([replace(one, rate=rate) for rate in rates]) == (1, 4)
    assert busiest([one]) == (0, 0)
