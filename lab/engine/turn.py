"""Whose turn it is to begin an iteration: anybody's, his who finds a ticket, or his whom an arrival comes to."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from gevent.hub import Waiter, get_hub
from locust.exception import StopUser

from lab.engine.recorder import US

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust import User


class Turn:
    """Everybody may begin at once: users that work for themselves."""

    def __init__(self) -> None:
        self._expected: set[User] = set()

    @property
    def expected(self) -> int:
        """Count the users that have come and not begun yet: they prepare themselves."""
        return len(self._expected)

    def expect(self, user: User) -> None:
        """Hear that a user has come."""
        self._expected.add(user)

    def begin(self, user: User) -> int | None:
        """Let a user begin an iteration, when it may.

        Returns:
            By how many µs it begins late; None in a closed model, where nobody says when it should.

        Raises:
            StopUser: there is nothing left for it to do.
        """
        self._expected.discard(user)
        return None

    def gone(self, user: User) -> None:
        """Hear that a user has left."""
        self._expected.discard(user)


class Tickets(Turn):
    """A number of iterations that users share, or a number for each of them."""

    def __init__(self, *, shared: int = 0, each: int = 0) -> None:
        super().__init__()
        self._shared, self._each = shared, each
        self._taken: dict[User, int] = {}

    def begin(self, user: User) -> int | None:
        """Let a user begin while there are iterations left; see `Turn.begin`."""
        if self._each:
            taken = self._taken.get(user, 0)
            if taken >= self._each:
                raise StopUser
            self._taken[user] = taken + 1
        elif self._shared:
            self._shared -= 1
        else:
            raise StopUser
        return super().begin(user)


class Arrivals(Turn):
    """Users wait until an arrival comes to them, the one that has waited longest first."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        super().__init__()
        self._elapsed = elapsed
        self._free: dict[User, Any] = {}
        self.waiting: deque[float] = deque()
        """When those were meant to begin that found nobody free."""
        self.closed = False

    def give(self, due: float) -> bool:
        """Give an arrival to a user that waits; False when nobody does."""
        if not self._free:
            return False
        waiter = self._free.pop(next(iter(self._free)))
        get_hub().loop.run_callback(waiter.switch, due)
        return True

    def close(self) -> None:
        """Let no more begin, beside those that wait already; users that are free leave."""
        self.closed = True
        while self._free:
            _, waiter = self._free.popitem()
            get_hub().loop.run_callback(waiter.throw, StopUser)

    def begin(self, user: User) -> int | None:
        """Wait for an arrival; see `Turn.begin`."""
        self._expected.discard(user)
        if self.waiting:
            due = self.waiting.popleft()
        elif self.closed:
            raise StopUser
        else:
            waiter: Any = Waiter()
            self._free[user] = waiter
            try:
                due = waiter.get()
            finally:
                self._free.pop(user, None)
        return max(int((self._elapsed() - due) * US), 0)
