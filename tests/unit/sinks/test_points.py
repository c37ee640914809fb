"""A run's points: the schema, exact figures, and the same points live and from the folder."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab import samples_file
from lab.model.histogram import Histogram
from lab.model.run import Status, Totals
from lab.model.sample import OK, RESPONSE, SERVICE, SeriesKey, Tick, TrendKey
from lab.model.stage import Stage
from lab.model.threshold import Selector, parse_threshold
from lab.sinks import points
from lab.sinks.points import NS, Points
from tests import synthetic
from tests.synthetic import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.run import Run

POINT = re.compile(r"(?P<name>\w+),(?P<tags>(?:\\ |[^ ])+) (?P<fields>.*) (?P<at>\d+)")
BEGAN = 1_795_407_300


def read(line: str) -> tuple[str, dict[str, str], dict[str, str], int]:
    """Take a line apart; of the synthetic texts none has a comma, a blank or an equals sign in it."""
    found = POINT.fullmatch(line)
    assert found, line
    tags = dict(part.split("=", 1) for part in re.split(r"(?<!\\),", found["tags"]))
    plain = re.sub(r"\\(.)", r"\1", found["fields"]) if '"' not in found["fields"] else ""
    fields = dict(part.split("=", 1) for part in plain.split(",")) if plain else {}
    return found["name"], {k: re.sub(r"\\(.)", r"\1", v) for k, v in tags.items()}, fields, int(found["at"])


def named(lines: list[str], name: str) -> list[tuple[dict[str, str], dict[str, str], int]]:
    """Choose the points of a measurement."""
    return [(tags, fields, at) for found, tags, fields, at in map(read, lines) if found == name]


def made(ticks: list[Tick], **changes: object) -> Run:
    """Make up the run of some ticks."""
    return synthetic.run(synthetic.tally(ticks), **changes)


def test_every_second_has_its_figures_and_its_stamp() -> None:
    """Counts, rates and percentiles are those of the second's own histograms; the stamp is the second's start."""
    ticks = synthetic.ticks(40)
    run = made(ticks)
    lines = list(points.lines(run, ticks))
    for tick in ticks:
        for key, bins in tick.trends.items():
            if key.metric != "http_req_duration":
                continue
            operation = dict(key.tags)["operation"]
            (point,) = [
                (fields, at)
                for tags, fields, at in named(lines, "http_req_duration")
                if (tags["operation"], tags["outcome"], at) == (operation, key.outcome, (BEGAN + tick.second) * NS)
            ]
            one = Histogram(bins)
            assert point[0]["count"] == f"{one.count}i"
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
                assert float(point[0][name]) * 1000 == pytest.approx(one.percentile(share), abs=1e-6)


def test_the_whole_run_is_exact() -> None:
    """`run_duration` comes from all seconds' histograms together, `run_summary` from the run."""
    ticks = synthetic.ticks(60)
    whole = synthetic.tally(ticks)
    run = made(ticks)
    lines = list(points.lines(run, ticks))
    for tags, fields, at in named(lines, "run_duration"):
        selector = Selector("http_req_duration", (("operation", tags["operation"]),))
        histogram = whole.histogram(selector, tags["outcome"])
        percentile = histogram.percentile(0.95)
        assert percentile is not None
        assert fields["count"] == f"{histogram.count}i"
        assert float(fields["p95"]) == percentile / 1000
        assert float(fields["rate"]) == histogram.count / 60
        assert at == (BEGAN + 60) * NS
    summary = lines[-1]
    assert f"requests={run.totals.ok + run.totals.failed}i," in summary
    assert f'exit_code=0i,verdict="VALID, passed",start={BEGAN}000i {BEGAN + 60}000000000' in summary


def test_names_are_summed_by_operation_and_clocks_kept_apart() -> None:
    """Two names of one operation are one point; the response clock is not counted as further requests."""
    tags = (("operation", "search"),)
    tick = Tick(
        0,
        {
            TrendKey("http_req_duration", "/a", tags): {1000: 2},
            TrendKey("http_req_duration", "/b", tags): {3000: 1},
            TrendKey("http_req_duration", "/a", tags, OK, RESPONSE): {9000: 3},
            TrendKey("http_req_duration", "/a", tags, "dropped", RESPONSE): {0: 5},
        },
    )
    lines = list(points.lines(made([tick]), [tick]))
    counts = {found["clock"]: fields["count"] for found, fields, _ in named(lines, "http_req_duration")}
    assert counts == {SERVICE: "3i", RESPONSE: "3i"}
    assert [fields["count"] for _, fields, _ in named(lines, "http_reqs")] == ["3i"]


