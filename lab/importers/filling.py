"""Samples of a file, put into seconds as they come, so that memory does not grow with the number of requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from lab.errors import ConfigError
from lab.model.histogram import bin_of
from lab.model.sample import FAIL, OK, SeriesKey, Tally, Tick, TrendKey

if TYPE_CHECKING:
    from lab.model.sample import Tags

WINDOW: Final = 120
"""Seconds that stay open: tools write a sample when it ends, and not always in order."""
MOST_SERIES: Final = 2000
OTHER: Final = "(other)"
LONGEST: Final = 7 * 86_400
"""Seconds from first to last sample: a file that takes longer has times in another unit than it seems."""
_REQUESTS: Final = "http_req_duration"


@dataclass(slots=True)
class _Second:
    trends: defaultdict[TrendKey, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    rates: dict[SeriesKey, tuple[int, int]] = field(default_factory=dict)
    counters: Counter[SeriesKey] = field(default_factory=Counter)
    gauges: dict[SeriesKey, float] = field(default_factory=dict)


class Filling:
    """Takes samples at times in seconds since 1970, and writes a tick for each second to a run's live log.

    `early` counts the samples that came after their second was written and lie before the first of all: they stand in
    the first second. `other` counts those whose name or tags were one too many to be kept apart.
    """

    def __init__(self, log: IO[str]) -> None:
        self.early = 0
        self.other = 0
        self.tally = Tally()
        self._log = log
        self._open: dict[int, _Second] = {}
        self._first: int | None = None
        self._known: set[tuple[str, str, Tags]] = set()

    @property
    def began(self) -> int | None:
        """Give the second, since 1970, that is second 0; None before there was a sample."""
        return self._first if self._first is not None else min(self._open, default=None)

    def request(self, at: float, name: str, tags: Tags, us: int, reason: str | None) -> None:
        """Count a request that was answered at `at`; `reason` says why it failed, or is None."""
        name, tags = self._bounded(_REQUESTS, name, tags)
        second = self._second(at)
        second.trends[TrendKey(_REQUESTS, name, tags, OK if reason is None else FAIL)][bin_of(us)] += 1
        second.counters[SeriesKey("sent")] += 1
        if reason is not None:
            why, _ = self._bounded("failures", reason, ())
            second.counters[SeriesKey("failures", (*tags, ("name", name), ("reason", why)))] += 1

    def trend(self, at: float, key: TrendKey, thousandths: int) -> None:
        """Count a value of another trend: µs of a time, or thousandths of what it is."""
        name, tags = self._bounded(key.metric, key.name, key.tags)
        self._second(at).trends[key._replace(name=name, tags=tags)][bin_of(thousandths)] += 1

    def rate(self, at: float, key: SeriesKey, *, hit: bool) -> None:
        """Count one of a rate."""
        key = self._series(key)
        second = self._second(at)
        hits, total = second.rates.get(key, (0, 0))
        second.rates[key] = (hits + hit, total + 1)

    def count(self, at: float, key: SeriesKey, number: int) -> None:
        """Add to a counter."""
        self._second(at).counters[self._series(key)] += number

    def gauge(self, at: float, key: SeriesKey, value: float) -> None:
        """Set a gauge; the last of a second stands."""
        self._second(at).gauges[self._series(key)] = value

    def close(self) -> Tally:
        """Write what is left, and give the sum of all."""
        self._write(max(self._open, default=0) + 1)
        return self.tally

    def peak(self, metric: str) -> float:
        """Give the highest value of a gauge; 0 without one."""
        return max((value for key, value in self.tally.peaks.items() if key.metric == metric), default=0.0)

    def _second(self, at: float) -> _Second:
        number = int(at)
        if self._first is not None and number < self._first:
            self.early += 1
            number = self._first
        found = self._open.get(number)
        if found is None:
            first = min(number, self._first if self._first is not None else min(self._open, default=number))
            if max(number, max(self._open, default=number)) - first > LONGEST:
                raise ConfigError("its samples lie more than a week apart; expected times of one run")
            found = self._open[number] = _Second()
            if number - min(self._open) > WINDOW:
                self._write(number - WINDOW // 2)
        return found

    def _write(self, before: int) -> None:
        """Write the seconds before this one; a sample that comes later makes another tick of its second."""
        for number in sorted(number for number in self._open if number < before):
            self._first = number if self._first is None else self._first
            second = self._open.pop(number)
            tick = Tick(number - self._first, second.trends, second.rates, second.counters, second.gauges)
            self._log.write(tick.to_json() + "\n")
            self.tally.add(tick)

    def _series(self, key: SeriesKey) -> SeriesKey:
        _, tags = self._bounded(key.metric, "", key.tags)
        return SeriesKey(key.metric, tags)

    def _bounded(self, metric: str, name: str, tags: Tags) -> tuple[str, Tags]:
        """Keep name and tags, unless they would be one of too many: an id in a URL makes a name of each request."""
        known = (metric, name, tags)
        if known not in self._known:
            if len(self._known) >= MOST_SERIES:
                self.other += 1
                return (OTHER if name else ""), ()
            self._known.add(known)
        return name, tags
