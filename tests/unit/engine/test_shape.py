"""Users follow the stages. Locust runs in processes of its own, since importing it patches the interpreter."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.model.stage import Stage, users_at

SCRIPT = Path(__file__).parent / "follow_stages.py"


def run(*words: str) -> dict[str, Any]:
    """Run the script and read what it printed."""
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def awake(seen: list[list[float]]) -> list[list[float]]:
    """Leave out what was seen before the first look, and while the machine was too busy to run the process at all."""
    return [now for before, now in itertools.pairwise(seen) if now[0] - before[0] < 0.4 and now[0] >= 0.15]


@pytest.mark.parametrize(
    ("stages", "start"),
    [
        ([[5, 500], [1, 500]], 0),
        ([[1, 20], [1, 5], [0, 30], [1, 0]], 0),
        ([[1, 10], [1, 10]], 10),
    ],
    ids=["0 to 500 in 5 s", "stages of 1 s", "a constant number"],
)
def test_users_follow_the_stages(stages: list[list[float]], start: int) -> None:
    """At every moment as many are wanted as the line said within the second before, within a user; no stage is lost."""
    found = run("follow", json.dumps(stages), str(start))
    plan = [Stage(duration, int(target)) for duration, target in stages]
    for at, wanted, _ in awake(found["seen"]):
        recently = [users_at(plan, start, at - 0.05 * step) for step in range(21)]
        assert min(recently) - 1 <= wanted <= max(recently) + 1, (at, wanted)

    assert found["left"] == 0
    for number, (_, target) in enumerate(stages[:-1], start=1):
        end = sum(duration for duration, _ in stages[:number])
        # A jump at that moment may come first; before it the count is within what a look every 100 ms can miss.
        near = [wanted for at, wanted, _ in awake(found["seen"]) if end - 0.3 <= at <= end + 0.9]
        assert not near or any(abs(wanted - target) <= max(0.1 * target, 2) for wanted in near), (number, near)


def test_as_many_users_run_as_are_wanted() -> None:
    """Users that have nothing to finish come and go within a second of being wanted or not."""
    seen = run("follow", "[[1, 40], [1, 40], [1, 0]]", "0")["seen"]

    held = [running for at, _, running in awake(seen) if 1.9 <= at <= 2.0]
    assert all(running == 40 for running in held)
    for at, wanted, running in awake(seen):
        recently = [w for t, w, _ in seen if at - 1 <= t <= at]
        assert min(recently) - 1 <= running <= max(recently) + 1, (at, wanted, running)


@pytest.mark.parametrize(
    ("busy", "think", "last_words"), [("0", "9", "0.4"), ("0.4", "0.01", "0.1")], ids=["thinking", "at work"]
)
def test_a_ramp_down_waits_for_nobody(busy: str, think: str, last_words: str) -> None:
    """Eight users that take their time to leave are still there right after they were asked to; then three new ones."""
    found = run("leave", "8", busy, think, last_words)

    assert found["before"] == 8
    assert found["asked"] == 8
    assert found["after"] == 3
