"""What a run folder brings to a comparison: its figures, what may not be judged, and what must be the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import pytest

from lab.errors import RunError
from lab.model.histogram import bin_of
from lab.model.run import Status
from lab.model.sample import FAIL, OK, RESPONSE, SERVICE, SeriesKey, Tick, TrendKey
from lab.model.threshold import Outcome, judge, parse_threshold
from lab.model.verdict import Validity
from lab.store import RunFolder
from reports import tables
from reports.comparison.reading import figures_of, setting
from reports.frame import load
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from reports.comparison.figures import RunFigures


def requests(
    values: dict[int, int], operation: str = "booking", outcome: str = OK, clock: str = SERVICE
) -> tuple[TrendKey, Counter[int]]:
    """Make a histogram of requests, from values in µs and how often they came."""
    bins: Counter[int] = Counter()
    for value, count in values.items():
        bins[bin_of(value)] += count
    return TrendKey("http_req_duration", operation, (("operation", operation),), outcome, clock), bins


def read(path: Path, *ticks: Tick, with_bands: bool = False) -> RunFigures:
    """Write ticks into a run folder and read its figures."""
    place = synthetic.folder(path, synthetic.run(synthetic.tally(ticks)), ticks)
    return figures_of(place, with_bands=with_bands)


def test_the_figures_are_those_of_the_report(tmp_path: Path) -> None:
    """Percentiles with failures, throughput and failures agree with the table that the report shows."""
    ticks = synthetic.ticks(120)
    place = synthetic.folder(tmp_path, synthetic.run(synthetic.tally(ticks)), ticks)
    found, data = figures_of(place), load(place)
    for row in tables.operations(data).rows:
        if row.whole:
            continue
        assert found.values[row.operation, "p95"] == row.with_failures.value
        assert found.values[row.operation, "throughput"] == pytest.approx((row.count - row.failed) / data.seconds)
        assert found.values[row.operation, "failures"] == pytest.approx(row.failed_share)
    assert ("all", "p95") not in found.values
    assert found.values["all", "throughput"] == pytest.approx(place.load().totals.ok / data.seconds)
    assert found.setting == setting(place.load())
    assert (found.validity, found.integrity_ok, found.revision) == (Validity.VALID, True, "f1efe54d0c2b+")


def test_failures_are_answers_that_never_came(tmp_path: Path) -> None:
    """20 % instant 503s (T12): p50 moves up, p95 has no answer, and throughput counts what succeeded."""
    good, bad = requests({1000: 400, 2000: 400}), requests({10: 200}, outcome=FAIL)
    found = read(tmp_path, Tick(0, dict([good, bad])))
    assert found.values["booking", "p95"] == inf
    assert found.values["booking", "p50"] == pytest.approx(2000, rel=1e-3)
    assert found.values["booking", "throughput"] == 800
    assert found.values["booking", "failures"] == pytest.approx(0.2)


def test_few_samples_hide_a_percentile_or_make_it_weak(tmp_path: Path) -> None:
    """Below ten beyond it there is no figure, below a hundred one that nothing is judged by."""
    found = read(tmp_path, Tick(0, dict([requests({1000: 900})])))
    assert found.values["booking", "p99"] is None
    assert found.values["booking", "p95"] == pytest.approx(1000, rel=1e-3)
    assert set(found.weak) == {("booking", "p95"), ("booking", "p99")}


def test_the_time_that_users_felt_is_compared(tmp_path: Path) -> None:
    """Of requests with two clocks the response counts, once; those of a closed model keep their service time."""
    trends = dict([
        requests({1000: 500}),
        requests({9000: 500}, clock=RESPONSE),
        requests({3000: 500}, operation="search"),
    ])  # fmt: skip
    found = read(tmp_path, Tick(0, trends))
    assert found.values["booking", "p50"] == pytest.approx(9000, rel=1e-3)
    assert found.values["booking", "throughput"] == 500
    assert found.values["search", "p50"] == pytest.approx(3000, rel=1e-3)


def test_dropped_arrivals_are_answers_that_never_came(tmp_path: Path) -> None:
    """A tenth of the iterations found no user: p95 has no answer."""
    counters = {SeriesKey("dropped_iterations"): 100, SeriesKey("iterations"): 900}
    found = read(tmp_path, Tick(0, dict([requests({1000: 900})]), counters=counters))
    assert found.values["booking", "p95"] == inf
    assert found.values["booking", "p50"] == pytest.approx(1000, rel=1e-3)


def test_the_warm_up_is_left_out(tmp_path: Path) -> None:
    """The run's own warm-up counts for nothing, neither as requests nor as time, unless all of it is asked for."""
    slow, fast = Tick(0, dict([requests({90_000: 500})])), Tick(1, dict([requests({1000: 500})]))
    made = synthetic.run(synthetic.tally([slow, fast]), warmup=1)
    found = figures_of(synthetic.folder(tmp_path, made, (slow, fast)))
    assert found.values["booking", "p50"] == pytest.approx(1000, rel=1e-3)
    assert found.values["booking", "throughput"] == 500
    assert figures_of(RunFolder(tmp_path), since=0).values["booking", "p95"] == pytest.approx(90_000, rel=1e-3)


