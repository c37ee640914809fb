"""What each load process used of its core: the sum of several says nothing about one of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.sample import SeriesKey

if TYPE_CHECKING:
    from lab.model.sample import Tick

_ALONE: Final = SeriesKey("generator_cpu")
_MANY: Final = "worker_cpu"
PROCESS: Final = "process"
THE_PROCESS: Final = "the load process"
"""The name of the one that works alone."""


class CpuWatch:
    """CPU shares by process and second, from ticks in their order."""

    def __init__(self) -> None:
        self.shares: dict[str, list[float]] = {}
        self._seconds = 0

    def add(self, tick: Tick) -> None:
        """Take a second in; one that was given before, and is added to, says nothing new of the processes."""
        if tick.second < self._seconds:
            return
        self._seconds = tick.second + 1
        found = {dict(key.tags).get(PROCESS, ""): value for key, value in tick.gauges.items() if key.metric == _MANY}
        if not found and _ALONE in tick.gauges:
            found = {THE_PROCESS: tick.gauges[_ALONE]}
        for process, share in found.items():
            shares = self.shares.setdefault(process, [])
            shares.extend(spread(share, self._seconds - len(shares)))


def spread(share: float, seconds: int) -> list[float]:
    """Give the CPU share of each of the seconds that a process was too busy to look at its clock in."""
    return [share / seconds] * seconds
