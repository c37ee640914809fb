"""What counts as an iteration."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_each_task_is_an_iteration_nested_ones_too() -> None:
    """A task that ends counts as ok, one that raises as failed, one that leaves not at all; weights stay."""
    script = Path(__file__).with_name("count_tasks.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == {
        "counted": {"well ok": 1, "badly fail": 1, "inner ok": 1},
        "errors": 1,
        "weights": ["Inner", "badly", "leave", "well", "well", "well"],
    }
