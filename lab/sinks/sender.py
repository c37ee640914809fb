"""Sends points in a thread of its own, and keeps in the spool what cannot be sent.

Nobody waits for the network but this thread: who offers points leaves them in a bounded queue, or in the spool where
the queue is full. At the end the spool is sent too if the server is there then.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from lab.model.run import SinkSummary
from lab.sinks.server import NotWrittenError, Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.sinks.config import InfluxConfig
    from lab.sinks.spool import Spool

BATCHES_KEPT: Final = 60
MOST_LINES: Final = 5000
"""The most lines in one call."""
ANSWER_S: Final = 3.0
SLOW: Final = "it takes points more slowly than they come"
FULL: Final = "neither the server nor the run folder's disk takes points"


class Sender:
    """Points on their way to one server. `offer` never waits and never raises."""

    def __init__(self, config: InfluxConfig, spool: Spool, batches: int = BATCHES_KEPT) -> None:
        """Start the thread.

        Args:
            config: the server.
            spool: takes what cannot be sent.
            batches: how many offers may wait for the server.
        """
        self._config = config
        self._server = Server(config, ANSWER_S)
        self._spool = spool
        self._most = batches
        self._batches: deque[Sequence[str]] = deque()
        self._corrections: deque[Sequence[str]] = deque()
        # Guards all that follows. What is taken to be sent is in flight at the same moment: points are never nowhere.
        self._lock = threading.Condition()
        self._in_flight: Sequence[str] = ()
        self._closed = False
        self._sent = 0
        self._lost = 0
        self._over = False
        self._failing = False
        self._problem = ""
        self._news = ""
        # It is not waited for when the program ends: a server that never answers must not keep it.
        self._thread = threading.Thread(target=self._run, name="influx", daemon=True)
        self._thread.start()

    def offer(self, lines: Sequence[str]) -> None:
        """Take points."""
        if not lines:
            return
        with self._lock:
            room = len(self._batches) < self._most and not self._over
            if room:
                self._batches.append(lines)
                self._lock.notify()
        if not room:
            self._failed(SLOW)
            self._keep(lines)

    def correct(self, lines: Sequence[str]) -> None:
        """Take points that replace ones offered before: they go last of all, after those in the spool."""
        with self._lock:
            if lines and not self._over:
                self._corrections.append(lines)
                return
        self._keep(lines)

    def news(self) -> str:
        """Give a sentence when the server has begun to fail, or to work again."""
        with self._lock:
            said, self._news = self._news, ""
            return said

    def finish(self, until: float) -> SinkSummary:
        """Wait for all to be sent, at most until a time of the monotonic clock; what then waits stays in the spool."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        self._thread.join(max(until - time.monotonic(), 0.0))
        with self._lock:
            # From here on the thread changes nothing more, whatever its last call still does.
            self._over = True
            waiting = [self._in_flight, *self._batches, *self._corrections]
        for lines in waiting:
            self._keep(lines)
        return self._summary()

    def _summary(self) -> SinkSummary:
        try:
            self._spool.close()
        except OSError:
            self._problem = self._problem or FULL
        left = len(self._spool) + self._lost
        why = (self._problem or SLOW) if left else ""
        return SinkSummary(self._config.url, self._sent, left, why, self._config.org, self._config.bucket)

    def _run(self) -> None:
        fine = True
        while lines := self._take(self._batches):
            fine = self._try(lines)
        while fine and not self._over and (lines := self._spool.first(MOST_LINES)):
            fine = self._try(lines, spooled=True)
        while fine and (lines := self._take(self._corrections)):
            fine = self._try(lines)
        self._server.close()

    def _take(self, offers: deque[Sequence[str]]) -> Sequence[str]:
        """Give the points that wait, at least one offer's; none when there will be no more."""
        with self._lock:
            self._lock.wait_for(lambda: offers or self._closed)
            lines: list[str] = []
            while offers and len(lines) < MOST_LINES and not self._over:
                lines += offers.popleft()
            self._in_flight = lines
            return lines

    def _try(self, lines: Sequence[str], *, spooled: bool = False) -> bool:
        problem = ""
        try:
            self._server.write(lines)
        except NotWrittenError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - whatever happens in the client is a failure to send, and is said
            problem = f"{type(error).__name__} in influxdb-client"
        with self._lock:
            if self._over:
                return False
            self._in_flight = ()
            if problem:
                self._failed(problem)
                self._keep(() if spooled else lines)
            else:
                self._works()
                self._sent += len(lines)
                self._spool.forget(len(lines) if spooled else 0)
        return not problem

    def _keep(self, lines: Sequence[str]) -> None:
        try:
            self._spool.add(lines)
        except OSError:
            with self._lock:
                self._lost += len(lines)

    def _failed(self, reason: str) -> None:
        with self._lock:
            if not self._failing:
                self._news = f"InfluxDB: points cannot be sent, they are kept in the run folder: {reason}"
            self._failing, self._problem = True, reason

    def _works(self) -> None:
        with self._lock:
            if self._failing:
                self._news = "InfluxDB: points are sent again"
            self._failing = False
