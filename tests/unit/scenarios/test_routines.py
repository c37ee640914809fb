"""What a user class says of itself is what it does: each is run against a made-up platform and counted."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.lint.routine import declared

SCENARIOS = Path(__file__).parents[3] / "scenarios"
USERS = SCENARIOS / "users.py"
CLASSES = [node.name for node in ast.parse(USERS.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]


@pytest.fixture(scope="module")
def done() -> dict[str, Any]:
    """What each class did in an average iteration."""
    script = Path(__file__).with_name("do_routines.py")
    ended = subprocess.run(
        [sys.executable, str(script), str(USERS), *CLASSES], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_that_ships_does_what_its_routine_says(name: str, done: dict[str, Any]) -> None:
    """Requests by operation, checks, sleep, think time, seats and flights, to within a twentieth or a thousandth."""
    routine, did = declared(USERS, name), done[name]
    assert routine is not None, f"{name} has no routine"

    assert did["requests"] == pytest.approx(dict(routine.requests), rel=0.05, abs=0.004)
    assert did["checks"] == sorted(routine.checks)
    assert did["failed"] == []
    for figure in ("sleep", "think", "seats"):
        assert did[figure] == pytest.approx(getattr(routine, figure), rel=0.05, abs=0.001), figure
    assert did["flights"] == {"all": 50, "one": 1, "none": 0}[routine.flights]
