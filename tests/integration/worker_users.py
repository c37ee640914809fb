"""User classes for test_workers.py; each process also keeps, in a file of its own, every time that it measured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from locust import constant, task

from lab.engine.client import LabUser
from lab.model.histogram import bin_of

if TYPE_CHECKING:
    from locust.env import Environment


class Looker(LabUser):
    """Asks for its own account ten times a second, and books in the ledger."""

    wait_time = constant(0.1)
    path = "/users/{}"
    kept: ClassVar[dict[str, int]] = {}

    def __init__(self, environment: Environment) -> None:
        """Let the process keep its times from the first user on."""
        super().__init__(environment)
        if not self.kept:
            name = f"{self.env['out']}/{os.getpid()}.times"
            self.kept[name] = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            environment.events.request.add_listener(self._keep)

    def on_start(self) -> None:
        """Take the next account."""
        self.member = self.data.next_member()

    @task
    def look(self) -> None:
        """Look."""
        with self.ledger.attempt(1, self.member.id, self.member.email, 1) as attempt:
            who = {"x-process": str(os.getpid()), "x-number": str(self.number)}
            response = self.client.get(self.path.format(self.member.id), name="/users", headers=who)
            attempt.settle(response.status_code, {"status": "Booked", "id": 1, "totalCost": 1.0})
        self.check(response, {"status is 200": lambda r: r.status_code == 200})

    def _keep(self, *, response_time: float, **_: Any) -> None:
        (file,) = self.kept.values()
        os.write(file, f"{bin_of(round(response_time * 1000))}\n".encode())


class Waiter(Looker):
    """Asks for what takes a minute."""

    path = "/slow"


class Raiser(Looker):
    """Raises in every iteration."""

    @task
    def stumble(self) -> None:
        """Raise."""
        raise KeyError("seat")
