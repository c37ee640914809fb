"""`experiment` from end to end: two states of a deployment, stopped in the middle and gone on with."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.following import recorded, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e


def test_an_experiment_that_was_stopped_goes_on_and_compares(standing: Lab, tmp_path: Path) -> None:
    """Each side's command runs before its runs; Ctrl-C loses nothing; the end is a comparison of whole pairs."""
    for folder in standing.folder.glob("runs/*"):
        folder.rename(tmp_path / folder.name)
    (standing.folder / "two.toml").write_text(
        'executor = "constant-vus"\nexec = "PoolBooker"\nvus = 2\nduration = "2s"\n[data]\nflights = 3\nusers = 2\n'
    )
    assert standing.run("seed", "--flights", "3", "--users", "2", "--airplanes", "2").code == 0
    parts = standing.run("status", "--json").json["parts"]
    gateway = f"http://127.0.0.1:{next(part['port'] for part in parts if part['name'] == 'gateway')}"
    words = ("--scenario", "two.toml", "--gateway", gateway, "--pairs", "1", "--cool-down", "0", "--workers", "1")

    process = standing.start(
        "experiment", *words, "--baseline-cmd", "echo old >> told", "--candidate-cmd", "echo new >> told"
    )
    wait_for(lambda: recorded(standing.folder, 1), "a recorded second")
    process.send_signal(signal.SIGINT)
    stopped = standing.ended(process)
    assert stopped.code == 105, stopped.err
    (file,) = standing.folder.glob("runs/*/experiment.json")
    assert f"go on with airbourne-lab experiment --resume {file.parent.name}" in stopped.err

    ended = standing.run("experiment", "--resume", file.parent.name, "--json", "answer.json")
    assert ended.code == 0, ended.err
    assert "One run each: no verdict" in ended.out
    experiment = json.loads(file.read_text())
    assert (experiment["state"], [arm["label"] for arm in experiment["arms"]]) == ("done", ["baseline", "candidate"])
    told = (standing.folder / "told").read_text().split()
    assert sorted(set(told)) == ["new", "old"]
    assert len(told) >= 3
    answer = json.loads((standing.folder / "answer.json").read_text())
    assert [len(answer["baseline"]["runs"]), len(answer["candidates"][0]["runs"])] == [1, 1]
    again = standing.run("compare", file.parent.name)
    assert again.code == 0, again.err
    assert again.out.split("report:")[0].strip() == ended.out.split("report:")[0].strip()
