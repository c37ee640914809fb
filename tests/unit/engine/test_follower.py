"""A worker takes its orders from the first moment. Locust runs in a process of its own: it patches the interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "follow_master.py"


def test_a_plan_that_comes_in_one_breath_with_the_welcome_is_heard() -> None:
    """On a busy machine both lie in the socket before the worker looks; it once left the plan, and waited for it."""
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == ["the plan"], done.stderr
