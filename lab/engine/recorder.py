"""The recorder: every request into exact per-second histograms, every second onto disk.

A sample belongs to the second in which it ended. `close` gives the seconds that are over as ticks; the worker writes
them, so that a killed run is readable up to its last second.

What may be recorded under is bounded: a user class that puts an id into a name or a tag would fill the disk. Past
MAX_SERIES the rest goes under one name, and the counter `series_dropped` says how often.
"""

from __future__ import annotations

from itertools import count
from math import inf
from typing import TYPE_CHECKING, Final

from lab.engine.kinds import Kinds
from lab.engine.line import IterationKeys, Line, Second
from lab.engine.parts import Book
from lab.engine.tags import UNTAGGED
from lab.model.histogram import bin_of
from lab.model.sample import FAIL, OK, SERVICE, SeriesKey, Tags, Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

US: Final = 1_000_000
MAX_REASONS: Final = 200
OTHER: Final = "other reasons"
MAX_SERIES: Final = 2_000
MAX_OPERATIONS: Final = 200
OTHER_REQUESTS: Final = "other requests"


class Recorder:
    """Counts in memory by second. `clock` gives seconds, monotonic; `start` sets its zero. `warmup` as for `Book`."""

    def __init__(self, clock: Callable[[], float], warmup: int | None = 0) -> None:
        self._clock = clock
        self._zero = clock()
        self._seconds: dict[int, Second] = {}
        self._serial = count()
        self._closed = 0
        self._reasons: set[str] = set()
        self._lines: dict[tuple[str, Tags], Line] = {}
        self._others: dict[str, Line] = {}
        self._iterations: dict[tuple[str, bool, Tags], IterationKeys] = {}
        self._series: dict[tuple[str, Tags], SeriesKey] = {}
        self.kinds = Kinds()
        self._parts = Book(self.now, warmup)
        self.in_flight = 0
        self.unfinished = 0
        self._second = Second(-1, self._parts.block(-1))
        self._begin, self._end = inf, -inf

    def start(self, at: float | None = None) -> None:
        """Let second 0 begin now, or at a time of the clock, and forget what was counted before (set-up is never)."""
        self._zero = self._clock() if at is None else at
        self._seconds.clear()
        self._parts.clear()
        self._closed = 0
        self.unfinished = 0
        self._forget()
        if self.in_flight:
            # Its answer comes in the run, and is counted there.
            self.now().sent += self.in_flight

    def align(self, at: float) -> None:
        """Move the begin of second 0 by the little that this clock has drifted; what is counted stays."""
        self._zero = at
        self._forget()

    @property
    def elapsed(self) -> float:
        """Give the seconds since second 0 began; below 0 before that."""
        return self._clock() - self._zero

    @property
    def tells_time(self) -> bool:
        """Tell whether the target has said where a request's time went."""
        return self._parts.heard

    def sent(self) -> None:
        """Count a request that goes out now."""
        self.in_flight += 1
        self.now().sent += 1

    def done(self, *, finished: bool) -> None:
        """Count a request as over: answered (and recorded by its line) or given up without an answer."""
        self.in_flight -= 1
        if not finished:
            self.unfinished += 1

    def line(self, name: str, tags: Tags) -> Line:
        """Give the line that requests of this name and these tags are counted on; the same one every time.

        Args:
            name: method and path, as the report groups it.
            tags: sorted by key, with `operation` among them (else it is "other").
        """
        found = self._lines.get((name, tags))
        if found is None:
            if len(self._lines) >= MAX_SERIES:
                return self._other(tags)
            found = self._lines[name, tags] = self._made(name, {"operation": UNTAGGED, **dict(tags)})
        return found

    def request(  # noqa: PLR0913 - what a request is
        self, name: str, tags: Tags, us: int, reason: str | None, received: int, *, late: int | None = None
    ) -> None:
        """Count an answered request on its line; `reason` says why it failed, or is None. The rest is as for `Line`."""
        line = self.line(name, tags)
        if reason is None:
            line.ok(us, received, late)
        else:
            line.fail(us, received, late, reason)

    def iteration(self, name: str, us: int, *, ok: bool, tags: Tags = (), late: int | None = None) -> None:
        """Count an iteration; `ok` is False when the user's own code raised in it, `late` is as for `Line.ok`."""
        second, found = self.now(), self._iterations.get((name, ok, tags))
        if found is None:
            found = self._iterations[name, ok, tags] = IterationKeys(name, tags, OK if ok else FAIL)
        second.trends[found.service][bin_of(us)] += 1
        if late is not None:
            second.trends[found.response][bin_of(us + late)] += 1
        second.counters[found.count] += 1
        if not ok:
            second.counters[found.errors] += 1

    def dropped(self, name: str, tags: Tags, n: int = 1) -> None:
        """Count arrivals that found no free user; `name` is the iteration's, or "" where no one knows which."""
        tags = tuple(sorted((*tags, ("iteration", name)))) if name else tags
        self.now().counters[SeriesKey("dropped_iterations", tags)] += n

    def idle(self, us: int) -> None:
        """Count the time that a user was told to wait before its next iteration."""
        self.now().counters[_THINK_TIME] += us

    def users(self, us: int) -> None:
        """Count time that a user was there, busy or idle."""
        self.now().counters[_VU_TIME] += us

    def check(self, name: str, tags: Tags, *, passed: bool) -> None:
        """Count a check. Tags are as for `line`."""
        key = self._bounded("checks", (*tags, ("check", name)), (("check", "other checks"),))
        second = self.now()
        second.totals[key] += 1
        if passed:
            second.hits[key] += 1

    def trend(self, metric: str, name: str, us: int) -> None:
        """Count a time of the lab's own."""
        self.now().trends[TrendKey(metric, name, ())][bin_of(us)] += 1

    def count(self, metric: str, tags: Tags, n: int) -> None:
        """Add to a counter."""
        self.now().counters[self._bounded(metric, tags)] += n

    def rate(self, metric: str, tags: Tags, *, hit: bool) -> None:
        """Add to a rate."""
        key, second = self._bounded(metric, tags), self.now()
        second.totals[key] += 1
        second.hits[key] += hit

    def gauge(self, metric: str, tags: Tags, value: float) -> None:
        """Set a gauge: a second keeps the last value."""
        key, gauges = self._bounded(metric, tags), self.now().gauges
        gauges.pop(key, None)  # so that what was set last stands last
        gauges[key] = value

    def sample(self, metric: str, tags: Tags, thousandths: int, clock: str = SERVICE) -> None:
        """Count a value of a trend, in thousandths of its unit (µs of a time in ms)."""
        key = self._bounded(metric, tags)
        self.now().trends[TrendKey(metric, "", key.tags, OK, clock)][bin_of(thousandths)] += 1

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
            newest = {SeriesKey(name): value for name, value in gauges.items()} if number == end - 1 else {}
            parts = self._parts.take(number, last=everything and number == end - 1)
            ticks.append(_tick(number, self._seconds.pop(number, None), newest, parts))
        self._closed = max(end, self._closed)
        self._forget()
        return ticks

    def now(self) -> Second:
        """Give the second that is being counted in."""
        at = self._clock()
        if self._begin <= at < self._end:
            return self._second
        # Truncated, not floored: what comes just before second 0 belongs to it.
        number = int(at - self._zero)
        self._begin, self._end = self._zero + number, self._zero + number + 1
        number = max(number, self._closed)
        found = self._seconds.get(number)
        if found is None:
            found = self._seconds[number] = Second(next(self._serial), self._parts.block(number))
        self._second = found
        return found

    def _forget(self) -> None:
        """Let the next call look anew which second it is."""
        self._begin, self._end = inf, -inf

    def _made(self, name: str, tags: Mapping[str, str]) -> Line:
        return Line(name, tuple(sorted(tags.items())), self.now, self._reason, self._parts)

    def _other(self, tags: Tags) -> Line:
        """Give the line of a request that no line of its own is left for."""
        self._drop()
        operation = dict(tags).get("operation", UNTAGGED)
        if operation not in self._others and len(self._others) >= MAX_OPERATIONS:
            operation = UNTAGGED
        found = self._others.get(operation)
        if found is None:
            found = self._others[operation] = self._made(OTHER_REQUESTS, {"operation": operation})
        return found

    def _bounded(self, metric: str, tags: Tags, other: Tags = ()) -> SeriesKey:
        """Give the key of a series, or that with the tags `other` when there are too many."""
        found = self._series.get((metric, tags))
        if found is None:
            if len(self._series) >= MAX_SERIES:
                self._drop()
                return SeriesKey(metric, other)
            found = self._series[metric, tags] = SeriesKey(metric, tuple(sorted(tags)))
        return found

    def _drop(self) -> None:
        self.now().counters[_SERIES_DROPPED] += 1

    def _reason(self, reason: str) -> str:
        # A target that puts an id into every message must not make the run folder grow without end.
        if reason not in self._reasons:
            if len(self._reasons) >= MAX_REASONS:
                return OTHER
            self._reasons.add(reason)
        return reason


_SENT: Final = SeriesKey("sent")
_RECEIVED: Final = SeriesKey("data_received")
_THINK_TIME: Final = SeriesKey("think_time")
_VU_TIME: Final = SeriesKey("vu_time")
_SERIES_DROPPED: Final = SeriesKey("series_dropped")


def _tick(
    number: int, second: Second | None, gauges: dict[SeriesKey, float], parts: Mapping[TrendKey, Mapping[int, int]]
) -> Tick:
    if second is None:
        return Tick(number, parts, gauges=gauges)
    counters = dict(second.counters)
    if second.sent:
        counters[_SENT] = second.sent
    if second.received:
        counters[_RECEIVED] = second.received
    return Tick(
        number,
        {**{key: bins for key, bins in second.trends.items() if bins}, **parts},
        {key: (second.hits.get(key, 0), total) for key, total in second.totals.items()},
        counters,
        {**second.gauges, **gauges},
    )
