"""The list of runs fits a terminal, and its JSON is what a program can read."""

from __future__ import annotations

import io
import json
from math import inf
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from lab.model.run import Status
from lab.model.threshold import ThresholdResult, judge, parse_threshold
from lab.store import RunFolder
from reports import listing
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.run import Run

SECONDS = synthetic.ticks(60)
TALLY = synthetic.tally(SECONDS)


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
    assert lines[-1].split() == ["20261123-041500-ramp", "failed,", "SUSPECT", "1,207", "88.2", "357", "safe"]


def test_a_run_that_goes_on_has_no_verdict(tmp_path: Path) -> None:
    """What is not known yet is a dash, and never 0."""
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), status=Status.RUNNING)
    assert drawn(tmp_path, run).splitlines()[-1].split()[1:] == ["not", "ended", "0", "–", "–", "safe"]


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
