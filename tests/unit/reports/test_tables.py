"""Tables hide what they may not claim, and say what they leave out."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from lab.model.histogram import bin_of, middle
from lab.model.sample import DROPPED, FAIL, OK, SeriesKey, Tick, TrendKey
from reports import frame, tables
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from reports.frame import RunData


@pytest.fixture
def data(tmp_path: Path, request: pytest.FixtureRequest) -> RunData:
    """Read back the tick that a test is given as its parameter."""
    return frame.load(synthetic.folder(tmp_path, synthetic.run(), [request.param]))


def tick(ok: int = 0, failed: int = 0, dropped: int = 0, **more: object) -> Tick:
    """Make a second with so many requests of operation `book`, those that succeed from 1 ms upward."""
    trends = {
        TrendKey("http_req_duration", "POST /", (("operation", "book"),), outcome): bins
        for outcome, bins in (
            (OK, {bin_of(1000 + number): 1 for number in range(ok)}),
            (FAIL, {5: failed}),
            (DROPPED, {0: dropped}),
        )
        if sum(bins.values())
    }
    return Tick(0, trends, **more)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("data", "shown"),
    [(tick(19), [False] * 5), (tick(20), [True, False, False, False, False]), (tick(200), [True] * 3 + [False] * 2)],
    indirect=["data"],
)
def test_a_percentile_needs_ten_requests_beyond_it(data: RunData, shown: list[bool]) -> None:
    """p50 is shown from 20 requests on, p95 from 200; a hidden one says why."""
    row = tables.operations(data).rows[0]
    assert [figure.value is not None for figure in row.percentiles] == shown
    assert all("10 are needed" in figure.note for figure in row.percentiles if figure.value is None)


@pytest.mark.parametrize("data", [tick(1000)], indirect=True)
def test_percentiles_are_exact(data: RunData) -> None:
    """Of the values 1000 to 1999 µs, p50 is the 500th and p95 the 950th; 50 beyond p95 is weak, and said to be."""
    row = tables.operations(data).rows[1]
    assert row.percentiles[0].value == middle(bin_of(1499))
    assert row.percentiles[2].value == middle(bin_of(1949))
    assert (row.minimum.value, row.maximum.value) == (1000, middle(bin_of(1999)))
    assert "weak" in row.percentiles[2].note
    assert not row.percentiles[0].note


@pytest.mark.parametrize("data", [tick(94, failed=6)], indirect=True)
def test_failing_fast_is_no_answer(data: RunData) -> None:
    """With more than 5 % failures p95 of all is "no answer", however quick the failures were."""
    row = tables.operations(data).rows[1]
    assert (row.count, row.failed, row.failed_share) == (100, 6, 0.06)
    assert row.with_failures.value == inf
    assert row.minimum.value == 1000


@pytest.mark.parametrize("data", [tick(400, failed=4, dropped=30)], indirect=True)
def test_dropped_arrivals_count_as_no_answer_and_not_as_requests(data: RunData) -> None:
    """An arrival that found no free user was never sent, and worsens the percentile of all."""
    row = tables.operations(data).rows[1]
    assert row.count == 404
    assert row.with_failures.value == inf


@pytest.mark.parametrize("data", [tick(failed=50)], indirect=True)
def test_an_operation_that_only_failed_has_no_latency(data: RunData) -> None:
    """Without a success there is no percentile to show, and p95 of all is no answer."""
    row = tables.operations(data).rows[1]
    assert {figure.value for figure in (row.minimum, row.maximum, *row.percentiles)} == {None}
    assert row.with_failures.value == inf
    assert row.failed_share == 1


def failing(reasons: int) -> Tick:
    """Make a second with so many reasons of failure; reason n happened n + 1 times."""
    counters = {
        SeriesKey("failures", (("operation", "book"), ("name", "POST /"), ("reason", f"r{n:03}"))): n + 1
        for n in range(reasons)
    }
    return tick(1, counters=counters)


@pytest.mark.parametrize("data", [failing(60)], indirect=True)
def test_the_rest_of_the_reasons_is_summed(data: RunData) -> None:
    """The 50 most frequent reasons are listed, the most frequent first; the other ten are counted."""
    table = tables.failures(data)
    assert [row.reason for row in table.rows[:2]] == ["r059", "r058"]
    assert len(table.rows) == 50
    assert (table.left_out, table.left_out_count) == (10, sum(range(1, 11)))


CHECKS = {
    SeriesKey("checks", (("check", "sound"), ("operation", "book"))): (7, 7),
    SeriesKey("checks", (("check", "broken"), ("operation", "book"))): (3, 5),
}


@pytest.mark.parametrize("data", [tick(1, rates=CHECKS)], indirect=True)
def test_broken_checks_come_first(data: RunData) -> None:
    """A check that failed stands above those that held."""
    rows = tables.checks(data).rows
    assert [(row.check, row.passed, row.failed, row.share) for row in rows] == [
        ("broken", 3, 2, 0.6),
        ("sound", 7, 0, 1),
    ]


def test_many_operations_are_cut_and_counted(tmp_path: Path) -> None:
    """With one operation per URL the table stays readable and says how much it leaves out."""
    trends = {TrendKey("http_req_duration", f"GET /{n}", ()): {100: 1} for n in range(130)}
    table = tables.operations(frame.load(synthetic.folder(tmp_path, synthetic.run(), [Tick(0, trends)])))
    assert len(table.rows) == 101
    assert table.rows[0].count == 130
    assert (table.left_out, table.left_out_count) == (30, 30)
