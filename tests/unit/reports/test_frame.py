"""The frames hold what the engine recorded, whatever state the run folder is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.errors import RunError
from lab.model.sample import FAIL, OK, RESPONSE, SeriesKey, Tick, TrendKey
from reports import frame, overtime, tables
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from lab.store import RunFolder
    from reports.frame import RunData


def load(path: Path, *seconds: Tick, closed: bool = True) -> RunData:
    """Write ticks into a run folder and read them back."""
    return frame.load(synthetic.folder(path, synthetic.run(synthetic.tally(seconds)), seconds, closed=closed))


def requests(name: str, tags: dict[str, str], outcome: str = OK, clock: str = "service") -> TrendKey:
    """Name a histogram of requests."""
    return TrendKey("http_req_duration", name, tuple(tags.items()), outcome, clock)


def test_a_live_log_and_its_closed_run_give_the_same_frames(tmp_path: Path) -> None:
    """A report of a run that goes on is computed from the same figures as one of the closed run."""
    seconds = synthetic.ticks(20)
    live = load(tmp_path / "live", *seconds, closed=False)
    closed = load(tmp_path / "closed", *seconds)
    assert live.operations == closed.operations
    assert live.requests.equals(closed.requests)
    assert tables.operations(live) == tables.operations(closed)


def test_every_request_is_counted_once(tmp_path: Path) -> None:
    """The table, the seconds and the windows count as many requests as were recorded."""
    seconds = synthetic.ticks(60, hostile=synthetic.HOSTILE)
    whole = synthetic.tally(seconds)
    data = load(tmp_path, *seconds)
    counted = synthetic.totals(whole)
    everything, *rows = tables.operations(data).rows
    _, load_over_time = overtime.load(data)
    assert everything.count == sum(row.count for row in rows) == counted.ok + counted.failed
    assert everything.failed == load_over_time["failed"].sum() == counted.failed
    assert load_over_time["ok"].sum() == counted.ok


def test_only_http_requests_on_the_service_clock_are_counted(tmp_path: Path) -> None:
    """Iterations, and the same request on another clock, are no further requests."""
    tick = Tick(
        0,
        {
            requests("GET /a", {"operation": "a"}): {100: 3},
            requests("GET /a", {"operation": "a"}, clock=RESPONSE): {200: 3},
            TrendKey("iteration_duration", "task", ()): {300: 5},
        },
    )
    assert tables.operations(load(tmp_path, tick)).rows[0].count == 3


def test_operations_gather_requests_of_several_names(tmp_path: Path) -> None:
    """Requests count for their operation, and without one for their name."""
    tick = Tick(
        0,
        {
            requests("GET /1", {"operation": "read", "zone": "x"}): {100: 1},
            requests("GET /2", {"operation": "read"}, FAIL): {100: 2},
            requests("GET /bare", {}): {100: 4},
        },
    )
    rows = tables.operations(load(tmp_path, tick)).rows
    assert [(row.operation, row.count, row.failed) for row in rows] == [
        ("all", 7, 2),
        ("GET /bare", 4, 0),
        ("read", 3, 2),
    ]


def test_a_run_without_samples_has_empty_frames(tmp_path: Path) -> None:
    """A folder with run.json alone is a run in which nothing was recorded."""
    place = synthetic.folder(tmp_path, synthetic.run(verdict=None, integrity=None))
    place.samples.unlink()
    place.series.unlink()
    data = frame.load(place)
    assert (data.seconds, data.operations, len(data.requests)) == (0, (), 0)
    assert tables.operations(data).rows[0].count == 0
    assert not tables.failures(data).rows
    assert not tables.checks(data).rows


def test_a_second_without_requests_still_counts_as_time(tmp_path: Path) -> None:
    """A run is as long as its last recorded second, even if that has only a gauge."""
    ticks = (Tick(0, {requests("GET /a", {}): {100: 4}}), Tick(3, gauges={SeriesKey("vus"): 2.0}))
    assert load(tmp_path, *ticks).seconds == 4


def test_a_broken_samples_file_is_named(tmp_path: Path) -> None:
    """Samples that cannot be read are an error of one sentence, not an empty report."""
    place: RunFolder = synthetic.folder(tmp_path, synthetic.run(), synthetic.ticks(2))
    place.samples.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(RunError, match="no samples can be read"):
        frame.load(place)
