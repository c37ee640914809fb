"""A single run as Markdown, JSON and JUnit XML: each says what the page says, and obeys nothing that the run brings."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import psutil
import pytest

from lab.errors import ConfigError, RunError
from lab.importers import figures
from lab.importers.bring import bring
from lab.model.run import Pairing, ScriptTrace, Status
from lab.model.threshold import INTEGRITY_METRICS, judge, parse_threshold
from lab.model.verdict import Exit, Finding, Integrity, Validity
from reports import frame
from reports.markdown import LIMIT
from reports.single import export, github, junit, make, markdown
from tests import synthetic
from tests.junit import checked

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

    from lab.model.run import Run
    from reports.frame import RunData

SCHEMA = Path(__file__).parents[3] / "docs" / "run-report.schema.json"
SECONDS = synthetic.ticks(60)
TALLY = synthetic.tally(SECONDS)
UNCHECKED = Integrity(checked=False, notes=("the database did not answer",))
KILLED: dict[str, Any] = {"verdict": None, "integrity": None, "thresholds": (), "status": Status.RUNNING}


def read(path: Path, run: Run, *, closed: bool = True) -> RunData:
    """Write a run and read it as reports do."""
    return frame.load(synthetic.folder(path, run, SECONDS, closed=closed))


def suite(run: Run) -> ET.Element:
    """Write a run as JUnit XML and read that."""
    return checked(junit.render(run))


def imported(tmp_path: Path) -> tuple[RunData, figures.Figures | None]:
    """Import a summary of k6 and give what reports read of it."""
    summary = {
        "metrics": {
            "http_req_duration": {"avg": 12.5, "min": 1.0, "med": 10.0, "max": 90.0, "p(90)": 30.0, "p(95)": 45.0},
            "http_reqs": {"count": 100, "rate": 10.0},
            "http_req_failed": {"passes": 1, "fails": 99, "value": 0.01, "thresholds": {"rate<0.001": True}},
        },
        "root_group": {"name": "", "path": "", "id": "", "groups": {}, "checks": {}},
    }
    file = tmp_path / "load.json"
    file.write_text(json.dumps(summary), encoding="utf-8")
    folder = bring(file, "k6", tmp_path / "runs")
    return frame.load(folder), figures.load(folder)


def test_markdown_has_the_verdict_first_and_the_findings_last(tmp_path: Path) -> None:
    """Verdict, validity, thresholds, operations, audit, findings: in this order."""
    run = synthetic.run(TALLY, integrity=synthetic.OVERSOLD, verdict=synthetic.FAILED, label="v2", note="a pool of 20")
    text = markdown.render(read(tmp_path, run))
    assert text.startswith("### ✗ FAILED: 345 seats were sold that did not exist")
    parts = ["**SUSPECT**: these figures may mean", "label v2", "Note: a pool of 20", "**Thresholds**"]
    parts += [
        "**Operations**",
        "| booking | 7",
        "**Audit",
        "✗ seats\\_oversold 345",
        "**Findings**",
        "SUSPECT auth-bound",
    ]
    parts += ["notes of the audit (1)", "gates held (1)", "reasons of failures (1)"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("limit", [LIMIT, 6_000])
def test_markdown_fits_whatever_the_run_holds(tmp_path: Path, limit: int) -> None:
    """Thousands of thresholds, notes and findings with long names: shorter than a comment may be, and it says so."""
    name = "<&@|*_`" * 100
    base = synthetic.run(TALLY, integrity=synthetic.OVERSOLD, verdict=synthetic.FAILED)
    result = judge(parse_threshold("http_req_duration", "p(95)<1"), inf, "ms", name)
    assert base.verdict is not None
    run = replace(
        base,
        label=name,
        note=name,
        thresholds=tuple(replace(result, metric=name, expression=name) for _ in range(600)),
        verdict=replace(
            base.verdict, sentence=name * 9, findings=tuple(Finding(name, level, name) for level in Validity) * 100
        ),
        integrity=replace(synthetic.OVERSOLD, notes=(name,) * 400),
        script_errors=(ScriptTrace(3, name, name),) * 500,
    )
    text = markdown.render(read(tmp_path, run), limit=limit)
    assert len(text) < limit
    assert "more rows." in text or limit < LIMIT
    assert text.startswith("### ✗ FAILED: &lt;")


def test_hostile_texts_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    """No markup, no mention and no character that XML forbids comes of names, reasons, labels and notes."""
    bad = "".join(synthetic.HOSTILE[:5]) + "@team |x| `y` \ufffe\x00\ud800"
    seconds = synthetic.ticks(60, hostile=synthetic.HOSTILE)
    run = replace(synthetic.hostile_run(synthetic.tally(seconds)), label=bad, note=bad)
    data = frame.load(synthetic.folder(tmp_path, run, seconds))
    text = markdown.render(data)
    assert not any(piece in text for piece in ("<script", "<img", "<b>", "@team", "|x|", "\u202e", "\x1b"))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} <= {5, 12}
    assert suite(data.run).tag == "testsuites"
    assert json.loads(export.render(data))["run"]["label"].startswith(bad[:20])


def test_the_json_keeps_to_its_schema(tmp_path: Path) -> None:
    """Runs of every kind: passed, hostile, killed, crashed, without samples, of an experiment, imported."""
    checker = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    seconds = synthetic.ticks(30, hostile=synthetic.HOSTILE)
    runs = {
        "passed": synthetic.run(TALLY, pairing=Pairing("e", 1, "safe")),
        "hostile": synthetic.hostile_run(synthetic.tally(seconds)),
        "killed": synthetic.run(**KILLED),
        "crashed": synthetic.run(TALLY, status=Status.CRASHED, integrity=UNCHECKED, revision=None),
        "empty": synthetic.run(integrity=synthetic.OVERSOLD, verdict=synthetic.INVALID),
    }
    made = {
        name: frame.load(synthetic.folder(tmp_path / name, run, seconds if name == "hostile" else SECONDS))
        for name, run in runs.items()
    }
    found = {name: json.loads(export.render(data)) for name, data in made.items()}
    found["imported"] = json.loads(export.render(*imported(tmp_path)))
    for values in found.values():
        checker.validate(values)
    passed = found["passed"]
    assert passed["version"] == export.REPORT_VERSION == 1
    assert [row["operation"] for row in passed["operations"]] == ["all", "booking", "search", "signin"]
    assert passed["operations"][0]["requests"] == TALLY.counter("sent")
    assert found["killed"]["validity"] is None
    assert any(row["actual"] == "no answer" for row in found["hostile"]["thresholds"])
    assert found["imported"]["imported"]["tables"]
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**passed, "validity": "FINE"})


def test_a_percentile_that_is_hidden_is_null_in_json_and_a_dash_in_markdown(tmp_path: Path) -> None:
    """Of what too few requests exceed there is no figure, and never 0."""
    data = read(tmp_path, synthetic.run(TALLY))
    signin = next(row for row in export.as_dict(data)["operations"] if row["operation"] == "signin")
    assert signin["p99"] is None
    assert signin["notes"]["p99"].startswith("hidden: ")
    line = next(line for line in markdown.render(data).splitlines() if line.startswith("| signin"))
    assert line.split(" | ")[7] == "–"


def green(run: Run) -> bool:
    """Tell whether a CI server would show a run as passed."""
    root = suite(run)
    assert int(root.attrib["tests"]) == len(root.findall(".//testcase"))
    names = [(case.get("classname"), case.get("name")) for case in root.findall(".//testcase")]
    assert len(set(names)) == len(names)
    assert int(root.attrib["failures"]) == len(root.findall(".//failure"))
    return not int(root.attrib["failures"])


def test_junit_is_green_when_the_exit_code_is_0() -> None:
    """Of runs of every kind; a SUSPECT gate and an audit that was not made are skipped."""
    passing = synthetic.run(TALLY, thresholds=())
    suspect = Finding("auth-bound", Validity.SUSPECT, "sign-in took 71 % of the time")
    nothing = tuple(judge(parse_threshold(metric, "value==0"), None) for metric in INTEGRITY_METRICS)
    late = judge(parse_threshold("http_req_duration", "p(95)<1"), 812.4, "ms")
    assert passing.verdict is not None
    verdict = passing.verdict
    cases = {
        "valid": passing,
        "suspect twice": replace(passing, verdict=replace(verdict, validity=Validity.SUSPECT, findings=(suspect,) * 2)),
        "not audited": replace(passing, integrity=None),
        "switched off": replace(passing, integrity=synthetic.OVERSOLD),
        "late": replace(passing, thresholds=(late,), verdict=replace(verdict, exit_code=Exit.THRESHOLDS)),
        "no data": replace(
            passing, integrity=UNCHECKED, thresholds=nothing, verdict=replace(verdict, exit_code=Exit.THRESHOLDS)
        ),
        "oversold": synthetic.run(TALLY, integrity=synthetic.OVERSOLD, verdict=synthetic.FAILED),
        "invalid": replace(passing, verdict=synthetic.INVALID),
        "stopped": replace(passing, status=Status.STOPPED, verdict=replace(verdict, exit_code=Exit.SIGNAL)),
        "script": replace(passing, verdict=replace(verdict, exit_code=Exit.SCRIPT)),
        "killed": replace(passing, verdict=None, status=Status.RUNNING, pid=1, pid_started=1.0),
        "going on": replace(
            passing, verdict=None, status=Status.RUNNING, pid=os.getpid(), pid_started=psutil.Process().create_time()
        ),
    }
    shown = {name: green(run) for name, run in cases.items()}
    assert shown == {name: run.verdict is not None and run.verdict.exit_code == 0 for name, run in cases.items()}
    skipped = {name: suite(run)[0].attrib["skipped"] for name, run in cases.items()}
    assert [skipped[name] for name in ("valid", "suspect twice", "not audited", "switched off")] == ["0", "2", "1", "6"]


def test_the_summary_of_a_step_is_appended_to(tmp_path: Path) -> None:
    """Twice makes two; where the summary is nearly full it is shortened, and where it is full it is refused."""
    folder = synthetic.folder(tmp_path / "run", synthetic.run(TALLY), SECONDS)
    summary = tmp_path / "summary.md"
    environ = {github.VARIABLE: str(summary)}
    wanted = make.Wanted(github=True)
    with pytest.raises(ConfigError, match="no step of GitHub Actions; use --md FILE"):
        make.make(folder, wanted, {})
    make.make(folder, wanted, environ)
    make.make(folder, wanted, environ)
    text = summary.read_text(encoding="utf-8")
    assert text.count("### ✓ PASSED") == text.count("\n\n### ✓ PASSED") + 1 == 2
    summary.write_bytes(b"x" * (github.MOST_BYTES - 9_000))
    make.make(folder, wanted, environ)
    assert github.MOST_BYTES - 9_000 < summary.stat().st_size <= github.MOST_BYTES
    summary.write_bytes(b"x" * (github.MOST_BYTES - 1_000))
    with pytest.raises(RunError, match="takes no more"):
        make.make(folder, wanted, environ)
    assert summary.stat().st_size == github.MOST_BYTES - 1_000


def test_each_report_goes_where_it_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files are written and named, - is standard output alone, and two in one place are refused."""
    folder = synthetic.folder(tmp_path / "run", synthetic.run(TALLY), SECONDS)
    target = tmp_path / "new" / "r.xml"
    wanted = make.Wanted(junit=target, md=Path("-"), html=tmp_path / "page.html")
    assert make.make(folder, wanted, {}) == [tmp_path / "page.html", target]
    assert wanted.to_standard_output
    assert capsys.readouterr().out.startswith("### ✓ PASSED")
    assert target.read_text(encoding="utf-8").startswith("<?xml")
    assert "<!DOCTYPE html>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="--html and --json both go to"):
        make.make(folder, make.Wanted(html=target, json=tmp_path / "new" / ".." / "new" / "r.xml"), {})
    with pytest.raises(RunError, match=r"cannot be written: .*; name another file"):
        make.make(folder, make.Wanted(md=target / "x"), {})
    assert sorted(path.name for path in target.parent.iterdir()) == ["r.xml"]
