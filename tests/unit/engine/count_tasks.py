"""Tasks of a user class, nested ones too, wrapped and run; prints what was counted, as JSON. See test_userfile.py.

Run as a script, since importing Locust patches the whole interpreter.
"""

from __future__ import annotations

from locust import TaskSet, User, task  # isort: skip - first, since it patches the interpreter that all below runs in

import contextlib
import json
import time
from typing import Any

from locust.env import Environment
from locust.exception import StopUser

from lab.engine.loaded import dressed
from lab.engine.recorder import Recorder
from lab.engine.turn import Turn
from lab.model.load import Load
from lab.model.sample import Tally
from lab.model.stage import Stage


class Inner(TaskSet):
    """A nested task set."""

    @task
    def inner(self) -> None:
        """Do nothing."""


class Somebody(User):
    """Tasks that end well, raise, and stop the user."""

    tasks = [Inner]  # noqa: RUF012 - as Locust has it

    @task(3)
    def well(self) -> None:
        """Do nothing."""

    @task
    def badly(self) -> None:
        """Raise."""
        raise KeyError("x")

    @task
    def leave(self) -> None:
        """Stop the user, as Locust's own words do."""
        raise StopUser


def main() -> None:
    """Wrap, run each task once, print the counts."""
    recorder = Recorder(time.perf_counter)
    load = Load("constant-vus", "Somebody", (Stage(1, 1),), 1)
    made: Any = dressed(Somebody, load, Turn(), recorder, "http://127.0.0.1")
    user = made(Environment())
    every: list[Any] = [*made.tasks, *Inner.tasks]
    tasks = {one.__name__: one for one in every if not isinstance(one, type)}
    for one in tasks.values():
        with contextlib.suppress(KeyError, StopUser):
            one(user)
    tally = Tally()
    for tick in recorder.close({}, everything=True):
        tally.add(tick)
    outcomes = {f"{key.name} {key.outcome}": histogram.count for key, histogram in tally.trends.items()}
    weights = [one.__name__ for one in every[: -len(Inner.tasks)]]
    print(json.dumps({"counted": outcomes, "errors": tally.counter("iteration_errors"), "weights": sorted(weights)}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
