"""Curves over time keep the run's sums and hide percentiles that too few requests exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lab.model.histogram import bin_of, middle
from lab.model.sample import SeriesKey, Tick, TrendKey
from reports import frame, overtime, windows
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from reports.frame import RunData


def load(path: Path, *seconds: Tick) -> RunData:
    """Write ticks into a run folder and read them back."""
    return frame.load(synthetic.folder(path, synthetic.run(), seconds))


def second(number: int, *values: int, users: float | None = None) -> Tick:
    """Make a second with requests that took so many µs."""
    bins = {bin_of(value): values.count(value) for value in set(values)}
    trends = {TrendKey("http_req_duration", "GET /", (("operation", "get"),)): bins} if values else {}
    return Tick(number, trends, gauges={} if users is None else {SeriesKey("vus"): users})


@pytest.mark.parametrize(
    ("seconds", "requests", "width"),
    [
        (0, 0, 1),
        (10, 50, 1),  # too short for wider windows, whatever they lack
        (25, 25 * 21, 2),  # enough for a median at least
        (60, 60 * 500, 1),  # 200 requests in every second
        (120, 120 * 45, 5),  # not enough even so, and no wider: 24 points keep the shape
        (600, 600 * 45, 5),
        (3600, 3600 * 2000, 10),  # enough in a second, and 360 points instead of 3600
        (86_400, 86_400, 300),
        (10_000_000, 1, 16_667),
    ],
)
def test_windows_are_as_narrow_as_p95_allows(seconds: int, requests: int, width: int) -> None:
    """Windows hold 200 requests or leave 24 points, hold 40 or leave 8, and never make more than 600."""
    assert windows.window_width(seconds, requests) == width


def test_seconds_without_requests_are_zero_and_users_stay(tmp_path: Path) -> None:
    """A gap is no requests, not a missing point; users are as last seen, and unknown before."""
    data = load(tmp_path, second(0, 100), second(1, users=2.0), second(4, 100, 100, users=5.0))
    _, seen = overtime.load(data)
    assert seen["ok"].tolist() == [1, 0, 0, 0, 2]
    assert seen["failed"].tolist() == [0] * 5
    assert np.array_equal(seen["users"].to_numpy(), [np.nan, 2, 2, 2, 5], equal_nan=True)


def test_a_day_is_drawn_in_points_of_its_mean(tmp_path: Path) -> None:
    """A run of hours has at most 3,600 points, each the mean of its seconds."""
    data = load(tmp_path, *(second(at, *[100] * (1 + at % 2)) for at in (0, 1)), second(7199, 100))
    width, seen = overtime.load(data)
    assert (width, len(seen)) == (2, 3600)
    assert seen["ok"].iloc[0] == 1.5


def test_a_window_with_few_requests_shows_only_its_slowest(tmp_path: Path) -> None:
    """19 requests have no median to show; 20 do; the slowest of a window is always a fact."""
    data = load(tmp_path, second(0, *[1000] * 18, 9000), second(1, *[1000] * 19, 8000), second(3, 500))
    found = overtime.windows(data)
    assert found.width == 1
    assert found.frame["start"].tolist() == [0, 1, 2, 3]
    assert np.array_equal(found.frame["p50"].to_numpy(), [np.nan, 1000, np.nan, np.nan], equal_nan=True)
    slowest = [middle(bin_of(9000)), middle(bin_of(8000)), np.nan, 500]
    assert np.array_equal(found.frame["slowest"].to_numpy(), slowest, equal_nan=True)


def test_a_curve_ends_where_ten_requests_are_slower(tmp_path: Path) -> None:
    """Of 1000 requests the curve reaches p99 and shows the 990th; of ten there is no curve."""
    values = range(1000, 2000)
    data = load(tmp_path, second(0, *values))
    (curve,) = overtime.curves(data, 5)
    assert (curve.operation, curve.count) == ("get", 1000)
    assert curve.beyond[-1] == pytest.approx(100)
    assert (curve.latency[0], curve.latency[-1]) == (1000, middle(bin_of(1989)))
    assert (np.diff(curve.latency) >= 0).all()
    assert overtime.curves(load(tmp_path / "few", second(0, *[100] * 10)), 5) == []


def test_windows_can_be_of_one_operation(tmp_path: Path) -> None:
    """Only its own requests count, and the others make the windows no narrower."""
    slow = TrendKey("http_req_duration", "POST /", (("operation", "booking"),))
    first = second(0, *[1000] * 40)
    data = load(tmp_path, Tick(0, {**first.trends, slow: {bin_of(9000): 20}}))
    found = overtime.windows(data, "booking")
    assert found.frame["p50"].tolist() == found.frame["slowest"].tolist() == [middle(bin_of(9000))]
    assert overtime.windows(data).frame["p50"].tolist() == [1000]
