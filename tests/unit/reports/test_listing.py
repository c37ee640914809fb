"""The list of runs fits a terminal, and its JSON is what a program can read."""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from rich.console import Console

from lab.model.run import Pairing, Status
from lab.model.sample import FAIL
from lab.model.threshold import Selector, ThresholdResult, judge, parse_threshold
from lab.model.verdict import Finding, Validity
from lab.store import RunFolder
from reports import listing, units
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.run import Run

SECONDS = synthetic.ticks(60)
TALLY = synthetic.tally(SECONDS)
LIVING: dict[str, Any] = {"pid": os.getpid(), "pid_started": psutil.Process().create_time(), "status": Status.RUNNING}


def drawn(path: Path, *runs: Run, width: int = 80) -> str:
    """Draw the table as a terminal of that width shows it."""
    out = io.StringIO()
    table = listing.runs_table([(RunFolder(path / run.id), run) for run in runs])
    Console(file=out, width=width, _environ={}).print(table)
    return out.getvalue()


def test_a_run_is_one_line_of_80_columns(tmp_path: Path) -> None:
    """Id, verdict, requests, p95, wrong seats and profile stand in one line."""
    failed = synthetic.run(TALLY, integrity=synthetic.OVERSOLD, verdict=synthetic.FAILED)
    lines = drawn(tmp_path, failed).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].split() == ["20261123-041500-ramp", "FAILED,", "SUSPECT", "1,207", "88.2", "357", "safe"]


def test_a_run_that_goes_on_has_no_verdict(tmp_path: Path) -> None:
    """What is not known yet is a dash, and never 0."""
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), **LIVING)
    assert drawn(tmp_path, run).splitlines()[-1].split()[1:] == ["RUNNING", "–", "–", "–", "safe"]


def test_a_killed_run_shows_what_it_recorded(tmp_path: Path) -> None:
    """A run whose process is gone is KILLED; its requests and their p95 come from the seconds that it left behind."""
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), **{**LIVING, "pid_started": 1.0})
    synthetic.folder(tmp_path / run.id, run, SECONDS, closed=False)
    row = drawn(tmp_path, run).splitlines()[-1].split()
    booked = TALLY.histogram(Selector("http_req_duration", (("operation", "booking"),)))
    failed = TALLY.requests(Selector("http_req_duration", (("operation", "booking"),)), FAIL)
    p95 = booked.percentile_with_failures(0.95, failed)
    assert row[1:] == ["KILLED", "1,207", units.ms(p95), "–", "safe"]


def test_a_log_that_cannot_be_read_costs_one_row_its_figures(tmp_path: Path) -> None:
    """The other runs are still listed."""
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), **LIVING)
    synthetic.folder(tmp_path / run.id, run, SECONDS, closed=False).ticks.write_text("{}\n", encoding="utf-8")
    rows = drawn(tmp_path, run, synthetic.run(TALLY, id="other")).splitlines()[-2:]
    assert rows[0].split()[1:] == ["RUNNING", "–", "–", "–", "safe"]
    assert rows[1].split()[:4] == ["other", "PASSED,", "VALID", "1,207"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"verdict": synthetic.INVALID}, "INVALID"),
        ({"verdict": replace(synthetic.VALID, validity=Validity.SUSPECT)}, "PASSED, SUSPECT"),
        ({"verdict": replace(synthetic.VALID, exit_code=105), "status": Status.STOPPED}, "STOPPED, VALID"),
        ({"verdict": replace(synthetic.FAILED, exit_code=107)}, "SCRIPT ERROR, SUSPECT"),
        ({"verdict": None, "status": Status.CRASHED}, "CRASHED"),
    ],
)
def test_the_verdict_is_the_headline_s_word(tmp_path: Path, changes: dict[str, Any], word: str) -> None:
    """The word of the report, then the validity, and the same word only once."""
    assert re.search(rf"-ramp {word} +1,207 ", drawn(tmp_path, synthetic.run(TALLY, **changes)))


