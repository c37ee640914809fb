"""What is measured beside the load, once a second: CPU and memory of each part, and what services tell of themselves.

It runs in a thread of the process that looks after the run, never in a load process. Nobody waits for it: the run
takes what was measured last, and what has no answer in time is no figure.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from lab.asked import ANSWER_S, Asked
from lab.model.sample import SeriesKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import psutil

    from lab.model.target import Target

EVERY_S: Final = 1.0
CHILDREN_EVERY: Final = 5
"""Children are looked for every so many seconds: that takes a look at every process of the machine."""


class Probes:
    """Measures in a thread of its own from `with` to its end."""

    def __init__(self, processes: Mapping[str, int], target: Target | None = None) -> None:
        """Say what to look at.

        Args:
            processes: the main process of each part, by name; its children count with it.
            target: whose services are asked for their own figures, if given.
        """
        self._processes = dict(processes)
        self._families = Families(self._processes)
        self._asked = Asked(target) if target else None
        self._lock = threading.Lock()
        self._found: dict[SeriesKey, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="probes", daemon=True)

    def take(self) -> dict[SeriesKey, float]:
        """Give what was measured since the last call, as gauges: the newest of each."""
        with self._lock:
            found, self._found = self._found, {}
            return found

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; a question that is on its way is not waited for longer than its time-out."""
        self._stop.set()
        self._thread.join(2 * ANSWER_S)
        if self._asked is not None:
            self._asked.close()

    def _measure(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._note(self._families.measure())
            if self._asked is not None:
                self._note(self._asked.ask())
            due = max(due + EVERY_S, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def _note(self, found: Mapping[SeriesKey, float]) -> None:
        with self._lock:
            self._found |= found


class Families:
    """CPU (cores in use since the last look) and memory (bytes) of processes and their children."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = roots
        self._known: dict[str, dict[int, psutil.Process]] = {name: {} for name in roots}
        self._used: dict[tuple[str, int], float] = {}
        self._looks = 0
        self._at = 0.0

    def measure(self) -> dict[SeriesKey, float]:
        """Look; a process is first seen without a figure for its CPU."""
        if self._looks % CHILDREN_EVERY == 0:
            self._find()
        self._looks += 1
        now = time.monotonic()
        passed, self._at = now - self._at, now
        found = {}
        before, self._used = self._used, {}
        for name, family in self._known.items():
            memory, used, seen = 0, 0.0, False
            for pid, process in list(family.items()):
                figures = _figures(process)
                if figures is None:
                    del family[pid]
                    continue
                self._used[name, pid], size = figures
                memory += size
                if (name, pid) in before:
                    used += self._used[name, pid] - before[name, pid]
                    seen = True
            if family:
                found[SeriesKey("memory", (("process", name),))] = float(memory)
            if seen:
                found[SeriesKey("cpu", (("process", name),))] = max(used, 0.0) / passed
        return found

    def _find(self) -> None:
        """Look for the families' members."""
        import psutil  # noqa: PLC0415 - not needed by `--help`

        children: dict[int, list[psutil.Process]] = {}
        for process in psutil.process_iter(["ppid"]):
            children.setdefault(process.info["ppid"], []).append(process)
        for name, root in self._roots.items():
            family: dict[int, psutil.Process] = {}
            with suppress(psutil.Error):
                family[root] = psutil.Process(root)
            queue = [root]
            while queue:
                for child in children.get(queue.pop(), []):
                    family[child.pid] = child
                    queue.append(child.pid)
            self._known[name] = family


def _figures(process: psutil.Process) -> tuple[float, int] | None:
    """Give a process's CPU seconds and resident bytes; None when it is gone."""
    import psutil  # noqa: PLC0415 - as above

    try:
        with process.oneshot():
            times = process.cpu_times()
            return times.user + times.system, process.memory_info().rss
    except psutil.Error:
        return None
