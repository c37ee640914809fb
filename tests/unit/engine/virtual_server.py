"""Servers that are arithmetic on the virtual clock, and a note of what their callers did."""

from __future__ import annotations

from time import perf_counter
from typing import Protocol

import gevent


class Server(Protocol):
    """What users call."""

    def call(self, seconds: float) -> None:
        """Come back when a request that is `seconds` of work has its answer."""


class Wide:
    """A server with a thread for everybody, which stands still once: from a moment on, for so many seconds."""

    def __init__(self, stall: float = 0.0, seconds: float = 0.0) -> None:
        self._begin, self._end = perf_counter() + stall, perf_counter() + stall + seconds

    def after_stall(self, moment: float) -> float:
        """Give the first moment from this one on at which work may begin."""
        return self._end if self._begin <= moment < self._end else moment

    def call(self, seconds: float) -> None:
        """Answer after `seconds`."""
        now = perf_counter()
        gevent.sleep(self.after_stall(now) + seconds - now)


class Fifo(Wide):
    """A server that does one thing at a time, in the order in which requests come."""

    def __init__(self, stall: float = 0.0, seconds: float = 0.0) -> None:
        super().__init__(stall, seconds)
        self._free = 0.0

    def call(self, seconds: float) -> None:
        """Answer `seconds` after those that came before."""
        now = perf_counter()
        self._free = self.after_stall(max(now, self._free)) + seconds
        gevent.sleep(self._free - now)


class World:
    """What the users of a run share: the server, and a note of every iteration that began."""

    def __init__(self) -> None:
        self.enter(Wide())

    def enter(self, server: Server) -> None:
        """Begin again with another server."""
        self.server = server
        self.zero = perf_counter()
        self.begun: list[tuple[float, str, str]] = []
        """When, in seconds of the run, of which load, by which user."""
        self.sent: list[float] = []
        self.left: list[float] = []

    @property
    def elapsed(self) -> float:
        """Give the seconds since the run's second 0."""
        return perf_counter() - self.zero


WORLD = World()
