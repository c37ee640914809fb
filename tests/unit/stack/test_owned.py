"""What an owned stack leaves behind when it is interrupted in the wrong moment."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from lab.stack import owned

if TYPE_CHECKING:
    from pathlib import Path

    from lab.stack.plan import Plan


def test_a_ctrl_c_while_it_is_being_started_still_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interrupt waits until the supervisor is known, so that it is stopped and its folder goes."""
    told: list[str] = []

    class Slow:
        """A supervisor that is interrupted in the middle of its start."""

        def __init__(self, plan: Plan, _claim: object) -> None:
            plan.layout.root.mkdir()
            signal.raise_signal(signal.SIGINT)
            told.append("started")

        def stop(self) -> None:
            told.append("stopped")

    monkeypatch.setattr(owned, "Handle", Slow)
    with pytest.raises(KeyboardInterrupt), owned.running(tmp_path):
        told.append("ready")
    assert told == ["started", "stopped"]
    assert not list(tmp_path.iterdir())
