"""What a reader sees of warm-up, clocks, dropped arrivals, the rate that held, and records that are gone."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lab.model.histogram import bin_of
from lab.model.run import Status
from lab.model.sample import RESPONSE, SeriesKey, Tick, TrendKey
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold
from lab.model.verdict import Breaking, Crossing, Validity
from lab.steady import Sums
from reports import charts, frame, html, tables, text
from reports.live import LiveView
from reports.scenarios import scenario_text
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.run import Run
    from lab.model.sample import Tally

RISING = synthetic.scenario(
    executor="ramping-arrival-rate", stages=(Stage(60, 60),), max_vus=20, tags=(),
    thresholds=(parse_threshold("http_req_duration", "p(95)<1000", abort=True, delay=10.0),),
)  # fmt: skip
BROKE = Breaking(41.2, 42.0, 42, Crossing("http_req_duration p(95)<1000", 1430.0, "ms", 43))


def rising(number: int) -> Tick:
    """Make a second of an open load: sent late by 30 ms, and from second 50 on two arrivals dropped."""
    key = TrendKey("http_req_duration", "POST /", (("operation", "booking"),))
    iteration = TrendKey("iteration_duration", "book", ())
    trends = {
        each._replace(clock=clock): {bin_of(us): 40}
        for each in (key, iteration)
        for clock, us in ((key.clock, 20_000), (RESPONSE, 50_000))
    }
    counters = {SeriesKey("sent"): 40, SeriesKey("iterations"): 40}
    counters[SeriesKey("dropped_iterations")] = 2 if number >= 50 else 0
    return Tick(number, trends, counters=counters, gauges={SeriesKey("vus"): 5.0})


OPEN = [rising(n) for n in range(60)]


def made(ticks: list[Tick], **changes: Any) -> tuple[Run, Tally]:
    """Make a run of these ticks, judged after its warm-up, and what the summary is given."""
    scenario = changes.pop("scenario", RISING)
    sums = Sums(scenario, changes.get("warmup", 0))
    for tick in ticks:
        sums.add(tick)
    run = synthetic.run(sums.whole, scenario=scenario, **changes)
    return replace(run, totals=synthetic.totals(sums.whole)), sums.judged


def test_the_summary_of_an_open_load_has_both_clocks() -> None:
    """What was felt first, what the server took below it, and what counts."""
    run, tally = made(OPEN, status=Status.ABORTED, breaking=BROKE)
    shown = text.summary(run, tally, 120)

    lines = [line.strip() for line in shown.splitlines()]
    place = next(n for n, line in enumerate(lines) if line.startswith("http_req_duration...."))
    assert "thresholds judge the response time, from when a request was meant to be sent" in " ".join(lines)
    assert "med=50" in lines[place]
    below = next(line for line in lines[place + 1 :] if line.startswith("service time."))
    assert "med=20" in below
    assert sum(line.startswith("service time.") for line in lines) == 3
    assert any(line.startswith("dropped_iterations") and ": 20 " in line for line in lines)
    assert any(line.startswith("last rate that held") and "41.20/s planned=42.00/s at 42s" in line for line in lines)
    assert any("{ with failed and dropped }" in line for line in lines)


def test_a_closed_load_says_what_its_times_are() -> None:
    """Service time, and nothing of dropped arrivals."""
    tally = synthetic.tally(synthetic.ticks(60))
    shown = text.summary(synthetic.run(tally), tally, 100)

    assert "closed model: service time" in shown
    assert "dropped" not in shown
    assert "warm-up" not in shown


def test_weak_percentiles_are_marked() -> None:
    """From a hundred samples beyond it on a percentile is a plain figure."""
    key = TrendKey("http_req_duration", "POST /", (("operation", "booking"),))
    for count, marked in ((1999, True), (2000, False)):
        tally = synthetic.tally([Tick(0, {key: {bin_of(5000): count}})])
        assert ("p(95)=~" in text.summary(synthetic.run(tally), tally, 120)) is marked


def test_the_warm_up_is_shown_and_in_no_table(tmp_path: Path) -> None:
    """Tables hold what came after it, totals and charts all of it; the band says where it ends."""
    ticks = synthetic.ticks(120)
    run, tally = made(ticks, scenario=synthetic.scenario(), warmup=30)
    data = frame.load(synthetic.folder(tmp_path, run, ticks))
    late = synthetic.tally([replace(tick, second=tick.second - 30) for tick in ticks[30:]])

    whole = tables.operations(data).rows[0]
    load, latency, _ = charts.charts(data)

    assert whole.count == synthetic.totals(late).ok + synthetic.totals(late).failed < run.totals.sent
    assert whole.rate == pytest.approx(whole.count / 90)
    assert sum(row.count for row in tables.failures(data).rows) == whole.failed
    assert sum(row.passed + row.failed for row in tables.checks(data).rows) == whole.count
    assert int(data.requests["count"].sum()) == run.totals.sent
    for chart in (load, latency):
        assert chart.figure is not None
        assert [shape["name"] for shape in chart.figure["layout"]["shapes"] if "name" in shape] == ["warm-up"]
    assert "first 30 s are warm-up" in load.note
    assert "the first 30s were warm-up: shown in the charts, not judged" in text.summary(run, tally, 100)
    assert "The first 30s were warm-up" in html.render(data)


def test_the_report_of_an_open_load_has_both_clocks(tmp_path: Path) -> None:
    """A row each; what was dropped counts as an answer that never came."""
    run, _ = made(OPEN, breaking=BROKE)
    data = frame.load(synthetic.folder(tmp_path, run, OPEN))
    rows = tables.operations(data).rows
    page = html.render(data)

    assert [(row.operation, row.clock, round(row.percentiles[0].value or 0, -3)) for row in rows] == [
        ("all", "response", 50_000), ("all", "service", 20_000),
        ("booking", "response", 50_000), ("booking", "service", 20_000),
    ]  # fmt: skip
    assert (rows[0].count, rows[0].dropped, rows[1].dropped) == (2400, 20, 0)
    assert "<small>response</small>" in page
    assert "Last rate that held" in page
    assert "Dropped" in page
    assert "p95 of all" in page


def test_records_that_are_gone_make_a_run_invalid(tmp_path: Path) -> None:
    """T16: 5 % of the rows are deleted from a closed run's folder, and its report says so in its first words."""
    ticks = synthetic.ticks(120)
    run, _ = made(ticks, scenario=synthetic.scenario())
    folder = synthetic.folder(tmp_path, run, ticks)
    assert frame.load(folder).run.verdict == run.verdict

    table = pq.read_table(folder.samples)
    pq.write_table(table.take([n for n in range(len(table)) if n % 20]), folder.samples)
    data = frame.load(folder)

    assert data.run.verdict
    assert (data.run.verdict.validity, data.run.verdict.exit_code) == (Validity.INVALID, 98)
    assert not data.run.verdict.passed
    assert "records were changed" in data.run.verdict.sentence
    assert "INVALID" in html.render(data)


def test_the_live_view_judges_after_the_warm_up() -> None:
    """While it warms up no threshold has data; afterwards only what came since counts."""
    scenario = replace(RISING, warmup=30.0)
    view = LiveView(scenario, "x", Console(file=io.StringIO(), width=100))
    sums = Sums(scenario)
    slow = {key: {bin_of(5_000_000): 40} for key in OPEN[0].trends}
    states = []
    for tick in OPEN:
        now = replace(tick, trends=slow) if tick.second < 30 else tick
        sums.add(now)
        view.second(sums.whole, now)
        out = io.StringIO()
        Console(file=out, width=100).print(view._panel(sums.whole))  # noqa: SLF001 - what is drawn
        states.append(out.getvalue())

    assert "no data yet" in states[29]
    assert "50.0 ms" in states[-1]


def test_a_scenario_says_what_ends_it() -> None:
    """Which thresholds, from when on; and what is warm-up."""
    shown = scenario_text(replace(RISING, warmup=30.0))

    assert "http_req_duration p(95)<1000 (ends the run after 10s)" in shown
    assert "warm-up        the first 30s" in shown
    assert "found after the run" in scenario_text(replace(RISING, auto_warmup=True))