@pytest.mark.parametrize("closed", [True, False])
def test_live_and_from_the_folder_are_the_same_points(tmp_path: Path, *, closed: bool) -> None:
    """What a sink gave second by second is what Parquet, or the log of a killed run, gives: line for line."""
    ticks = synthetic.ticks(50, hostile=HOSTILE)
    probes = [Tick(t.second, gauges={SeriesKey("cpu", (("process", "booking"),)): 0.1 * t.second}) for t in ticks]
    delays = [Tick(second, {TrendKey("notification_delay", "mail", ()): {70_000: second}}) for second in (3, 49, 60)]
    run = made(ticks)
    live = Points(run)
    lines = live.begin()
    for tick, probe in zip(ticks, probes, strict=True):
        lines += live.second(points.joined(tick, probe))
    for tick in delays:
        lines += live.second(tick)
    lines += live.end(run)

    folder = synthetic.folder(tmp_path / "run", run, ticks, closed=False)
    for tick in (*probes, *delays):
        samples_file.note(folder, tick)
    if closed:
        samples_file.close(folder)
        assert not folder.probes.exists()
    again = list(points.lines(folder.load(), samples_file.ticks(folder)))
    assert set(again) == set(lines)
    assert len(again) == len(lines)
    assert not live.late


def test_no_two_lines_are_the_same_point() -> None:
    """Hostile names, empty ones and many marks in one second keep points apart: none overwrites another."""
    ticks = synthetic.ticks(50, hostile=HOSTILE)
    plan = synthetic.scenario(stages=(Stage(10, 5), Stage(0, 9), Stage(0, 3), Stage(40, 9)))
    lines = list(points.lines(made(ticks, scenario=plan, label="a\nb"), ticks))
    places = {(line.rpartition(" ")[2], re.split(r"(?<!\\) ", line)[0]) for line in lines}
    assert len(places) == len(lines)
    assert len([line for line in lines if line.startswith("annotations,kind=stage")]) == 3


def test_thresholds_say_how_they_stand_and_when_they_are_crossed() -> None:
    """No data is −1, met 1, not met 0; an answer of infinity has no value; each change of mind is an annotation."""
    key = TrendKey("http_req_duration", "/a", (("operation", "a"),))
    failed = key._replace(outcome="fail")
    ticks = [
        Tick(0, gauges={SeriesKey("vus"): 1.0}),
        Tick(1, {key: {1000: 10}}),
        Tick(2, {failed: {1000: 10}}),
        Tick(3, {key: {1000: 1000}}),
    ]
    plan = synthetic.scenario(thresholds=(parse_threshold("http_req_duration", "p(95)<20"),))
    run = made(ticks, scenario=plan, integrity=None)
    lines = list(points.lines(run, ticks))
    states = [(fields.get("value"), fields["ok"]) for _, fields, _ in named(lines, "thresholds")]
    assert states == [(None, "-1i"), ("1.0", "1i"), (None, "0i"), ("1.0", "1i"), ("1.0", "1i")]
    crossed = [line.partition(" title=")[2] for line in lines if "kind=threshold" in line]
    assert [text.split('"')[1].rsplit("<20 ")[-1] for text in crossed] == ["not met", "met again"]


def test_a_late_second_is_noticed_and_a_last_gauge_is_not_late() -> None:
    """Samples of a second that was given already make its points untrue; a gauge after the end does not."""
    key = TrendKey("http_req_duration", "/a", ())
    live = Points(made([]))
    live.second(Tick(0, {key: {5: 1}}))
    live.second(Tick(1, {key: {5: 1}}))
    assert live.second(Tick(1, gauges={SeriesKey("unfinished"): 2.0})) == []
    assert not live.late
    live.second(Tick(0, {key: {5: 1}}))
    assert live.late


def test_a_killed_run_has_totals_and_no_verdict() -> None:
    """Without a last word of its own, a run's end is counted from its seconds."""
    ticks = synthetic.ticks(10)
    run = replace(made(ticks), status=Status.RUNNING, totals=Totals(), verdict=None, thresholds=())
    *_, end, summary = points.lines(run, ticks)
    assert 'title="ramp ends: no verdict"' in end
    answered = synthetic.totals(synthetic.tally(ticks))
    assert f"requests={answered.ok + answered.failed}i" in summary
    assert "exit_code=1i" in summary


def test_the_load_s_own_start_is_the_zero() -> None:
    """Second 0 is when the load began, not when the run was asked for; whole seconds, so that stamps never differ."""
    run = made([], load_started="2026-11-23T04:15:07.913+00:00")
    assert points.begin_ns(run) == (BEGAN + 7) * NS
