"""Following a run from outside: until it has come so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def wait_for(found: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until something is so, and say what it was when it never is."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def recorded(folder: Path, seconds: int) -> bool:
    """Tell whether a run below a folder has so many seconds on disk."""
    return any(log.read_text().count("\n") >= seconds for log in folder.glob("runs/*/ticks.jsonl"))
