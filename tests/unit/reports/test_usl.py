"""The Universal Scalability Law: what is fitted is what was put in, and no peak is claimed that is not there."""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reports.stats.knee import knee
from reports.stats.usl import FEWEST, FewPointsError, Law, Point, fit

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = (1, 2, 4, 8, 16, 32, 64, 128)


def steps(
    one: float, contention: float, crosstalk: float, *, noise: float, seed: int, users: tuple[int, ...] = STEPS
) -> list[Point]:
    """Make up steps by the law, each off by some noise."""
    rng = np.random.default_rng(seed)
    rates = [one * n / (1 + contention * (n - 1) + crosstalk * n * (n - 1)) for n in users]
    return [
        Point(n, rate * (1 + noise * float(rng.standard_normal())), noise * rate)
        for n, rate in zip(users, rates, strict=True)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_t14_the_peak_is_found_within_a_tenth(seed: int) -> None:
    """λ = 100, σ = 0.02, κ = 0.0005 and 2 % noise: N_max = 44.3 ± 10 %, claimed, and within its interval."""
    law = fit(steps(100, 0.02, 0.0005, noise=0.02, seed=seed))

    assert law.peaks
    assert law.peak.value == pytest.approx(44.3, rel=0.1)
    assert law.peak.low < law.peak.value < law.peak.high < 60
    assert law.rate(1) == pytest.approx(100, rel=0.05)


def test_without_noise_the_parameters_are_those_put_in() -> None:
    """Each to six figures, and the law goes through every step."""
    law = fit(steps(250, 0.1, 0.002, noise=0.0, seed=1))

    assert (law.one.value, law.contention.value, law.crosstalk.value) == pytest.approx((250, 0.1, 0.002), rel=1e-6)
    assert law.peak.value == pytest.approx(sqrt(0.9 / 0.002), rel=1e-6)
    assert law.misfit < 1e-6


@pytest.mark.parametrize("contention", [0.0, 0.05, 0.3])
def test_no_peak_is_claimed_where_there_is_none(contention: float) -> None:
    """With κ = 0 its interval holds 0 in (nearly) every experiment, and the peak may lie anywhere up to infinity."""
    laws = [fit(steps(100, contention, 0.0, noise=0.02, seed=seed)) for seed in range(4)]

    assert sum(law.peaks for law in laws) <= 1
    assert all(law.peak.high == inf for law in laws if not law.peaks)
    assert all(law.crosstalk.low == 0 for law in laws if not law.peaks)


def test_steps_that_end_before_the_peak_claim_none_when_they_are_noisy() -> None:
    """Up to 16 of 44 users and 10 % noise carry no peak; the intervals say how little is known."""
    law = fit(steps(100, 0.02, 0.0005, noise=0.1, seed=3, users=(1, 2, 4, 8, 16)))

    assert not law.peaks
    assert law.contention.low == 0
    assert law.contention.high > 0.05


def test_intervals_hold_what_was_put_in() -> None:
    """In at least 10 of 12 experiments each 95 % interval holds its parameter."""
    laws = [fit(steps(100, 0.02, 0.0005, noise=0.02, seed=100 + seed)) for seed in range(12)]

    def held(name: str, value: float) -> int:
        return sum(getattr(law, name).low <= value <= getattr(law, name).high for law in laws)

    assert held("one", 100) >= 10
    assert held("contention", 0.02) >= 10
    assert held("crosstalk", 0.0005) >= 10
    assert held("peak", sqrt(0.98 / 0.0005)) >= 10


def test_a_step_that_is_hardly_known_hardly_counts() -> None:
    """A step far off the law changes nothing when its spread is large, and much when it is small."""

    def peak(error: float) -> float:
        points = steps(100, 0.02, 0.0005, noise=0.0, seed=1)
        known = [point._replace(error=point.rate * 0.01) for point in points]
        law: Law = fit([*known[:-1], known[-1]._replace(rate=known[-1].rate * 1.5, error=error)])
        return law.peak.value

    assert peak(1e6) == pytest.approx(44.3, rel=0.01)
    assert peak(1.0) > 50


def test_steps_that_happen_to_lie_well_are_not_known_better_than_their_spread() -> None:
    """On the law to the last digit, with a spread of 5 %: the intervals are those of 5 %."""

    def width(spread: float) -> float:
        points = steps(100, 0.02, 0.0005, noise=0.0, seed=1)
        law = fit([point._replace(error=spread * point.rate) for point in points])
        return law.peak.high - law.peak.low

    assert width(0.05) > 3 * width(0.01) > 0.1


def test_points_that_the_law_does_not_describe_are_told_by_the_misfit() -> None:
    """A zigzag is far from every law, and widens the intervals until no peak is left."""
    law = fit([Point(n, 100 if n in {1, 4, 16, 64} else 250, 1.0) for n in STEPS])

    assert law.misfit > 0.3
    assert not law.peaks


@pytest.mark.parametrize("users", [(1, 2, 4, 8), (1, 1, 2, 2, 4, 4), ()])
def test_too_few_steps_are_refused(users: tuple[int, ...]) -> None:
    """It takes five different numbers of users; a repeated step is not another one."""
    with pytest.raises(FewPointsError, match=f"needs {FEWEST}"):
        fit(steps(100, 0.02, 0.0005, noise=0.02, seed=1, users=users))


def test_steps_in_which_nothing_was_answered_are_left_out() -> None:
    """A rate of 0 is no point of the law: it tells that the platform was away."""
    points = steps(100, 0.02, 0.0005, noise=0.0, seed=1)

    assert fit([*points, Point(256, 0.0, 0.0)]) == fit(points)
    with pytest.raises(FewPointsError):
        fit([point._replace(rate=0.0) for point in points])


@pytest.mark.parametrize("rate", [lambda n: 100.0 / n, lambda _: 100.0, lambda n: 10.0 * n if n < 32 else 1e-3])
def test_any_steps_have_a_law_whose_intervals_hold_its_values(rate: Callable[[int], float]) -> None:
    """Falling, flat, over a cliff, to the last digit: σ may end at 1 or 0, and κ at 0."""
    found = fit([Point(n, rate(n), 0.0) for n in STEPS])

    for span in (found.one, found.contention, found.crosstalk, found.peak):
        assert 0 <= span.low <= span.value * (1 + 1e-6) + 1e-12
        assert span.value <= span.high * (1 + 1e-6) + 1e-12
    assert found.contention.high <= 1


def test_the_knee_is_where_the_curve_bends() -> None:
    """A curve that rises up to 16 users and is flat from there bends there; a straight line and three steps don't."""
    assert knee(STEPS, [min(n, 16) * 10.0 for n in STEPS]) == 16
    assert knee(STEPS, [n * 10.0 for n in STEPS]) is None
    assert knee((1, 2, 4), (1.0, 2.0, 2.0)) is None
    assert knee((1, 2, 4, 8, 16, 32, 64), (40.6, 17.4, 25.4, 61.0, 98.0, 94.2, 78.4)) is None
