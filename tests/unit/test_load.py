"""The load process from outside, where no load is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import load
from lab.load import LoadProcess
from lab.store import create

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_an_edit_that_comes_too_late_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be said to a process that has just ended is not said again when its pipe is closed."""
    monkeypatch.setattr(load, "_module", lambda _: ["this"])
    folder = create(tmp_path, "edited")

    with LoadProcess(folder, tmp_path / "data") as process:
        assert process.wait(30)
        process.edit(40)

    assert not process.running
