"""The users of runs on the virtual clock. What they do stands in their load's `env`, in seconds."""

from __future__ import annotations

from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, cast

import gevent
from locust import TaskSet, User, task

from lab.engine.equipped import Equipped
from tests.unit.engine.virtual_server import WORLD

if TYPE_CHECKING:
    from locust.env import Environment

    from lab.engine.client import LabContext

MS = 1000


class Caller(Equipped, User):
    """Sends one request an iteration, after which it thinks.

    `service`: of work for the server; `mean_service`: the same, exponential. `think`, `mean_think`: likewise.
    `getting_ready`: before the first iteration; `raises`: what it says when it cannot. `last_words`: after the last.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.lab: LabContext = environment.lab  # type: ignore[attr-defined]  # set by the cell
        self.number = next(self.lab.numbers)
        self.does = {key: float(value) for key, value in self.load_env.items() if key != "raises"}
        self.draw = Random(f"{self.lab.seed}/{self.number}").expovariate

    def on_start(self) -> None:
        """Get ready, or fail to."""
        gevent.sleep(self.does.get("getting_ready", 0.0))
        if "raises" in self.load_env:
            raise RuntimeError(self.load_env["raises"])

    def on_stop(self) -> None:
        """Take time to leave."""
        gevent.sleep(self.does.get("last_words", 0.0))
        WORLD.left.append(WORLD.elapsed)

    def wait_time(self) -> float:
        """Think."""
        return self._seconds("think")

    @task
    def work(self) -> None:
        """Send a request."""
        WORLD.begun.append((WORLD.elapsed, self.load_tags.get("scenario", ""), str(self.number)))
        self.send()

    def send(self) -> None:
        """Send a request as a user of the lab's does: paced, and recorded by way of Locust's event."""
        if self.lab.pace is not None:
            self.lab.pace()
        WORLD.sent.append(WORLD.elapsed)
        begin = perf_counter()
        WORLD.server.call(self._seconds("service"))
        self.environment.events.request.fire(
            request_type="GET",
            name="/",
            response_time=(perf_counter() - begin) * MS,
            response_length=0,
            exception=None,
            context=self.context(),
        )

    def _seconds(self, what: str) -> float:
        mean = self.does.get(f"mean_{what}")
        return self.does.get(what, 0.0) if mean is None else self.draw(1 / mean)


class Nested(Caller):
    """A user whose tasks stand in a task set, which inherits how long it thinks."""

    class Base(TaskSet):
        """Thinks for half a second."""

        def wait_time(self) -> float:
            """Think."""
            return 0.5

    class Inner(Base):
        """Works."""

        @task
        def inner(self) -> None:
            """Send a request."""
            cast("Caller", self.user).work()

    tasks = [Inner]  # noqa: RUF012 - as Locust has it


class Plain(User):
    """Locust's own: its client says what was answered, and not what is sent."""

    @task
    def work(self) -> None:
        """Have been answered."""
        gevent.sleep(0.1)
        self.environment.events.request.fire(
            request_type="GET",
            name="/",
            response_time=100,
            response_length=0,
            exception=None,
            context=self.context(),
        )


class Unmakeable(Caller):
    """A user that cannot even be made."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        raise LookupError("the dataset has no users")
