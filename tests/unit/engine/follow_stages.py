"""A load process in small, for test_shape.py: users that do nothing follow stages; prints what was seen, as JSON.

Run as a script, since importing Locust patches the whole interpreter.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import json
import sys
import time
from typing import Any

import gevent
from locust import User, task

from lab.engine.shape import StagedRunner, StagesShape
from lab.model.load import Load
from lab.model.scenario import Scenario
from lab.model.stage import Stage

NEW = 3


class Idle(User):
    """A user that is at work for `busy` seconds, then thinks for `think`."""

    busy = 0.0
    think = 0.05
    last_words = 0.0

    def wait_time(self) -> float:
        """Give how long to think."""
        return self.think

    @task
    def work(self) -> None:
        """Be busy."""
        gevent.sleep(self.busy)

    def on_stop(self) -> None:
        """Take time to leave."""
        gevent.sleep(self.last_words)


def follow(stages: list[list[float]], start: int) -> dict[str, Any]:
    """Run the stages and look every 50 ms how many users there are to stay, and how many are wanted."""
    scenario = Scenario("s", (Load("ramping-vus", "Idle", tuple(Stage(d, int(t)) for d, t in stages), start),))
    zero = time.perf_counter()
    shape = StagesShape(scenario, lambda: time.perf_counter() - zero)
    environment = Environment(user_classes=[Idle], shape_class=shape)
    runner = environment._create_runner(StagedRunner)  # noqa: SLF001 - as the worker does
    worker = gevent.spawn(runner.shape_worker)
    seen = []
    while not worker.dead:
        seen.append([time.perf_counter() - zero, runner.target_user_count, runner.user_count])
        gevent.sleep(0.05)
    runner.drain(5)
    return {"seen": seen, "left": runner.user_count}


def leave(users: int) -> dict[str, Any]:
    """Ask users to leave that are slow to do so, and count who is still there right after asking."""
    environment = Environment(user_classes=[Idle])
    runner = environment._create_runner(StagedRunner)  # noqa: SLF001 - as the worker does
    runner.adjust(users)
    gevent.sleep(0.2)
    before = runner.user_count
    runner.adjust(0)
    asked = runner.user_count
    runner.adjust(NEW)
    # The three new ones stay, so the group is down to them once all who were asked are gone.
    with gevent.Timeout(20):
        while runner.user_count > NEW:
            gevent.sleep(0.02)
    return {"before": before, "asked": asked, "after": runner.user_count}


def main() -> None:
    """Do what the arguments say: `follow STAGES START` or `leave USERS BUSY THINK LAST_WORDS`."""
    kind, *rest = sys.argv[1:]
    if kind == "follow":
        found = follow(json.loads(rest[0]), int(rest[1]))
    else:
        Idle.busy, Idle.think, Idle.last_words = (float(text) for text in rest[1:])
        found = leave(int(rest[0]))
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
