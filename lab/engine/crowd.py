"""The users of one load in one load process: they come and leave as the load's executor says.

Locust's own shape looks once a second and blocks while users leave, so that short stages are lost and a ramp is a
staircase. A crowd looks ten times a second, at the load's pure curve, and waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING

from lab.errors import ScriptError
from lab.model.stage import Stage

if TYPE_CHECKING:
    from gevent import Greenlet
    from gevent.pool import Group
    from locust import User
    from locust.env import Environment

    from lab.engine.turn import Tickets, Turn
    from lab.model.load import Load

LEAD: Final = 2.0
"""Seconds before a load's begin for those who are to be there then."""
PATIENCE: Final = 1.0
"""Seconds for a user that was told to go at once."""


@dataclass(slots=True)
class Role:
    """Which part of a load is this process's: its place among so many that work."""

    place: int = 0
    among: int = 1

    def share(self, number: int, shift: int = 0) -> int:
        """Give how many of so many users are this process's: number k is of the process at k + shift, round and round.

        `shift` differs from load to load, so that the first process has not the odd one of each.
        """
        return (number + (self.among - 1 - (self.place - shift) % self.among)) // self.among

    def mine(self, number: int) -> bool:
        """Tell whether arrival `number` is this process's."""
        return number % self.among == self.place


class Crowd:
    """Users whose number follows the load's curve."""

    def __init__(self, load: Load, turn: Turn, role: Role, shift: int = 0) -> None:
        self.load, self.turn = load, turn
        self._environment: Environment
        self._user_class: type[User]
        self._role, self._shift = role, shift
        self._users: dict[User, float] = {}
        """Every user, with the second of the run at which it is made to go; `inf` for those that stay."""
        self._end = load.end
        self._ended = False
        self.wanted = 0

    def bind(self, environment: Environment, user_class: type[User]) -> None:
        """Say of which class its users are, and where they live."""
        self._environment, self._user_class = environment, user_class

    @property
    def size(self) -> int:
        """Count the users that are there, and those that finish what they began."""
        return len(self._users)

    @property
    def over(self) -> bool:
        """Tell whether it has ended, and its users are gone."""
        return self._ended and not self._users

    def step(self, elapsed: float) -> None:
        """Let users come and go as it should be `elapsed` seconds into the run."""
        if elapsed >= self._end and not self._ended:
            self._ended = True
            self.wanted = 0
            self._finish(self._end)
        elif not self._ended and elapsed >= self.load.start_time:
            self._follow(elapsed)
        elif not self._ended and elapsed >= self.load.start_time - LEAD:
            self.approach()
        for user, deadline in list(self._users.items()):
            if elapsed >= deadline + PATIENCE:
                self._forget(user)  # it does not go, whatever it is told
            elif elapsed >= deadline:
                self._kill(user)

    def close(self, elapsed: float) -> None:
        """End now, as it would at the end of its time."""
        self._end = min(self._end, max(elapsed, 0.0))

    def edit(self, elapsed: float, number: int) -> None:
        """Hold so many (users, or arrivals per time unit) from now to the end of its time."""
        stages = (Stage(max(self._end - elapsed, 0.0), number),)
        self.load = replace(self.load, stages=stages, start=number, start_time=max(elapsed, 0.0))

    def prepare(self) -> None:
        """Let users come who are to be there before the load begins."""

    def approach(self) -> None:
        """Get ready, since the load begins in a moment."""
        self.prepare()

    @property
    def prepared(self) -> bool:
        """Tell whether they are."""
        return True

    def settle(self) -> None:
        """Count what nobody is left for."""

    def _follow(self, elapsed: float) -> None:
        self.wanted = self._role.share(self.load.users_at(elapsed), self._shift)
        staying = [user for user, deadline in self._users.items() if deadline == float("inf")]
        for _ in range(self.wanted - len(staying)):
            self._come()
        for user in staying[self.wanted :]:
            self._users[user] = elapsed + self.load.graceful_ramp_down
            self._ask(user)

    def _finish(self, at: float) -> None:
        """Let all finish what they began."""
        for user, deadline in self._users.items():
            self._users[user] = min(deadline, at + self.load.graceful_stop)
            if deadline == float("inf"):
                self._ask(user)

    def _come(self) -> None:
        try:
            user = self._user_class(self._environment)
        except Exception as error:
            raise ScriptError(
                f"a {self._user_class.__name__} could not be made: {type(error).__name__}: {error}"
            ) from error
        self._users[user] = float("inf")
        self.turn.expect(user)
        user.start(self._group).link(lambda _: self._forget(user))

    def _ask(self, user: User) -> None:
        """Ask a user to leave after its iteration; one that is between two goes now."""
        if user._state == LOCUST_STATE_RUNNING:  # noqa: SLF001 - Locust keeps it in a private attribute
            user.stop(force=False)
        else:
            # One whose wait is over in this very moment must not send what the kill would then cut off.
            user._state = LOCUST_STATE_STOPPING  # noqa: SLF001 - as above
            self._kill(user)  # Locust's own `stop` would wait here for the user's `on_stop`

    @property
    def _group(self) -> Group:
        runner = self._environment.runner
        if runner is None:
            raise RuntimeError("users need a runner")
        return runner.user_greenlets

    def _kill(self, user: User) -> None:
        greenlet: Greenlet[..., Any] | None = user.greenlet
        if greenlet in self._group.greenlets:
            self._group.killone(greenlet, block=False)

    def _forget(self, user: User) -> None:
        self._users.pop(user, None)
        self.turn.gone(user)


class Bounded(Crowd):
    """Users who come at once and leave when the iterations are done."""

    def __init__(self, load: Load, turn: Tickets, role: Role, shift: int = 0) -> None:
        super().__init__(load, turn, role, shift)
        self._came = False

    def _follow(self, elapsed: float) -> None:  # noqa: ARG002 - as that of every crowd
        if not self._came:
            self._came = True
            self.wanted = self._role.share(self.load.start, self._shift)
            for _ in range(self.wanted):
                self._come()
        elif not self._users:
            self.wanted = 0
            self._ended = True

    def edit(self, elapsed: float, number: int) -> None:
        """Do nothing: what it does is a number of iterations, and not a number of users."""
