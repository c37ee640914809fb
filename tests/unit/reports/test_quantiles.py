"""Percentiles of many groups at once give what each group's histogram gives alone."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.histogram import Histogram, bin_of, middle
from reports import quantiles, shown
from reports.quantiles import Groups

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARES = (0.0, 0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
values = st.integers(0, 60_000_000)
samples = st.dictionaries(st.integers(0, 40), st.lists(values, min_size=1, max_size=60), min_size=1, max_size=8)


def grouped(by_group: Mapping[int, list[int]]) -> Groups:
    """Put raw values into a frame as the recorder would: shuffled rows of bins, some of them twice."""
    rows = [(group, bin_of(value), 1) for group, found in by_group.items() for value in found]
    frame = pd.DataFrame(rows, columns=["group", "bin", "count"], dtype=np.int64)
    return Groups.of(frame.sample(frac=1, random_state=1), "group")


@given(samples, st.sampled_from(SHARES))
def test_percentiles_are_those_of_the_sorted_values(by_group: dict[int, list[int]], share: float) -> None:
    """A percentile is the ⌈p·n⌉-th smallest value, as its bin's middle, in every group."""
    groups = grouped(by_group)
    expected = []
    for group in sorted(by_group):
        ordered = sorted(by_group[group])
        rank = max(ceil(round(share * len(ordered), 9)), 1)
        expected.append(middle(bin_of(ordered[rank - 1])))
    assert groups.keys.tolist() == sorted(by_group)
    assert groups.percentile(share).tolist() == expected


@given(samples, st.sampled_from(SHARES), st.data())
def test_percentiles_with_failures_are_those_of_the_histogram(
    by_group: dict[int, list[int]], share: float, data: st.DataObject
) -> None:
    """Failures count as answers that never came, exactly as in the model's histogram."""
    groups = grouped(by_group)
    failed = np.array(data.draw(st.lists(st.integers(0, 100), min_size=len(by_group), max_size=len(by_group))))
    expected = []
    for group, lost in zip(sorted(by_group), failed.tolist(), strict=True):
        histogram = Histogram()
        for value in by_group[group]:
            histogram.add(value)
        expected.append(histogram.percentile_with_failures(share, lost))
    assert groups.percentile_with_failures(share, failed).tolist() == expected


@given(samples)
def test_edges_and_counts_are_those_of_the_values(by_group: dict[int, list[int]]) -> None:
    """Counts, lowest and highest value of each group."""
    groups = grouped(by_group)
    ordered = [by_group[group] for group in sorted(by_group)]
    assert groups.totals.tolist() == [len(found) for found in ordered]
    assert groups.minima.tolist() == [middle(bin_of(min(found))) for found in ordered]
    assert groups.maxima.tolist() == [middle(bin_of(max(found))) for found in ordered]


@given(samples)
def test_a_curve_is_its_groups_percentiles(by_group: dict[int, list[int]]) -> None:
    """A group's curve at a share is that group's percentile."""
    groups = grouped(by_group)
    shares = np.array(SHARES)
    columns = [groups.percentile(share).tolist() for share in SHARES]
    for position in range(len(by_group)):
        assert groups.curve(position, shares).tolist() == [column[position] for column in columns]


@given(st.lists(st.integers(0, 200_000_000), max_size=200).map(lambda bins: [*bins, *range(0, 5000, 500)]))
def test_the_middle_of_a_bin_is_the_models(bins: list[int]) -> None:
    """Whole columns of bins get the value that the histogram gives each of them."""
    found = [bin_of(value) for value in bins]
    assert quantiles.middles(np.array(found, dtype=np.int64)).tolist() == [middle(index) for index in found]


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 9)), max_size=50))
def test_sums_by_key_are_the_same_either_way(rows: list[tuple[int, int]]) -> None:
    """Keys that are too large for the fast way are summed to the same figures."""
    keys = np.array([key for key, _ in rows], dtype=np.int64)
    counts = np.array([count for _, count in rows], dtype=np.int64)
    far = quantiles.DENSE
    near_keys, near = quantiles.sums(keys, counts)
    far_keys, distant = quantiles.sums(np.append(keys, 0) + far, np.append(counts, 0))
    assert near.tolist() == [count for count in distant.tolist() if count]
    assert set(near_keys.tolist()) | {0} == {key - far for key in far_keys.tolist()}


def test_no_rows_make_no_groups() -> None:
    """An empty frame has no group, and every question has an empty answer."""
    groups = Groups.of(pd.DataFrame({"group": [], "bin": [], "count": []}), "group")
    assert groups.keys.tolist() == groups.totals.tolist() == groups.minima.tolist() == groups.maxima.tolist() == []
    assert groups.percentile(0.95).tolist() == []
    assert groups.percentile_with_failures(0.95, np.zeros(0, np.int64)).tolist() == []


def test_too_many_failures_leave_no_answer() -> None:
    """With 5 % failures p95 still has an answer; with one more it has none."""
    groups = grouped({0: [1000] * 95})
    assert groups.percentile_with_failures(0.95, np.array([5])).tolist() == [1000]
    assert groups.percentile_with_failures(0.95, np.array([6])).tolist() == [inf]


@pytest.mark.parametrize(("share", "count", "left"), [(0.95, 200, 10), (0.999, 10_000, 10), (0.9, 100, 10)])
def test_what_lies_beyond_is_counted_without_float_noise(share: float, count: int, left: float) -> None:
    """Ten samples beyond a percentile are ten, and not 9.999999."""
    assert shown.beyond(share, count) == left
