"""No more than so many requests a second, evenly spread: the scenario's `rps`."""

from __future__ import annotations

from time import perf_counter

import gevent


class Pace:
    """Lets requests go one after another, at least a gap apart."""

    def __init__(self, a_second: float) -> None:
        self.a_second = a_second
        self._next = 0.0

    def __call__(self) -> None:
        """Wait until it is this request's turn."""
        now = perf_counter()
        turn = max(self._next, now)
        self._next = turn + 1 / self.a_second
        if turn > now:
            gevent.sleep(turn - now)
