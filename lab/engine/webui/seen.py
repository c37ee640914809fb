"""A run as it is seen from its folder while it goes on: what its live logs and its ledger say so far."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lab.generator import PROCESS
from lab.model.sample import SERVICE, Tally, Tick
from lab.model.threshold import Selector

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.run import Run
    from lab.store import RunFolder

ALONE: Final = "load process"
_LAG: Final = "generator_lag_p99"
_OWN: Final = {"worker_cpu": "cpu", "worker_lag_p99": "lag", "worker_memory": "memory"}
_SOLE: Final = {"generator_cpu": "cpu", _LAG: "lag", "generator_memory": "memory"}
_SEATS: Final = 4
"""The place of the seats in a row of the ledger."""


class Tail:
    """The whole lines that are appended to a file, which may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open(encoding="utf-8", errors="replace") if path.exists() else None
        self._rest = ""

    def read(self) -> list[str]:
        """Give the lines since the last call."""
        if self._file is None:
            if not self._path.exists():
                return []
            self._file = self._path.open(encoding="utf-8", errors="replace")
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        return lines

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


@dataclass(slots=True)
class Process:
    """What a load process says of itself: its share of a core, its timer's lateness in ms, MiB; the worst so far."""

    cpu: float = 0.0
    lag: float = 0.0
    memory: float = 0.0
    worst_cpu: float = 0.0
    worst_lag: float = 0.0

    def note(self, what: str, value: float) -> None:
        """Take a figure in."""
        setattr(self, what, value)
        self.worst_cpu, self.worst_lag = max(self.worst_cpu, self.cpu), max(self.worst_lag, self.lag)


@dataclass(slots=True)
class Moment:
    """One second: users, iterations begun or ended, requests and those that failed."""

    users: float = 0.0
    iterations: int = 0
    requests: int = 0
    failed: int = 0


@dataclass(slots=True)
class Sold:
    """What the load was answered, from the ledger: bookings by outcome, and the seats of those accepted."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seats: int = 0

    def add(self, line: str) -> None:
        """Take a line of the ledger in."""
        row = json.loads(line)
        self.outcomes[str(row[0])] += 1
        if row[0] == "accepted":
            self.seats += int(row[_SEATS])


class Seen:
    """Follows one run. `update` reads on; the rest says what is known."""

    def __init__(self, folder: RunFolder) -> None:
        """Begin to follow.

        Raises:
            RunError: it is no run.
        """
        self.folder = folder
        self.run: Run = folder.load()
        self.tally = Tally()
        self.moments: dict[int, Moment] = {}
        self.processes: dict[str, Process] = {}
        self.sold = Sold()
        self.began = 0.0
        """When second 0 began, in seconds since 1970; 0 before the first second came."""
        self._tails = tuple(map(Tail, (folder.ticks, folder.probes, folder.ledger)))

    def update(self) -> list[Tick]:
        """Read what is new; gives the load's seconds in it.

        Raises:
            RunError: a line is no second, or the run cannot be read.
        """
        ticks, probes, ledger = (tail.read() for tail in self._tails)
        found = [Tick.from_json(line) for line in ticks]
        if found and not self.began:
            self.began = time.time() - found[-1].second - 1  # a second comes when it is over
        for tick in found:
            self._add(tick)
        for line in probes:
            self.tally.add(Tick.from_json(line))
        for line in ledger:
            self.sold.add(line)
        return found

    def close(self) -> None:
        """Read the run's last word, and follow it no more."""
        for tail in self._tails:
            tail.close()
        self.run = self.folder.load()

    def _add(self, tick: Tick) -> None:
        newest = tick.second + 1 >= self.tally.seconds
        self.tally.add(tick)
        moment = self.moments.setdefault(tick.second, Moment())
        for key, bins in tick.trends.items():
            if key.metric == "http_req_duration" and key.clock == SERVICE:
                moment.requests += sum(bins.values())
                moment.failed += sum(bins.values()) if key.outcome == "fail" else 0
        for series, number in tick.counters.items():
            moment.iterations += number if series.metric == "iterations" else 0
        if not newest:
            return
        moment.users = self.tally.gauge(Selector("vus")) or 0.0
        many = any(series.metric in _OWN for series in tick.gauges)
        for series, value in tick.gauges.items():
            what = (_OWN if many else _SOLE).get(series.metric)
            if what is not None:
                name = dict(series.tags).get(PROCESS, ALONE)
                self.processes.setdefault(name, Process()).note(what, value)
