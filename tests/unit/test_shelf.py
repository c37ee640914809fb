"""Runs are labelled and thrown away, and nothing else ever is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from typer.testing import CliRunner

import cli
from lab import shelf, store
from lab.errors import ConfigError, RunError
from lab.model.run import Pairing, Status
from lab.store import RunFolder
from reports import shelving
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = synthetic.ticks(3)
LIVING: dict[str, Any] = {"pid": os.getpid(), "pid_started": psutil.Process().create_time(), "status": Status.RUNNING}


def made(out: Path, name: str = "a", **changes: Any) -> RunFolder:
    """Write a run."""
    return synthetic.folder(out / name, synthetic.run(id=name, **changes), SECONDS)


def test_a_label_is_set_and_taken_away(tmp_path: Path) -> None:
    """Only the label changes; an empty one is none, and a report with the old one is named."""
    folder = made(tmp_path, label="old")
    before = folder.load()
    folder.report.write_text("", encoding="utf-8")
    assert "report.html is as it was" in shelving.relabelled(folder, shelf.relabel(folder, "new"))
    assert folder.load().label == "new"
    assert shelving.relabelled(RunFolder(tmp_path), shelf.relabel(folder, "")) == "a has no label now."
    assert shelf.relabel(folder, "old") == before


@pytest.mark.parametrize("act", [lambda f: shelf.relabel(f, "x"), lambda f: shelf.doomed(["a"], f.path.parent)])
def test_a_run_that_goes_on_is_left_alone(tmp_path: Path, act: Callable[[RunFolder], object]) -> None:
    """Neither label nor folder is touched while its process lives; when that is gone, both may be."""
    folder = made(tmp_path, verdict=None, **LIVING)
    before = (folder.path / store.RUN_FILE).read_bytes()
    with pytest.raises(RunError, match="a goes on"):
        act(folder)
    assert (folder.path / store.RUN_FILE).read_bytes() == before
    act(made(tmp_path, verdict=None, **{**LIVING, "pid_started": 1.0}))


def test_a_run_that_was_begun_while_somebody_was_asked_stays(tmp_path: Path) -> None:
    """What was found is looked at again before it is removed."""
    folder = made(tmp_path)
    found = shelf.doomed(["a"], tmp_path)
    folder.save(synthetic.run(id="a", verdict=None, **LIVING))
    with pytest.raises(RunError, match="goes on"):
        shelf.remove(found)
    assert folder.samples.exists()


def test_removed_runs_are_gone_and_the_others_are_not(tmp_path: Path) -> None:
    """Each named run once, however it is called; it is said what that freed."""
    for name in ("a", "b", "c"):
        made(tmp_path, name, pairing=Pairing("exp", 2, "safe"), label="<x>")
    size = sum(path.stat().st_size for name in "ab" for path in (tmp_path / name).iterdir())
    found = shelf.doomed(["a", str(tmp_path / "a"), "b"], tmp_path)
    assert shelving.doomed_lines(found)[0].startswith('a (label "<x>", pair 2 of exp), ')
    freed = shelf.remove(found)
    assert freed == size
    assert shelving.removed(found, freed).startswith("Removed 2 runs; ")
    assert [folder.path.name for folder, _ in store.runs(tmp_path)] == ["c"]
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_no_run_is_never_removed(tmp_path: Path) -> None:
    """Without a run.json, with a foreign one, with folders inside, behind a link: refused, and nothing is touched."""
    (tmp_path / "empty").mkdir()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / store.RUN_FILE).write_text('{"version": 0}', encoding="utf-8")
    deep = made(tmp_path, "deep").path / "inner"
    deep.mkdir()
    (tmp_path / "link").symlink_to(made(tmp_path, "whole").path)
    everything = sorted(tmp_path.rglob("*"))
    for name, words in (
        ("empty", "a folder without a run.json"),
        ("foreign", "version 0"),
        ("deep", "holds more than a run"),
        ("link", "is a link"),
        ("nobody", 'no run "nobody"'),
    ):
        with pytest.raises(RunError, match=words):
            shelf.doomed(["whole", name], tmp_path)
    assert sorted(tmp_path.rglob("*")) == everything


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path: Path) -> None:
    """Without --yes the command refuses; with it the run is gone."""
    folder = made(tmp_path)
    asked = CliRunner().invoke(cli.app, ["runs", "rm", "a", "--out", str(tmp_path)])
    assert isinstance(asked.exception, ConfigError)
    assert folder.path.exists()
    done = CliRunner().invoke(cli.app, ["runs", "rm", "a", "--yes", "--out", str(tmp_path)])
    assert done.exit_code == 0
    assert done.output.startswith("Removed a; ")
    assert not folder.path.exists()
