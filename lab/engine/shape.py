"""The load's shape in Locust's terms: users follow the stages as a straight line, and no stage is ever skipped.

Locust's own shape worker looks once a second and blocks while users leave, so that short stages are lost and a ramp
is a staircase. The lab's runners look ten times a second and wait for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gevent
from locust import LoadTestShape
from locust.runners import STATE_INIT, STATE_RUNNING, STATE_SPAWNING, LocalRunner, Runner
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent import Greenlet

    from lab.model.scenario import Scenario

INTERVAL: Final = 0.1


class StagesShape(LoadTestShape):
    """A scenario's stages as a Locust shape."""

    def __init__(self, scenario: Scenario, elapsed: Callable[[], float]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Locust's
        self._scenario = scenario
        self._elapsed = elapsed
        self._length = scenario.duration

    def tick(self) -> tuple[int, float] | None:
        """Give how many users there should be now, and how many a second may come or go; None at the end."""
        now = self._elapsed()
        if now >= self._length:
            return None
        users = self._scenario.users_at(now)
        return users, max(float(users), 1.0)


class Adjusting(Runner):
    """A runner whose users come and go at once, by the number that should be there."""

    def adjust(self, wanted: int) -> None:
        """Start users, or ask users to leave after their iteration, until `wanted` are there to stay.

        It waits for nobody: what a user does in `on_stop` may take its time.
        """
        self.target_user_count = wanted
        staying = [greenlet for greenlet in self._greenlets() if not self._leaving(greenlet)]
        name = self.user_classes[0].__name__
        if wanted > len(staying):
            self.spawn_users({name: wanted - len(staying)})
        for greenlet in staying[wanted:]:
            if _state(greenlet) == LOCUST_STATE_RUNNING:
                greenlet.args[0].stop(force=False)
            else:
                # Locust's own `stop` would wait here for the user's `on_stop`.
                self.user_greenlets.killone(greenlet, block=False)

    def _greenlets(self) -> list[Greenlet[..., Any]]:
        # A greenlet that has ended, but is still in the group, has lost its arguments.
        return [greenlet for greenlet in list(self.user_greenlets) if greenlet.args]

    def _leaving(self, greenlet: Greenlet[..., Any]) -> bool:
        return greenlet in self.user_greenlets.dying or _state(greenlet) == LOCUST_STATE_STOPPING

    def drain(self, timeout: float) -> None:
        """Ask all users to leave, give them `timeout` seconds to finish their iteration, then stop the rest."""
        self.adjust(0)
        self.user_greenlets.join(timeout=timeout)
        self.user_greenlets.kill(block=True, timeout=1)
        self.environment.events.test_stop.fire(environment=self.environment)


class StagedRunner(Adjusting, LocalRunner):
    """A local runner that follows its shape closely."""

    def shape_worker(self) -> None:
        """Adjust the number of users every 100 ms until the shape ends, then stop."""
        shape = self.environment.shape_class
        if shape is None:
            raise RuntimeError("a staged runner needs a shape")
        self.environment.events.test_start.fire(environment=self.environment)
        self.update_state(STATE_RUNNING)
        while self.state in {STATE_INIT, STATE_SPAWNING, STATE_RUNNING}:
            current = shape.tick()
            if current is None:
                break
            self.adjust(current[0])
            gevent.sleep(INTERVAL)


def _state(greenlet: Greenlet[..., Any]) -> str | None:
    user: Any = greenlet.args[0]
    state: str | None = user._state  # noqa: SLF001 - Locust keeps it in a private attribute
    return state
