"""Runs on the virtual clock, played by a child process: importing Locust patches the interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def play(script: str, *names: str) -> dict[str, Any]:
    """Let a script beside this one play runs; gives what it printed, by the runs' names."""
    words = [sys.executable, "-m", f"tests.unit.engine.{script}", *names]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
