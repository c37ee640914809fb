"""Many load processes' seconds into one: sums, exact and in any order, of what each of them recorded. Pure.

Trends, rates and counters are added. Of the gauges, users and requests are added too; what a process measures of
itself stays its own (`worker_cpu{process=…}` and so on), beside the busiest one's under the name that a single process
uses. Of any other gauge the last process's value holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lab.model.sample import SERVICE, SeriesKey, Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ADDED: Final = ("vus", "vus_target", "rate_target", "in_flight", "unfinished")
OWN: Final[Mapping[str, str]] = {
    "generator_cpu": "worker_cpu",
    "generator_lag_p99": "worker_lag_p99",
    "generator_memory": "worker_memory",
}
"""What a process measures of itself, and the name of its own series."""
LAG: Final = "generator_lag"
PROCESS: Final = "process"
_SENT: Final = SeriesKey("sent")
_UNFINISHED: Final = SeriesKey("unfinished")


@dataclass(slots=True)
class _Part:
    """What is known of one process."""

    through: int = 0
    over: bool = False
    lost: bool = False
    sent: int = 0
    answered: int = 0
    gauges: dict[SeriesKey, float] = field(default_factory=dict)

    @property
    def open(self) -> int:
        return self.sent - self.answered

    def added(self) -> dict[SeriesKey, float]:
        """Give its gauges that are summed: of a lost one nothing runs, and what had no answer never gets one."""
        return {_UNFINISHED: float(self.open)} if self.lost else self.gauges


class Merger:
    """Takes every process's seconds, gives the whole run's: each once all processes have reported it."""

    def __init__(self, processes: Iterable[str]) -> None:
        self._parts = {name: _Part() for name in processes}
        self._seconds: dict[int, dict[str, Tick]] = {}
        self._late: list[Tick] = []
        self._next = 0
        self._shown = 0.0

    def add(self, process: str, tick: Tick) -> None:
        """Take a second in. One that comes after its second was given away is given on its own, so nothing is lost."""
        part = self._parts[process]
        part.through = max(part.through, tick.second + 1)
        part.sent += tick.counters.get(_SENT, 0)
        part.answered += sum(
            sum(bins.values())
            for key, bins in tick.trends.items()
            if key.metric == "http_req_duration" and key.clock == SERVICE  # the other clock has the same ones again
        )
        if tick.second < self._next:
            self._late.append(replace(_marked(tick, process), gauges={}))
            part.gauges |= _added(tick)
        else:
            self._seconds.setdefault(tick.second, {})[process] = tick

    def end(self, process: str) -> None:
        """Wait for no more seconds of a process: it has sent its last."""
        self._parts[process].over = True

    def lose(self, process: str) -> tuple[int, int]:
        """Wait for no more seconds of a process that is gone.

        Returns:
            how many seconds of it came, and how many of its requests were on their way: they count as unfinished.
        """
        part = self._parts[process]
        part.over = part.lost = True
        return part.through, part.open

    def close(self, before: int = 0, *, everything: bool = False) -> list[Tick]:
        """Give the seconds that all processes have reported, in order.

        Args:
            before: seconds before this one are given away whoever is still missing.
            everything: give what there is; nothing is awaited any more.
        """
        ready, self._late = self._late, []
        last = max((part.through for part in self._parts.values()), default=0)
        awaited = last if everything else min((p.through for p in self._parts.values() if not p.over), default=last)
        while self._next < max(awaited, min(before, last)):
            ready.append(self._merged(self._next))
            self._next += 1
        unfinished = self._sums().get(_UNFINISHED, 0.0)
        if everything and self._next and unfinished != self._shown:
            ready.append(Tick(self._next - 1, gauges={_UNFINISHED: unfinished}))
        return ready

    def _merged(self, second: int) -> Tick:
        ticks = self._seconds.pop(second, {})
        trends: dict[TrendKey, Counter[int]] = {}
        hits: dict[SeriesKey, tuple[int, int]] = {}
        counters: Counter[SeriesKey] = Counter()
        gauges: dict[SeriesKey, float] = {}
        for process in self._parts:
            if process not in ticks:
                continue
            tick = _marked(ticks[process], process)
            for trend, bins in tick.trends.items():
                trends.setdefault(trend, Counter()).update(bins)
            for key, (hit, total) in tick.rates.items():
                before = hits.get(key, (0, 0))
                hits[key] = (before[0] + hit, before[1] + total)
            counters.update(tick.counters)
            self._parts[process].gauges |= _added(tick)
            gauges |= {key: value for key, value in tick.gauges.items() if key.metric not in (*ADDED, *OWN)}
            for key, value in ((SeriesKey(own), tick.gauges.get(SeriesKey(own))) for own in OWN):
                if value is not None:
                    gauges[SeriesKey(OWN[key.metric], ((PROCESS, process),))] = value
                    gauges[key] = max(value, gauges.get(key, value))
        sums = self._sums()
        self._shown = sums.get(_UNFINISHED, 0.0)
        return Tick(second, trends, hits, dict(counters), gauges | sums)

    def _sums(self) -> dict[SeriesKey, float]:
        sums: Counter[SeriesKey] = Counter()
        for part in self._parts.values():
            for key, value in part.added().items():
                sums[key] += value  # type: ignore[assignment]  # a Counter adds floats as well
        return {key: float(value) for key, value in sums.items()}


def _added(tick: Tick) -> dict[SeriesKey, float]:
    return {key: value for key, value in tick.gauges.items() if key.metric in ADDED}


def _marked(tick: Tick, process: str) -> Tick:
    """Give a tick whose probe says which process it looked at: a delay in one of them is a delay."""
    if not any(key.metric == LAG for key in tick.trends):
        return tick
    mark = ((PROCESS, process),)
    return replace(
        tick, trends={key._replace(tags=mark) if key.metric == LAG else key: v for key, v in tick.trends.items()}
    )