def test_p95_that_too_few_were_beyond_is_hidden(tmp_path: Path) -> None:
    """Where the gate for samples did not hold, the figure is a dash."""
    finding = Finding("samples", Validity.SUSPECT, "http_req_duration p(95) rests on 0.4 of 8 samples (at least 10)")
    result = judge(parse_threshold("http_req_duration", "p(95)<500"), 812.4, "ms")
    run = synthetic.run(thresholds=(result,), verdict=replace(synthetic.VALID, findings=(finding,)))
    assert "812" not in drawn(tmp_path, run)


@pytest.mark.parametrize(
    ("thresholds", "shown"),
    [
        ((judge(parse_threshold("http_req_duration", "p(95)<500"), 812.4, "ms"),), "812"),
        ((judge(parse_threshold("http_req_duration", "p(95)<500"), inf, "ms"),), "no answer"),
        ((judge(parse_threshold("http_req_duration", "p(95)<500"), None, "ms"),), "–"),
        ((judge(parse_threshold("http_req_duration", "p(99)<500"), 5.0, "ms"),), "–"),
    ],
)
def test_p95_is_what_a_threshold_measured(tmp_path: Path, thresholds: tuple[ThresholdResult, ...], shown: str) -> None:
    """It is of bookings or of all, may be "no answer", and another percentile is not taken for it."""
    row = drawn(tmp_path, synthetic.run(thresholds=thresholds)).splitlines()[-1]
    assert f" {shown} " in row


def test_hostile_labels_are_plain_text(tmp_path: Path) -> None:
    """A label with an escape sequence or Rich's markup is shown letter by letter."""
    shown = drawn(tmp_path, synthetic.run(label="\x1b[31m[red]x"), width=120)
    assert "\\x1b[31m[red]x" in shown
    assert "\x1b" not in shown


def test_the_json_is_what_run_json_says(tmp_path: Path) -> None:
    """A list with an object for each run: its folder, and what its run.json holds."""
    run = synthetic.run(TALLY)
    place = synthetic.folder(tmp_path / run.id, run)
    (found,) = json.loads(listing.to_json([(place, run)]))
    assert found.pop("folder") == str(place.path)
    assert found == json.loads((place.path / "run.json").read_text(encoding="utf-8"))


def test_runs_of_an_experiment_stand_under_its_id(tmp_path: Path) -> None:
    """Its id once above them, pair and side in each line, within 80 columns; other runs stand as they did."""
    name = "20261123-041500-experiment-ramp"
    runs = [
        synthetic.run(TALLY, id="20261123-041900-ramp", label="safe", pairing=Pairing(name, 2, "safe")),
        synthetic.run(TALLY, id="20261123-041700-ramp", label="x", profile="", pairing=Pairing(name, 1, "as-found")),
        synthetic.run(TALLY, label="v2"),
    ]
    lines = drawn(tmp_path, *runs).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines].count(f"experiment {name}") == 1
    shown = [line.split(" 0 ")[-1].strip() for line in lines[-3:]]
    assert shown == ["pair 2: safe", "x, pair 1: as-found", "safe, v2"]


def test_runs_are_chosen_by_label_scenario_and_profile(tmp_path: Path) -> None:
    """What was asked for has to be met all; where nothing is, the nearest name is given."""
    runs = [synthetic.run(id=name, label=label) for name, label in (("a", "pool of 20"), ("b", "v2"), ("c", "v2"))]
    found = [(RunFolder(tmp_path / run.id), run) for run in runs]
    assert [run.id for _, run in listing.chosen(found, label="v2", scenario="ramp", profile="safe")] == ["b", "c"]
    assert listing.chosen(found, label="v2", scenario="smoke") == []
    assert listing.none_chosen(found, label="pool of 2") == (
        'no run has the label "pool of 2"; did you mean "pool of 20"?'
    )
    assert listing.none_chosen(found, label="v2", profile="safe") == "no run has all of these; ask for less"
