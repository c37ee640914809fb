"""From the command line to a comparison: ids, labels, files and exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import cli
from lab import store
from lab.errors import ConfigError, NotComparableError, RunError
from lab.model.run import Status
from reports import outputs
from reports.comparison import files, metrics
from reports.comparison.sides import sides
from tests import synthetic


def folder(out: Path, label: str, number: int, **changes: object) -> None:
    """Write a run with a label."""
    made = store.create(out, f"r{number}")
    run = replace(synthetic.run(), id=made.path.name, label=label, status=Status.FINISHED, **changes)  # type: ignore[arg-type]  # by name
    made.save(run)
    made.ticks.write_text("".join(tick.to_json() + "\n" for tick in synthetic.ticks(20, number)), encoding="utf-8")


def test_a_label_means_all_its_runs_and_an_id_one(tmp_path: Path) -> None:
    """A label gathers every finished run that has it, oldest first; an id is that run alone."""
    for number, label in enumerate(("before", "after", "before")):
        folder(tmp_path, label, number)
    folder(tmp_path, "before", 9)
    unfinished = store.runs(tmp_path)[0][0]
    unfinished.save(replace(unfinished.load(), status=Status.STOPPED))

    before, after = sides(["before", "after"], tmp_path)
    (alone,) = sides([after.runs[0].run_id], tmp_path)

    assert (before.label, len(before.runs), after.label, len(after.runs)) == ("before", 2, "after", 1)
    assert alone.runs[0].run_id == after.runs[0].run_id
    with pytest.raises(RunError, match='no finished run has the label "nobody"'):
        sides(["nobody"], tmp_path)
    with pytest.raises(RunError, match="half a run is not compared"):
        sides([unfinished.path.name], tmp_path)


def test_two_single_runs_have_no_verdict_and_fail_nothing(tmp_path: Path) -> None:
    """One run each is shown without a verdict, and nothing has regressed; other seeds are refused by name."""
    folder(tmp_path, "a", 1)
    folder(tmp_path, "b", 2)
    folder(tmp_path, "c", 3, seed=77)

    found = files.compared(["a", "b"], tmp_path, metrics.asked(["p95"], ["p95=20%"]), 0.05, force=False)

    assert {row.ruling.answer for row in found.rows} == {"NO VERDICT"}
    assert files.exit_code(found, "regressed") == 0
    with pytest.raises(NotComparableError, match="seed differs"):
        files.compared(["a", "c"], tmp_path, metrics.asked(None, None), 0.05, force=False)


def test_a_mistyped_fail_on_is_refused_before_anything_is_read_or_written(tmp_path: Path) -> None:
    """Neither are runs looked for, nor is a page left behind."""
    with pytest.raises(ConfigError, match='did you mean "regressed"'):
        cli.compare("a", ["b"], fail_on="regresed", html=tmp_path / "c.html", out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_files_are_written_where_they_were_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each report goes to its place, a folder is made, `-` is standard output, and no two go to one file."""
    folder(tmp_path, "a", 1)
    folder(tmp_path, "b", 2)
    found = files.compared(["a", "b"], tmp_path, metrics.asked(None, None), 0.05, force=False)
    new = tmp_path / "new"

    wanted = outputs.asked(new / "c.html", new / "c.md", Path("-"), new / "c.xml")
    files.make(found, wanted, tmp_path)

    assert json.loads(capsys.readouterr().out)["headline"] == found.headline
    starts = {path.suffix: path.read_text(encoding="utf-8")[:9] for path in new.iterdir()}
    assert starts == {".html": "<!DOCTYPE", ".md": "### One r", ".xml": "<?xml ver"}
    assert "its samples are gone" not in (new / "c.html").read_text(encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written"):
        files.make(found, {"--md": new}, tmp_path)
    with pytest.raises(ConfigError, match="--md and --junit both go to"):
        outputs.asked(md=new / "c", junit=new / "c")
