"""Background work of a service: named threads that wake up, do a piece, and stop when asked."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from reference_services.common.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
MOST_DOUBLINGS = 10  # the failures of an outage of hours would make a number that no float holds


class Task:
    """One thread that calls `step` again and again.

    `step` does one piece and says whether there may be more at once. When there is not, the thread waits for
    `nudge` or for `every_s`. After a nudge it lingers a little, so that a burst is handled in one piece. A step
    that raises is logged and tried again after a growing pause: background work must outlive its failures.

    Attributes:
        name: of the thread.
        everywhere: whether it runs in each process of a service, and not only in the one that is on duty.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        every_s: float,
        linger_s: float = 0.0,
        everywhere: bool = False,
    ) -> None:
        self.name = name
        self.everywhere = everywhere
        self._step = step
        self._every_s = every_s
        self._linger_s = linger_s
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def nudge(self) -> None:
        """Say that there is work."""
        self._nudged.set()

    def stop(self) -> None:
        """Ask the thread to stop after the piece that it is doing."""
        self._stopping.set()
        self._nudged.set()

    def join(self, timeout_s: float) -> None:
        """Wait until the thread has stopped, at most this long."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                more = self._step()
                failures = 0
            except ServiceError as problem:  # something is away; a trace says no more than the sentence
                failures += 1
                more = False
                log.warning("background task %s: %s (%d in a row)", self.name, problem, failures)
            except Exception:
                failures += 1
                more = False
                log.exception("background task %s failed (%d in a row)", self.name, failures)
            if failures:
                self._stopping.wait(pause_after(failures))
            elif not more:
                self._nudged.wait(self._every_s)
                self._stopping.wait(self._linger_s)


def pause_after(failures: int) -> float:
    """Give how long to wait after so many failures in a row, in seconds."""
    return float(min(FIRST_PAUSE_S * 2 ** min(failures, MOST_DOUBLINGS), LONGEST_PAUSE_S))


class Background:
    """All the background work of a service."""

    def __init__(self, tasks: Sequence[Task] = (), closers: Sequence[Callable[[], None]] = ()) -> None:
        self._tasks = tuple(tasks)
        self._closers = tuple(closers)

    def beside(self, tasks: Sequence[Task], close: Callable[[], None]) -> Background:
        """Give this and more: tasks, and what closes what they used."""
        return Background([*self._tasks, *tasks], [*self._closers, close])

    def start(self, *, on_duty: bool = True) -> None:
        """Start every task that runs in this process: all of them where it is the one on duty."""
        for task in self._tasks:
            if on_duty or task.everywhere:
                task.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Stop every task after the piece that it is doing, then close what they used."""
        for task in self._tasks:
            task.stop()
        for task in self._tasks:
            task.join(timeout_s)
        for close in self._closers:
            close()
