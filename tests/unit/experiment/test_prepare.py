"""A side's command: what becomes of one that does not end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import psutil
import pytest

from lab.errors import TargetError
from lab.experiment import prepare
from lab.experiment.prepare import Places, prepared
from lab.model.experiment import Arm, Kind
from lab.model.target import local_target

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that it took too long, and nothing of it goes on."""
    monkeypatch.setattr(prepare, "LONGEST_COMMAND_S", 0.0)
    mark = uuid4().hex
    begun = tmp_path / "begun"

    def pause(_seconds: float) -> bool:
        while not begun.exists():
            pass
        return False

    arm = Arm("x", Kind.TARGET, "x", f"sh -c 'touch {begun}; sleep 600; echo {mark}'; true")
    places = Places(tmp_path, None, {"x": local_target()}, tmp_path / "commands.log", pause)
    with pytest.raises(TargetError, match="was ended after 0 s"), prepared(arm, places, lambda _: None):
        pass
    for one in psutil.process_iter(["cmdline"]):
        if mark in " ".join(one.info["cmdline"] or ()):
            psutil.wait_procs([one], timeout=60)
            assert not one.is_running()
