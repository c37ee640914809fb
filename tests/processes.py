"""Processes as tests look at them: who is alive in a folder, and waiting until something has come true."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 60.0
"""Seconds that a busy machine gets; a test that passes takes none of them."""


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.02)


def alive_in(folder: Path) -> list[psutil.Process]:
    """Give every process that works in a folder: all that a stack starts does, its workers and its guard too."""
    found = []
    for process in psutil.process_iter():
        try:
            inside = Path(process.cwd()).is_relative_to(folder)
            if inside and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
