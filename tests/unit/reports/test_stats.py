"""The statistics of comparison against published figures, and against what must not matter."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.stats.bootstrap import Counts, Replicates, band, percentile_band, percentile_bands
from reports.stats.effect import Effect, paired, welch
from reports.stats.family import Adjusted, adjust
from reports.stats.order import drift, separation
from reports.stats.power import detectable, equivalent, runs_to_settle
from reports.stats.ruling import Answer, Case, Levels, Ruling, rule
from reports.stats.sequential import looks, nominal, spent
from reports.stats.signflip import sign_flip

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = st.lists(st.floats(-0.5, 0.5).filter(lambda value: abs(value) > 1e-3), min_size=6, max_size=12, unique=True)
LEVELS = Levels()
TESTED = Adjusted(q=0.01, share=1.0)


def effect(mean: float, error: float = 0.01, runs: int = 10) -> Effect:
    """Make up a paired effect with the p that belongs to it."""
    return Effect(mean, error, runs - 1, float(2 * stats.t.sf(abs(mean) / error, runs - 1)), runs, paired=True)


def case(found: Effect | None, **changes: object) -> Case:
    """Make up a row of a latency that may be judged."""
    made = Case(found, TESTED, margin=math.log(1.1), higher_is_better=False, runs=found.runs if found else 10)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_paired_effect_is_that_of_the_textbook() -> None:
    """Student's sleep data, for which every textbook gives the difference, its interval, and the p."""
    extra = (
        [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
        [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
    )
    found = paired([two - one for one, two in zip(*extra, strict=True)])
    assert found.mean == pytest.approx(1.58)
    assert found.interval(0.05) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert found.p == pytest.approx(0.002833, abs=1e-6)
    loose = welch(*extra)
    assert loose.freedom == pytest.approx(17.776, abs=1e-3)
    assert loose.p == pytest.approx(0.07939, abs=1e-5)
    assert loose.interval(0.05) == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)


def test_pairs_that_all_agree_have_no_spread_and_still_a_p() -> None:
    """Ten equal differences give a point, and the p of ten signs that agree; ten zeros give no difference."""
    same = paired([0.3] * 10)
    assert same.interval(0.05) == pytest.approx((0.3, 0.3))
    assert same.p == 2**-9
    nothing = paired([0.0] * 10)
    assert (nothing.interval(0.05), nothing.p) == ((0.0, 0.0), 1.0)
    assert welch([1.0] * 6, [1.0] * 6).p == 1.0


@given(NUMBERS, st.integers(0, 1000))
def test_the_order_of_the_pairs_and_the_names_of_the_sides_do_not_matter(numbers: list[float], seed: int) -> None:
    """Shuffled pairs give the same effect, and swapped sides its opposite with the same p."""
    found = paired(numbers)
    shuffled = list(numbers)
    random.Random(seed).shuffle(shuffled)
    swapped = paired([-number for number in numbers])
    assert paired(shuffled).p == pytest.approx(found.p)
    assert swapped.mean == pytest.approx(-found.mean)
    assert swapped.p == pytest.approx(found.p)
    assert sign_flip([-number for number in numbers]).p == pytest.approx(sign_flip(numbers).p)


@given(NUMBERS)
def test_the_interval_excludes_zero_exactly_when_p_is_below_alpha(numbers: list[float]) -> None:
    """Interval and p are one answer, told in two ways."""
    found = paired(numbers)
    low, high = found.interval(0.05)
    if abs(found.p - 0.05) > 1e-9:
        assert (low > 0 or high < 0) == (found.p < 0.05)


def test_the_sign_flip_test_counts_every_pattern() -> None:
    """Six pairs of one sign: 2 of 64 patterns are as extreme; of many pairs patterns are drawn, and it says so."""
    few = sign_flip([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert few.exact
    assert few.p == pytest.approx(2 / 64)
    many = sign_flip([0.1 + number / 100 for number in range(20)])
    assert not many.exact
    assert many.p < 0.001


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_adjusted_p_keeps_the_order_and_is_never_smaller(values: list[float]) -> None:
    """Benjamini–Hochberg is monotone, and one row alone stays as it is."""
    found = adjust(values)
    order = np.argsort(values, kind="stable")
    adjusted = [found[place].q for place in order.tolist()]
    assert adjusted == sorted(adjusted)
    assert all(one.q >= value - 1e-12 for one, value in zip(found, values, strict=True))
    assert adjust(values[:1])[0].q == pytest.approx(values[0])


def test_the_adjusted_p_is_that_of_the_paper() -> None:
    """Benjamini and Hochberg's own example: of 15 tests, the first four are discoveries at 5 %."""
    values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
              0.759, 1.0]  # fmt: skip
    found = adjust(values)
    assert [one.q <= 0.05 for one in found] == [True] * 4 + [False] * 11
    assert [one.share for one in found[:2]] == pytest.approx([1 / 15, 2 / 15])
    assert adjust([]) == []


def test_the_spending_boundaries_are_the_published_ones() -> None:
    """Five equal looks at 5 %: 4.877, 3.357, 2.680, 2.290, 2.031 (Lan–DeMets, O'Brien–Fleming-like)."""
    boundaries = stats.norm.isf(np.array(nominal(0.05, (0.2, 0.4, 0.6, 0.8, 1.0))) / 2)
    assert boundaries == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-3)
    assert spent(0.05, 1.0) == pytest.approx(0.05)
    assert spent(0.05, 0.0) == 0.0


def test_looks_begin_at_six_pairs_and_grow_laxer() -> None:
    """Early looks ask for more; the last one for a little more than a single test would."""
    planned = looks(20)
    assert [look.pairs for look in planned] == list(range(6, 21))
    for level in ("alpha", "equivalence"):
        levels = [getattr(look.levels, level) for look in planned]
        assert levels == sorted(levels)
        assert levels[-1] < 0.05
    assert looks(6)[0].levels == Levels(pytest.approx(0.05), pytest.approx(0.05))  # type: ignore[arg-type]


def test_the_verdicts_come_in_their_order() -> None:
    """Too few pairs, a gate, equivalence, significance, then what is missing."""
    small, large, unsure = effect(0.001), effect(-0.3), effect(0.05, 0.04)
    assert rule(case(effect(-0.3, runs=5), gate="late"), LEVELS).answer is Answer.NO_VERDICT
    assert rule(case(large, gate="late"), LEVELS) == Ruling(Answer.INCONCLUSIVE, "late")
    assert rule(case(small), LEVELS).answer is Answer.EQUIVALENT
    assert rule(case(large), LEVELS).answer is Answer.IMPROVED
    assert rule(case(large, higher_is_better=True), LEVELS).answer is Answer.REGRESSED
    missing = rule(case(unsure, adjusted=Adjusted(0.3, 1.0)), LEVELS)
    assert missing.answer is Answer.INCONCLUSIVE
    assert missing.runs_more is not None
    assert missing.runs_more > 0


def test_an_effect_that_is_sure_and_small_is_equivalent() -> None:
    """Equivalence goes before significance: 1 % that is certain is still 1 %."""
    certain = effect(0.01, 0.0001)
    assert certain.p < 1e-6
    assert rule(case(certain), LEVELS).answer is Answer.EQUIVALENT


def test_a_bar_takes_an_improvement_away_and_nothing_else() -> None:
    """What may not be called better may still be called worse, or the same."""
    barred = {"barred": "seats were lost"}
    taken = rule(case(effect(-0.3), **barred), LEVELS)
    assert (taken.answer, "seats were lost" in taken.reason) == (Answer.INCONCLUSIVE, True)
    assert rule(case(effect(0.3), **barred), LEVELS).answer is Answer.REGRESSED
    assert rule(case(effect(0.0), **barred), LEVELS).answer is Answer.EQUIVALENT


def test_what_is_detectable_is_found_as_often_as_it_says() -> None:
    """An effect as large as the MDE is significant in about 80 % of the cases (noncentral t)."""
    found = effect(0.0, 0.05 / math.sqrt(10))
    far = detectable(found, 0.05) / found.error
    limit = stats.t.ppf(0.975, 9)
    power = stats.nct.sf(limit, 9, far)
    assert power == pytest.approx(0.8, abs=0.02)


def test_the_pairs_that_are_missing_settle_it() -> None:
    """With as many pairs as were asked for, the same effect and spread are significant, or equivalent."""
    for mean, error in ((0.05, 0.03), (0.02, 0.05), (0.09, 0.06)):
        found = effect(mean, error)
        needed = runs_to_settle(found, math.log(1.1), 0.05, 0.05, 6)
        assert needed is not None
        assert needed > 10
        later = effect(mean, error * math.sqrt(10 / needed), needed)
        assert later.p <= 0.05 or equivalent(later, math.log(1.1), 0.05)
    assert runs_to_settle(effect(0.095, 0.5), math.log(1.1), 0.05, 0.05, 6) is None


@pytest.mark.parametrize(
    ("order", "apart"),
    [("AAAABBBB", 1.0), ("BBBBAAAA", 1.0), ("AABBAABB", 0.5), ("ABABABAB", 0.25), ("ABBAABBA", 0.0), ("AAAA", 0.0)],
)
def test_how_far_apart_the_sides_are(order: str, apart: float) -> None:
    """One side after the other is 1, interleaved next to nothing."""
    assert separation([letter == "B" for letter in order]) == pytest.approx(apart)


def test_a_drift_is_told_from_the_effect() -> None:
    """1 % a run is found beside an effect of 20 %, and none where there is none."""
    rng = np.random.default_rng(5)
    sides = [bool(place % 2) for place in range(20)]
    noise = rng.normal(0, 0.01, 20)
    found = drift([0.01 * place + 0.2 * side + noise[place] for place, side in enumerate(sides)], sides)
    assert found is not None
    assert found.per_run == pytest.approx(0.01, abs=0.002)
    assert found.p < 1e-6
    none = drift([0.2 * side + noise[place] for place, side in enumerate(sides)], sides)
    assert none is not None
    assert none.p > 0.01
    assert drift([1.0, 2.0], [False, True]) is None
    assert drift([1.0] * 8, sides[:8]) is None


def counts(rows: Sequence[Sequence[int]]) -> Counts:
    """Turn rows of second, value, number into columns."""
    columns = np.array(rows, np.int64)
    return Counts(columns[:, 0], columns[:, 1], columns[:, 2])


def test_a_band_within_a_run_widens_with_what_hangs_together() -> None:
    """Seconds of slow and fast by turns give a narrower band than a slow and a fast half."""
    widths = []
    seconds = np.arange(200)
    for slow in (seconds % 2 == 1, seconds >= 100):
        drawn = Replicates.of(200)
        rate = drawn.summed(seconds, np.where(slow, 50, 100))
        low, high = band(rate / 200)
        assert low <= 75 <= high
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_the_band_of_a_percentile_holds_it_and_knows_what_never_came() -> None:
    """A steady run has no width; failures past the percentile make it no answer."""
    drawn = Replicates.of(100)
    steady = counts([(second, value, 10) for second in range(100) for value in range(1, 11)])
    nothing = np.zeros(len(drawn.weights))
    assert percentile_band(drawn, steady, nothing, 0.5) == (5, 5)
    assert percentile_band(drawn, steady, nothing + 3000, 0.95) == (math.inf, math.inf)
    nobody = Counts(*(np.zeros(0, np.int64) for _ in range(3)))
    assert percentile_band(drawn, nobody, nothing, 0.5) == (math.inf, math.inf)


@pytest.mark.parametrize("values", [1, 31, 32, 33, 100])
def test_looking_by_blocks_finds_what_looking_at_each_value_finds(values: int) -> None:
    """However many values there are, and wherever the percentile lies among them or among what never came."""
    rng = np.random.default_rng(values)
    drawn, table = Replicates.of(5), rng.integers(0, 2, (5, values)) * rng.integers(0, 2, values)
    named = np.arange(values) * 10
    lost = drawn.weights @ rng.integers(0, 3, 5)
    running = np.cumsum(drawn.weights @ table, axis=1)
    shares = (0.01, 0.5, 0.9, 0.999)
    for share, found in zip(shares, percentile_bands(drawn, table, named, lost, shares), strict=True):
        ranks = np.maximum(np.ceil(np.round(share * (running[:, -1] + lost), 6)), 1)
        places = [int(np.searchsorted(row, rank)) for row, rank in zip(running, ranks, strict=True)]
        assert found == band(np.array([named[place] if place < values else math.inf for place in places]))


def test_a_long_run_is_gathered_into_buckets() -> None:
    """An hour keeps its sum exactly, whatever the buckets."""
    drawn = Replicates.of(3601)
    assert drawn.buckets <= 600
    assert drawn.summed(np.arange(3601), np.ones(3601, np.int64)).mean() == pytest.approx(3601, rel=0.01)
