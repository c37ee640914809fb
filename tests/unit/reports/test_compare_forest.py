"""The forest plot keeps every change on its axis; a comparison's word is the one that its rows carry."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

import pytest

from reports.compare import compare
from reports.comparison.forest import forests
from reports.comparison.standing import standing
from tests.unit.reports.test_compare import AFTER, BEFORE, row, side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.comparison.metrics import Key
    from reports.comparison.result import Row

ROWS = compare(BEFORE, [AFTER]).rows


def changed(change: float, low: float, high: float) -> Row:
    """Give a row of p95 with another change."""
    return replace(row(compare(BEFORE, [AFTER])), change=change, interval=(low, high))


def test_ratios_and_differences_have_an_axis_each() -> None:
    """Every row with a change stands on one of them, in its place between the ends of its interval."""
    ratios, differences = forests(ROWS)
    assert [line.row.metric.absolute for line in ratios.lines] == [False] * 4
    assert [line.row.metric.absolute for line in differences.lines] == [True]
    for line in (*ratios.lines, *differences.lines):
        assert line.ends is not None
        assert 0 <= line.ends[0] <= line.at <= line.ends[1] <= 100
        assert line.beyond == (False, False)
        assert line.margin[0] < line.margin[1]
    assert forests([replace(ROWS[0], change=None, interval=None)]) == []


def test_the_axis_is_logarithmic() -> None:
    """Half and twice lie equally far from one, and so do the ends of a margin."""
    (plot,) = forests([changed(0.5, 0.45, 0.55), changed(2.0, 1.9, 2.1)])
    half, twice = plot.lines
    assert plot.neutral - half.at == pytest.approx(twice.at - plot.neutral, abs=0.02)
    assert plot.neutral - half.margin[0] == pytest.approx(half.margin[1] - plot.neutral, abs=0.02)
    assert (twice.at - plot.neutral) / (half.margin[1] - plot.neutral) == pytest.approx(log(2) / log(1.1), abs=0.1)


def test_an_interval_without_end_does_not_squeeze_the_others() -> None:
    """It goes to the edge, which says that it goes on, and the others keep their room."""
    (plot,) = forests([changed(0.8, 0.78, 0.82), changed(0.9, 1e-9, 1e9)])
    narrow, endless = plot.lines
    assert endless.beyond == (True, True)
    assert endless.ends == (0.0, 100.0)
    assert narrow.beyond == (False, False)
    assert narrow.ends is not None
    assert narrow.ends[1] - narrow.ends[0] > 1


@pytest.mark.parametrize("change", [1e-6, 0.05, 0.7, 0.98, 1.0, 1.003, 1.3, 8.0, 1e6])
def test_labels_are_there_wherever_the_changes_lie(change: float) -> None:
    """Two labels or more, none of them twice or in another's place, and one where nothing changes."""
    (plot,) = forests([changed(change, change * 0.99, change * 1.01)])
    places, texts = zip(*plot.ticks, strict=True)
    assert len(texts) >= 2
    assert len(set(texts)) == len(texts)
    assert all(0 <= place <= 100 for place in places)
    assert all(later - sooner >= 9 for sooner, later in pairwise(places))
    assert (plot.neutral, "1") in plot.ticks


@pytest.mark.parametrize(
    ("ratios", "word", "outlook"),
    [
        ({("booking", "p95"): 0.7}, "IMPROVED", "passed"),
        ({("booking", "p50"): 0.7}, "IMPROVED IN PART", "open"),
        ({("booking", "p95"): 1.4}, "REGRESSED", "failed"),
        ({("search", "p95"): 1.4}, "REGRESSED IN PART", "failed"),
        ({("booking", "p95"): 0.7, ("search", "p95"): 1.4}, "BETTER AND WORSE", "failed"),
        ({}, "EQUIVALENT", "open"),
    ],
)
def test_the_word_is_that_of_the_rows(ratios: Mapping[Key, float], word: str, outlook: str) -> None:
    """Green only where what a reader asks about first improved and nothing got worse."""
    found = standing(compare(BEFORE, [side("safe", ratios, place=1)]))
    assert (found.word, found.outlook) == (word, outlook)


def test_few_runs_and_forced_ones_have_no_winning_word() -> None:
    """Below six pairs there is no verdict; what was forced says so before its word."""
    few = standing(compare(side("as-found", pairs=3), [side("safe", {("booking", "p95"): 0.5}, pairs=3, place=1)]))
    assert (few.word, few.outlook) == ("NO VERDICT", "open")
    forced = standing(replace(compare(BEFORE, [AFTER]), forced=("seed differs",)))
    assert (forced.word, forced.outlook, forced.tally) == (
        "FORCED: IMPROVED", "suspect", "5 rows: 1 improved, 4 equivalent"
    )  # fmt: skip
