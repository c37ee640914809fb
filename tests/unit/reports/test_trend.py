"""A metric over time: only runs that can be held side by side, changes where there are some, and never a verdict."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import numpy as np
import pytest
from rich.console import Console

from lab.errors import ConfigError, RunError
from lab.model.run import Origin, Status
from lab.model.verdict import Validity
from reports import units
from reports.comparison.metrics import METRICS, Metric
from reports.trend import changes, export, make, page, reading, text, words
from reports.trend.result import Point, Trend
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.store import RunFolder

SCHEMA = Path(__file__).parents[3] / "docs" / "trend.schema.json"
BEGAN = datetime(2026, 11, 1, 8, tzinfo=UTC)
P95 = next(metric for metric in METRICS if metric.name == "p95")
FAILURES = next(metric for metric in METRICS if metric.name == "failures")
SECONDS = synthetic.ticks(12)


def folder(out: Path, number: int, **more: Any) -> RunFolder:
    """Write a run of 12 seconds, so many hours after the first."""
    started = BEGAN + timedelta(hours=number)
    made = synthetic.run(synthetic.tally(SECONDS), id=f"r{number:02}", started=started.isoformat(), **more)
    return synthetic.folder(out / made.id, made, SECONDS)


def points(values: Sequence[float | None], **more: Any) -> tuple[Point, ...]:
    """Make up points, a run a day."""
    days = [(BEGAN + timedelta(days=number)).isoformat() for number in range(len(values))]
    base = Point("", "", "", "safe", "abc", Validity.VALID, None)
    return tuple(
        replace(base, run_id=f"r{number}", started=day, value=value, **more)
        for number, (day, value) in enumerate(zip(days, values, strict=True))
    )


def made(values: Sequence[float | None], metric: Metric = P95, **more: Any) -> Trend:
    """Make a trend of points."""
    found = points(values, **more)
    searched = len(changes.usable(metric, found))
    return Trend("booking", metric, found, changes.changes(metric, found), searched, notes=words.notes(found))


def noisy(*levels: float, each: int = 10, seed: int = 1, spread: float = 0.04) -> list[float]:
    """Draw figures around levels."""
    rng = np.random.default_rng(seed)
    return [float(level * np.exp(rng.normal(0, spread))) for level in levels for _ in range(each)]


def test_changes_are_found_where_they_are() -> None:
    """Two steps of a third in thirty runs: the runs at which they begin, and the levels on both sides."""
    trend = made(noisy(60_000, 40_000, 60_000))
    assert [change.run_id for change in trend.changes] == ["r10", "r20"]
    first, second = trend.changes
    assert first.before == pytest.approx(60_000, rel=0.05)
    assert first.after == second.before == pytest.approx(40_000, rel=0.05)
    assert "34 % lower" in words.change(P95, first)


def test_nothing_is_found_where_nothing_changes() -> None:
    """In series without a change one is seen in about one of twenty; never where all figures are alike."""
    rng = np.random.default_rng(3)
    seen = sum(bool(changes.breaks(rng.normal(0, 0.05, 20), 0.001)) for _ in range(200))
    assert seen <= 20
    assert made([50_000.0] * 30).changes == ()
    # Within a tenth of what counts as equal, however regular.
    assert made([50_000.0] * 15 + [50_200.0] * 15).changes == ()


def test_runs_that_cannot_be_believed_change_nothing() -> None:
    """INVALID and unjudged runs, hidden figures, no answer and a throughput of 0 are no place where it changed."""
    values: list[float | None] = [*noisy(50_000, each=12)]
    odd = [*points([None, None, None]), *points([inf, inf, inf]), *points([0.0, 0.0, 0.0])]
    odd += [replace(point, validity=validity) for validity in (Validity.INVALID, None) for point in points([9e9] * 4)]
    found = (*points(values)[:6], *odd, *points(values)[6:])
    assert changes.changes(P95, found) == ()
    assert len(changes.usable(P95, found)) == 12
    assert changes.changes(P95, points(noisy(1.0, 9.0, each=3))) == ()
    assert any(made([*noisy(0.001, 0.3, each=6, spread=0.2), 0.0, 0.0, 0.0], FAILURES).changes)


def test_only_runs_like_the_newest_are_shown_and_the_others_are_counted(tmp_path: Path) -> None:
    """Runs of other seeds and scenarios, unfinished and imported ones are left out, and it is said why."""
    for number in range(3):
        folder(tmp_path, number, label=f"v{number}", profile="safe" if number else "as-found")
    folder(tmp_path, 3, seed=7)
    folder(tmp_path, 4, seed=8)
    folder(tmp_path, 5, scenario=synthetic.scenario(name="smoke"))
    folder(tmp_path, 6, status=Status.STOPPED)
    folder(tmp_path, 7, source=Origin("k6", "summary export", samples=False))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{", encoding="utf-8")
    folder(tmp_path, 8).samples.write_bytes(b"no parquet")
    newest = folder(tmp_path, 9)
    trend = make.trend(tmp_path, "booking:throughput", make.Which(), lambda _: None)
    assert [point.run_id for point in trend.points] == ["r00", "r01", "r02", newest.path.name]
    said = "\n".join(trend.left_out)
    assert "2 runs: seed 7, 8 instead of 1" in said
    assert "1 run: scenario smoke instead of ramp" in said
    assert "1 run: did not come to the end" in said
    assert "1 run: imported without samples" in said
    assert said.count("1 run that cannot be read: ") == 2
    assert "several profiles" in trend.notes[0]
    assert dict(trend.setting)["seed"] == "1"


def test_what_is_asked_for_is_chosen_or_named(tmp_path: Path) -> None:
    """Metric, operation, label and an empty folder: the nearest name, or what to do."""
    with pytest.raises(RunError, match="there is no run in"):
        make.trend(tmp_path, "booking:p95", make.Which(), print)
    for number in range(2):
        folder(tmp_path, number, label=f"v{number}")
    for metric, sentence in (
        ("p95", "write OPERATION:METRIC, like booking:p95"),
        ("booking:p59", 'there is no metric "p59"; did you mean "p99"?'),
        ("bocking:p95", 'no run has an operation "bocking"; did you mean "booking"?'),
        ("all:p95", 'no run has p95 of "all"; it is known of booking, search, signin'),
        ("booking:cpu_per_booking", 'no run has cpu_per_booking of "booking"; known are: '),
    ):
        with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")):
            make.trend(tmp_path, metric, make.Which(), lambda _: None)
    with pytest.raises(RunError, match='no run has the label "v2"'):
        make.trend(tmp_path, "booking:p50", make.Which(label="v2"), lambda _: None)
    heard: list[str] = []
    trend = make.trend(tmp_path, "booking:p99", make.Which(label="v1", scenario="ramp", profile="safe"), heard.append)
    assert [(point.run_id, point.value) for point in trend.points] == [("r01", None)]
    assert heard == ["Reading runs: 1 of 1"]
    assert reading.asked("GET /a:b:p95")[0] == "GET /a:b"


def test_the_table_fits_a_terminal_and_marks_what_is_not_believed() -> None:
    """A line per run with a dot, changes between lines; hollow, no answer, hidden and weak figures look different."""
    trend = made(noisy(60_000, 40_000))
    odd = (
        replace(trend.points[0], validity=Validity.INVALID),
        replace(trend.points[1], value=inf),
        replace(trend.points[2], value=None),
        replace(trend.points[3], weak="only 30 requests lie beyond p95"),
    )
    trend = replace(trend, points=(*odd, *trend.points[4:]), left_out=("2 runs: seed 7 instead of 1",))
    for width in (20, 80, 120, 300):
        shown = text.summary(trend, width)
        lines = shown.splitlines()
        assert max(units.cells(line) for line in lines) <= min(max(width, 80), 140)
        assert sum("●" in line for line in lines) == 17
        assert [sum(mark in line for line in lines) for mark in ("○", "✗", "~")] == [1, 1, 1]
        assert next(line for line in lines if line.startswith("  r2 ")).rstrip().endswith("–")
        place = next(number for number, line in enumerate(lines) if " → " in line and "──" in line)
        assert lines[place + 1].startswith("  r10 ")
        assert "left out: 2 runs: seed 7 instead of 1" in shown
        assert "Exploratory: no verdict." in shown
    many = text.summary(made(noisy(50_000, each=60)))
    assert many.count("●") == text.MOST_RUNS
    assert "… 20 older runs" in many
    out = io.StringIO()
    text.show(trend, Console(file=out, width=80, _environ={}))
    assert out.getvalue() == text.summary(trend, 80)


@pytest.mark.parametrize("value", [None, inf, 0.0, 5e4])
def test_a_single_figure_of_any_kind_can_be_shown(value: float | None) -> None:
    """One run, and nothing to scale by: every renderer has something to say."""
    for metric in METRICS:
        trend = made([value], metric)
        assert text.summary(trend).count("\n") > 5
        assert "<!DOCTYPE html>" in page.render(trend)
        assert json.loads(export.render(trend))["points"][0]["value"] == ("no answer" if value == inf else value)


def test_the_json_keeps_to_its_schema() -> None:
    """What a trend can hold is what docs/trend.schema.json names."""
    checker = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for trend in (
        made(noisy(60_000, 40_000)),
        made([None, inf, 0.0], weak="few", validity=None),
        made([*noisy(0.001, 0.3, each=6)], FAILURES),
    ):
        values = json.loads(export.render(trend))
        checker.validate(values)
    assert values["changes"][0]["change_is"] == "difference"
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**values, "verdict": "IMPROVED"})


def test_the_page_obeys_nothing_that_runs_bring() -> None:
    """Hostile labels and ids are text, in the table and in the chart's labels; nothing is fetched."""
    trend = made(noisy(60_000, 40_000))
    hostile = "".join(synthetic.HOSTILE[:3])
    trend = replace(
        trend,
        operation=hostile,
        points=tuple(replace(point, run_id=hostile, label=hostile, profile=hostile) for point in trend.points),
        left_out=(hostile,),
    )
    source = page.render(trend)
    assert "Content-Security-Policy" in source
    assert not any(piece in source for piece in ("<img", "<b>bold", "<script>window"))
    figure = page.chart(trend).figure
    assert figure is not None
    assert not any("<img" in told for trace in figure["data"] for told in trace.get("text", ()))
