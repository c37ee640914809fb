"""Histograms, against the HdrHistogram package and against a sorted list."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, inf

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.model.histogram import Histogram, bin_of, low_edge, middle, percentile_bin, rank_of, width

MINUTE = 60_000_000
FEW = settings(max_examples=75, deadline=None)
micros = st.integers(1, MINUTE)
percents = st.one_of(st.integers(0, 100), st.sampled_from([0.1, 7.0, 12.5, 99.9, 99.99, 99.999, 33.3]))
ORACLE = HdrHistogram(1, MINUTE, 3)
EDGES = sorted(
    {v + d for e in range(27) for v in (1 << e, 3 << e, 2047 << e) for d in (-1, 0, 1) if 0 < v + d <= MINUTE}
)


def exact(share: float) -> Fraction:
    """Read a share as the decimal number that was meant."""
    return Fraction(repr(round(share, 12)))


@pytest.mark.parametrize("value", EDGES)
def test_bins_are_hdrhistograms_at_the_edges(value: int) -> None:
    """A value's bin is HdrHistogram's index for 3 digits, wherever a bin or a doubling begins or ends."""
    assert bin_of(value) == ORACLE._counts_index_for(value)  # noqa: SLF001 - its index has no public name
    assert low_edge(bin_of(value)) == ORACLE.get_lowest_equivalent_value(value)


@FEW
@given(micros)
def test_bins_are_hdrhistograms(value: int) -> None:
    """A value's bin, its low edge and its width are HdrHistogram's for any latency from 1 µs to 60 s."""
    index = bin_of(value)

    assert index == ORACLE._counts_index_for(value)  # noqa: SLF001 - its index has no public name
    assert low_edge(index) == ORACLE.get_lowest_equivalent_value(value)
    assert low_edge(index) + width(index) - 1 == ORACLE.get_highest_equivalent_value(value)


@FEW
@given(st.one_of(micros, st.sampled_from(EDGES)))
def test_a_bin_stands_for_its_values_closely(value: int) -> None:
    """A bin's low edge is within 1/1024 below a value in it, and its middle within 1/2048 on either side."""
    index = bin_of(value)

    assert 0 <= value - low_edge(index) <= value / 1024
    assert abs(middle(index) - value) <= value / 2048


@FEW
@given(st.integers(0, bin_of(MINUTE)))
def test_bins_follow_each_other_without_a_gap(index: int) -> None:
    """Each bin begins where the one before it ends, and its own edges fall into it."""
    assert low_edge(index + 1) == low_edge(index) + width(index)
    assert bin_of(low_edge(index)) == bin_of(low_edge(index) + width(index) - 1) == bin_of(middle(index)) == index


@pytest.mark.parametrize("value", [0, -1, -(10**9)])
def test_a_clock_that_stepped_back_counts_as_zero(value: int) -> None:
    """Zero and negative values fall into the first bin."""
    assert bin_of(value) == 0


@FEW
@given(st.lists(st.lists(micros, max_size=8), max_size=6), st.randoms(use_true_random=False), st.integers(0, 5))
def test_merging_is_exact_in_any_order_and_grouping(parts: list[list[int]], shuffle: object, cut: int) -> None:
    """Histograms that are merged in any order and grouping equal one that saw every value."""
    whole = Histogram()
    singles = []
    for values in parts:
        single = Histogram()
        for value in values:
            whole.add(value)
            single.add(value)
        singles.append(single)
    shuffle.shuffle(singles)  # type: ignore[attr-defined]  # Hypothesis' Random

    grouped = Histogram.merged([Histogram.merged(singles[:cut]), Histogram.merged(singles[cut:])])

    assert grouped.bins == Histogram.merged(singles).bins == whole.bins
    assert grouped.count == sum(len(values) for values in parts)


def test_merging_leaves_the_parts_as_they_were() -> None:
    """A sum does not grow into its parts."""
    first = Histogram()
    first.add(5)
    whole = Histogram.merged([first])
    whole.add(6, 3)

    assert first.count == 1
    assert whole.count == 4


@FEW
@given(st.lists(micros, min_size=1, max_size=60), percents)
def test_a_percentile_is_the_value_at_its_rank(values: list[int], percent: float) -> None:
    """The percentile's bin is that of the ⌈p·n⌉-th value in order."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    rank = max(ceil(exact(percent / 100) * len(values)), 1)

    assert percentile_bin(histogram.bins, percent / 100) == bin_of(sorted(values)[rank - 1])
    assert histogram.percentile(percent / 100) == middle(bin_of(sorted(values)[rank - 1]))


@FEW
@given(st.lists(micros, max_size=40), st.integers(0, 40), percents)
def test_a_failure_counts_as_no_answer(values: list[int], failed: int, percent: float) -> None:
    """A percentile over all requests is that of a list in which each failure is infinitely slow."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    everything = [float(middle(bin_of(v))) for v in sorted(values)] + [inf] * failed
    rank = max(ceil(exact(percent / 100) * len(everything)), 1)

    found = histogram.percentile_with_failures(percent / 100, failed)

    assert found == (everything[rank - 1] if everything else None)


def test_failing_fast_never_looks_fast() -> None:
    """T12: with 20 % failures p95 is no answer, p80 the slowest success, and the median is still a figure."""
    histogram = Histogram()
    histogram.add(1000, 80)

    assert histogram.percentile_with_failures(0.95, 20) == inf
    assert histogram.percentile_with_failures(0.8, 20) == 1000
    assert histogram.percentile_with_failures(0.81, 20) == inf
    assert histogram.percentile_with_failures(0.5, 20) == 1000


@FEW
@given(percents, st.integers(1, 10**8))
def test_a_rank_does_not_hang_on_a_floats_last_bit(percent: float, total: int) -> None:
    """⌈p·n⌉ is computed as if in decimals, for runs of up to a hundred million requests."""
    assert rank_of(percent / 100, total) == max(ceil(exact(percent / 100) * total), 1)


@pytest.mark.parametrize(
    ("share", "total", "rank"),
    [(0.95, 20, 19), (0.07, 100, 7), (0.07, 10**8, 7 * 10**6), (0.999, 1000, 999), (0.0, 9, 1), (1.0, 9, 9)],
)
def test_ranks_by_hand(share: float, total: int, rank: int) -> None:
    """Products that are whole numbers are not rounded up."""
    assert rank_of(share, total) == rank


def test_an_empty_histogram_has_no_figure() -> None:
    """Nothing counted is None, and not zero."""
    empty = Histogram()

    assert empty.percentile(0.5) is empty.minimum is empty.maximum is None
    assert empty.percentile_with_failures(0.5, 0) is None
    assert empty.percentile_with_failures(0.5, 1) == inf
    assert empty.mean == 0.0


@FEW
@given(st.lists(micros, min_size=1, max_size=40))
def test_mean_minimum_and_maximum_are_close(values: list[int]) -> None:
    """They come from the bins' middles, so within 1/2048."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)

    assert histogram.mean == pytest.approx(sum(values) / len(values), rel=1 / 2048)
    assert histogram.minimum == pytest.approx(min(values), rel=1 / 2048)
    assert histogram.maximum == pytest.approx(max(values), rel=1 / 2048)
