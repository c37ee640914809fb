"""The recorder: every request into exact per-second histograms, every second onto disk.

A sample belongs to the second in which it ended. `close` gives the seconds that are over as ticks; the worker writes
them, so that a killed run is readable up to its last second.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lab.model.histogram import bin_of
from lab.model.sample import FAIL, OK, SeriesKey, Tags, Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

US: Final = 1_000_000
MAX_REASONS: Final = 200
OTHER: Final = "other reasons"


@dataclass(slots=True)
class _Second:
    """What has been counted in one second so far."""

    trends: defaultdict[TrendKey, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    hits: Counter[SeriesKey] = field(default_factory=Counter)
    totals: Counter[SeriesKey] = field(default_factory=Counter)
    counters: Counter[SeriesKey] = field(default_factory=Counter)


class Recorder:
    """Counts in memory by second. `clock` gives seconds, monotonic; `start` sets its zero."""

    def __init__(self, clock: Callable[[], float], tags: Tags = ()) -> None:
        self._clock = clock
        self._zero = clock()
        self._tags = tags
        self._seconds: defaultdict[int, _Second] = defaultdict(_Second)
        self._closed = 0
        self._reasons: set[str] = set()
        self._keys: dict[tuple[str, str, str], TrendKey] = {}
        self.in_flight = 0
        self.unfinished = 0

    def start(self, at: float | None = None) -> None:
        """Let second 0 begin now, or at a time of the clock, and forget what was counted before (set-up is never)."""
        self._zero = self._clock() if at is None else at
        self._seconds.clear()
        self._closed = 0
        self.unfinished = 0

    def align(self, at: float) -> None:
        """Move the begin of second 0 by the little that this clock has drifted; what is counted stays."""
        self._zero = at

    @property
    def elapsed(self) -> float:
        """Give the seconds since second 0 began; below 0 before that."""
        return self._clock() - self._zero

    def sent(self) -> None:
        """Count a request that goes out now."""
        self.in_flight += 1
        self._now().counters[_SENT] += 1

    def done(self, *, finished: bool) -> None:
        """Count a request as over: answered (and recorded by `request`) or given up without an answer."""
        self.in_flight -= 1
        if not finished:
            self.unfinished += 1

    def request(self, name: str, operation: str, microseconds: int, reason: str | None, received: int) -> None:
        """Count an answered request.

        Args:
            name: method and path, as the report groups it.
            operation: the tag `operation`.
            microseconds: from sending to the last byte of the answer.
            reason: why it failed, or None.
            received: bytes of the answer's body.
        """
        outcome = OK if reason is None else FAIL
        second = self._now()
        second.trends[self._trend(name, operation, outcome)][bin_of(microseconds)] += 1
        second.counters[_RECEIVED] += received
        if reason is not None:
            tags = (("name", name), ("operation", operation), ("reason", self._bounded(reason)))
            second.counters[SeriesKey("failures", tags)] += 1

    def iteration(self, name: str, microseconds: int, *, ok: bool) -> None:
        """Count an iteration; `ok` is False when the user's own code raised in it."""
        second = self._now()
        key = TrendKey("iteration_duration", name, self._tags, OK if ok else FAIL)
        second.trends[key][bin_of(microseconds)] += 1
        second.counters[_ITERATIONS] += 1
        if not ok:
            second.counters[_ITERATION_ERRORS] += 1

    def check(self, name: str, operation: str, *, passed: bool) -> None:
        """Count a check."""
        key = SeriesKey("checks", tuple(sorted({**dict(self._tags), "operation": operation, "check": name}.items())))
        second = self._now()
        second.totals[key] += 1
        if passed:
            second.hits[key] += 1

    def trend(self, metric: str, name: str, microseconds: int) -> None:
        """Count a value of another metric."""
        self._now().trends[TrendKey(metric, name, ())][bin_of(microseconds)] += 1

    def close(self, gauges: Mapping[str, float], *, everything: bool = False) -> list[Tick]:
        """Give the seconds that are over, in order and without a gap; the gauges go to the newest of them.

        With `everything` the second that is not over yet is given too, and nothing may be recorded afterwards.
        """
        end = int(self.elapsed)
        if everything:
            # A clock that was set back may be in a second that was given away: what came since stands in a later one.
            end = max(end, *self._seconds, self._closed - 1) + 1
        ticks = []
        for number in range(self._closed, end):
            second = self._seconds.pop(number, None) or _Second()
            newest = {SeriesKey(name): value for name, value in gauges.items()} if number == end - 1 else {}
            rates = {key: (second.hits[key], total) for key, total in second.totals.items()}
            ticks.append(Tick(number, dict(second.trends), rates, dict(second.counters), newest))
        self._closed = max(end, self._closed)
        return ticks

    def _now(self) -> _Second:
        return self._seconds[max(int(self._clock() - self._zero), self._closed)]

    def _trend(self, name: str, operation: str, outcome: str) -> TrendKey:
        found = self._keys.get((name, operation, outcome))
        if found is None:
            tags = tuple(sorted({**dict(self._tags), "operation": operation}.items()))
            found = self._keys[name, operation, outcome] = TrendKey("http_req_duration", name, tags, outcome)
        return found

    def _bounded(self, reason: str) -> str:
        # A target that puts an id into every message must not make the run folder grow without end.
        if reason not in self._reasons:
            if len(self._reasons) >= MAX_REASONS:
                return OTHER
            self._reasons.add(reason)
        return reason


_SENT: Final = SeriesKey("sent")
_RECEIVED: Final = SeriesKey("data_received")
_ITERATIONS: Final = SeriesKey("iterations")
_ITERATION_ERRORS: Final = SeriesKey("iteration_errors")