def test_the_delay_of_notifications_is_a_figure_of_the_run(tmp_path: Path) -> None:
    """Their p95, however long after the load they came."""
    delays = TrendKey("notification_delay", "mail", ())
    tick = Tick(0, {**dict([requests({1000: 10})]), delays: Counter({bin_of(500_000): 3000})})
    found = read(tmp_path, tick)
    assert found.values["all", "notification_delay"] == pytest.approx(500_000, rel=1e-3)
    assert ("all", "notification_delay") not in found.weak


def test_bands_hold_their_figures(tmp_path: Path) -> None:
    """A single run's figures lie within their bands, which are there when asked for."""
    ticks = synthetic.ticks(60)
    found = read(tmp_path / "with", *ticks, with_bands=True)
    assert not read(tmp_path / "without", *ticks).bands
    assert ("booking", "p95") in found.bands
    for key, (low, high) in found.bands.items():
        assert low <= (found.values[key] or 0) <= high


def test_integrity_goes_by_the_thresholds_that_judge_it(tmp_path: Path) -> None:
    """A figure that failed is a violation, one without data is not known, and so is an audit that never was."""
    failed = judge(parse_threshold("seats_lost", "value==0"), 37.0)
    unknown = judge(parse_threshold("bookings_missing", "value==0"), None)
    passed = judge(parse_threshold("seats_oversold", "value==0"), 0.0)
    cases = (
        ((passed, failed, unknown), synthetic.SOUND, False, "seats_lost 37"),
        ((passed, unknown), synthetic.SOUND, None, "a part of the audit could not look"),
        ((passed,), None, None, "the audit could not look"),
        ((passed,), synthetic.SOUND, True, ""),
    )
    for number, (thresholds, integrity, ok, sentence) in enumerate(cases):
        made = replace(synthetic.run(), thresholds=thresholds, integrity=integrity)
        found = figures_of(synthetic.folder(tmp_path / str(number), made))
        assert (found.integrity_ok, found.integrity) == (ok, sentence)
        assert set(found.thresholds.values()) == {result.outcome for result in thresholds} <= set(Outcome)


def test_a_run_that_nobody_judged_has_no_validity(tmp_path: Path) -> None:
    """A killed run is read from its live log, and cannot be believed."""
    ticks = synthetic.ticks(20)
    made = synthetic.run(verdict=None, integrity=None, status=Status.RUNNING)
    found = figures_of(synthetic.folder(tmp_path, made, ticks, closed=False))
    assert found.validity is None
    assert found.values["booking", "throughput"]
    with pytest.raises(RunError, match="no run folder"):
        figures_of(RunFolder(tmp_path / "nothing"))


def test_what_must_be_the_same_and_what_may_differ() -> None:
    """Seed, load, data, time scale and machine make a difference; profile, revision, label and thresholds do not."""
    plain = synthetic.run()
    other = replace(plain, seed=2, time_scale=0.1, workers=2, machine=replace(plain.machine, host="elsewhere"))
    differing = {name for name, text in setting(other).items() if setting(plain)[name] != text}
    assert differing == {"seed", "time scale", "load processes", "machine"}
    judged = replace(plain.scenario, thresholds=(), description="another")
    assert setting(replace(plain, profile="as-found", label="x", revision=None, scenario=judged)) == setting(plain)
    longer = setting(replace(plain, scenario=plain.scenario.scaled(2)))
    assert any("stages" in name for name, text in longer.items() if setting(plain)[name] != text)
    remote = setting(replace(plain, backend=""))
    assert "http://127.0.0.1:3005" in remote["target"]
