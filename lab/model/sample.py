"""What one second of load left behind, and the sum of many such seconds.

A `Tick` is a second as the engine recorded it: trends as histograms, rates, counters, gauges (k6's four kinds). It is
added to a `Tally`, which answers what thresholds and tables ask. Times are in µs; in ms where a threshold sees them.

In an open model a request has two clocks: SERVICE since it was sent, RESPONSE since it was meant to be sent. What is
judged is the second, unless a selector says otherwise: `http_req_duration{clock:service}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, inf
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.errors import RunError
from lab.model.histogram import Histogram
from lab.model.metrics import OWN
from lab.model.threshold import AGGREGATIONS, METRICS, MetricKind, Selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.model.threshold import Threshold

OK: Final = "ok"
FAIL: Final = "fail"
DROPPED: Final = "dropped"
SERVICE: Final = "service"
RESPONSE: Final = "response"
NO_CLOCK: Final = "none"
"""The clock of a trend that is no time. It is kept in thousandths of its unit, as a time in ms is in µs."""
CLOCK: Final = "clock"
"""The tag by which a selector chooses between SERVICE and RESPONSE."""
US_PER_MS: Final = 1000.0
_REQUESTS: Final = "http_req_duration"
_ITERATIONS: Final = "iteration_duration"

Tags = tuple[tuple[str, str], ...]


class TrendKey(NamedTuple):
    """What a histogram counts: outcome is ok, fail or dropped; clock is service, response or none."""

    metric: str
    name: str
    tags: Tags
    outcome: str = OK
    clock: str = SERVICE


class SeriesKey(NamedTuple):
    """What a rate, a counter or a gauge belongs to."""

    metric: str
    tags: Tags = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """One second of a run. Rates are (hits, total); gauges hold the second's last value."""

    second: int
    trends: Mapping[TrendKey, Mapping[int, int]] = field(default_factory=dict)
    rates: Mapping[SeriesKey, tuple[int, int]] = field(default_factory=dict)
    counters: Mapping[SeriesKey, int] = field(default_factory=dict)
    gauges: Mapping[SeriesKey, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the tick as one line, without a line break inside."""
        return json.dumps(
            {
                "second": self.second,
                "trends": [[*key, bins] for key, bins in self.trends.items()],
                "rates": [[*key, *value] for key, value in self.rates.items()],
                "counters": [[*key, value] for key, value in self.counters.items()],
                "gauges": [[*key, value] for key, value in self.gauges.items()],
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, line: str) -> Tick:
        """Read a tick back.

        Raises:
            RunError: the line is no tick (half a line at the end of a killed run, say).
        """
        try:
            raw = json.loads(line)
            return cls(
                raw["second"],
                {
                    TrendKey(metric, name, _tags(tags), outcome, clock): {int(b): n for b, n in bins.items()}
                    for metric, name, tags, outcome, clock, bins in raw["trends"]
                },
                {SeriesKey(metric, _tags(tags)): (hits, total) for metric, tags, hits, total in raw["rates"]},
                {SeriesKey(metric, _tags(tags)): count for metric, tags, count in raw["counters"]},
                {SeriesKey(metric, _tags(tags)): value for metric, tags, value in raw["gauges"]},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"not a recorded second: {line[:60]!r} ({error})") from None


def _tags(pairs: Iterable[Iterable[str]]) -> Tags:
    return tuple((key, value) for key, value in pairs)


@dataclass(slots=True)
class Tally:
    """The sum of ticks. It is added to, then asked."""

    trends: dict[TrendKey, Histogram] = field(default_factory=dict)
    rates: dict[SeriesKey, tuple[int, int]] = field(default_factory=dict)
    counters: dict[SeriesKey, int] = field(default_factory=dict)
    gauges: dict[SeriesKey, float] = field(default_factory=dict)
    peaks: dict[SeriesKey, float] = field(default_factory=dict)
    seconds: int = 0

    def add(self, tick: Tick) -> None:
        """Add one second."""
        self.seconds = max(self.seconds, tick.second + 1)
        for trend, bins in tick.trends.items():
            self.trends.setdefault(trend, Histogram()).merge(bins)
        for key, (hits, total) in tick.rates.items():
            before = self.rates.get(key, (0, 0))
            self.rates[key] = (before[0] + hits, before[1] + total)
        for key, count in tick.counters.items():
            self.counters[key] = self.counters.get(key, 0) + count
        for key, value in tick.gauges.items():
            self.gauges.pop(key, None)  # so that what was set last stands last
            self.gauges[key] = value
            self.peaks[key] = max(value, self.peaks.get(key, value))

    def histogram(self, selector: Selector, outcome: str = OK, clock: str | None = SERVICE) -> Histogram:
        """Merge the histograms that a selector means.

        Args:
            selector: a tag `clock` in it goes before the argument.
            outcome: ok or fail.
            clock: whose times; None takes what users of the target would have felt: RESPONSE where a request has one.
        """
        wanted, clock = _clocked(selector, clock)
        return Histogram.merged(h for _, h in self._trends(wanted, outcome, clock))

    def requests(self, selector: Selector, outcome: str) -> int:
        """Count the requests of an outcome; the selector's metric does not matter, its tags do."""
        wanted, _ = _clocked(Selector(_REQUESTS, selector.tags), None)
        return self.histogram(wanted, outcome).count

    def dropped(self, selector: Selector) -> int:
        """Count the answers that never came because an arrival found no free user: +∞ each in a percentile.

        An iteration that was dropped counts once in `iteration_duration`, and in `http_req_duration` as often as one
        that ran, of the same tags, made such requests on average. What was never sent has no service time.
        """
        wanted, clock = _clocked(selector, None)
        if wanted.metric not in {_REQUESTS, _ITERATIONS} or clock == SERVICE:
            return 0
        whole = 0
        for key, number in self.counters.items():
            tags = {name: value for name, value in key.tags if name != "iteration"}
            # Of what the counter cannot know, such as an operation, every value is possible.
            if key.metric != "dropped_iterations" or any(tags.get(name, value) != value for name, value in wanted.tags):
                continue
            whole += number if wanted.metric == _ITERATIONS else ceil(number * self._each(wanted, tags))
        return whole

    def _each(self, selector: Selector, tags: Mapping[str, str]) -> float:
        """Give how many of the requests an iteration with these tags made on average."""
        of = tuple(tags.items())
        ran = sum(count for key, count in self.counters.items() if _matches(Selector("iterations", of), key))
        meant = Selector(_REQUESTS, tuple({**dict(selector.tags), **tags}.items()))
        return sum(self.requests(meant, outcome) for outcome in (OK, FAIL)) / max(ran, 1)

    def counter(self, metric: str) -> int:
        """Sum a counter over all its tags."""
        return sum(count for key, count in self.counters.items() if key.metric == metric)

    def rate(self, selector: Selector) -> tuple[int, int]:
        """Sum a rate's (hits, total) over the series that a selector means."""
        found = [value for key, value in self.rates.items() if _matches(selector, key)]
        return sum(hits for hits, _ in found), sum(total for _, total in found)

    def gauge(self, selector: Selector) -> float | None:
        """Give a gauge's last value, or None when there is none; the lab's own gauges are summed over their series."""
        found = [value for key, value in self.gauges.items() if _matches(selector, key)]
        if not found:
            return None
        return sum(found) if selector.metric in OWN else found[-1]

    def measure(self, threshold: Threshold) -> tuple[float | None, str]:
        """Give what a threshold judges, in its unit (ms for times), and the unit.

        Returns:
            The figure; None when there is no sample; `inf` when too many failed for the percentile to be an answer.
        """
        selector = threshold.selector
        kind = METRICS.get(selector.metric) or self._kind_of(selector.metric)
        if threshold.aggregation not in AGGREGATIONS[kind]:
            # Only known now, for a metric of the user's own: it has nothing that this threshold could judge.
            return None, ""
        if kind is MetricKind.TREND:
            return self._trend(threshold), "" if threshold.aggregation == "count" else self.unit(selector.metric)
        if kind is MetricKind.COUNTER:
            count = self._count(selector)
            if count is None or threshold.aggregation == "count":
                return (None if count is None else float(count)), ""
            return count / max(self.seconds, 1), "/s"
        if kind is MetricKind.RATE:
            hits, total = self._hits(selector)
            return (hits / total if total else None), "share"
        return self.gauge(selector), ""

    def unit(self, metric: str) -> str:
        """Give the unit of a trend's values, as thresholds see them: ms, or none where it is no time."""
        return "" if any(key.metric == metric and key.clock == NO_CLOCK for key in self.trends) else "ms"

    def _kind_of(self, metric: str) -> MetricKind:
        kinds: tuple[tuple[MetricKind, Iterable[TrendKey | SeriesKey]], ...] = (
            (MetricKind.TREND, self.trends),
            (MetricKind.RATE, self.rates),
            (MetricKind.COUNTER, self.counters),
        )
        for kind, keys in kinds:
            if any(key.metric == metric for key in keys):
                return kind
        return MetricKind.GAUGE

    def _trend(self, threshold: Threshold) -> float | None:
        ok = self.histogram(threshold.selector, OK, None)
        failed = self.histogram(threshold.selector, FAIL, None).count
        if threshold.aggregation == "count":
            return float(ok.count + failed) or None
        share = {"med": 0.5, "p": (threshold.argument or 0.0) / 100}.get(threshold.aggregation)
        lost = failed if share is None else failed + self.dropped(threshold.selector)
        if not ok.count:
            return inf if lost else None
        if share is not None:
            value = ok.percentile_with_failures(share, lost)
        else:
            value = {"avg": ok.mean, "min": ok.minimum, "max": ok.maximum}[threshold.aggregation]
        return None if value is None else value / US_PER_MS

    def _count(self, selector: Selector) -> int | None:
        if selector.metric == "http_reqs":
            count = self.requests(selector, OK) + self.requests(selector, FAIL)
            return count or None
        found = [count for key, count in self.counters.items() if _matches(selector, key)]
        return sum(found) if found else None

    def _hits(self, selector: Selector) -> tuple[int, int]:
        if selector.metric == "http_req_failed":
            failed = self.requests(selector, FAIL)
            return failed, failed + self.requests(selector, OK)
        return self.rate(selector)

    def _trends(self, selector: Selector, outcome: str, clock: str | None) -> Iterator[tuple[TrendKey, Histogram]]:
        for key, histogram in self.trends.items():
            if (
                (key.metric, key.outcome) == (selector.metric, outcome)
                and self._by(clock, key)
                and (not selector.tags or selector.matches({"name": key.name, **dict(key.tags)}))
            ):
                yield key, histogram

    def _by(self, clock: str | None, key: TrendKey) -> bool:
        if clock is not None:
            return key.clock == clock
        return key.clock != SERVICE or key._replace(clock=RESPONSE) not in self.trends


def _clocked(selector: Selector, clock: str | None) -> tuple[Selector, str | None]:
    """Take the clock out of a selector's tags."""
    tags = dict(selector.tags)
    chosen = tags.pop(CLOCK, clock)
    return Selector(selector.metric, tuple(tags.items())), chosen


def _matches(selector: Selector, key: SeriesKey) -> bool:
    return key.metric == selector.metric and selector.matches(dict(key.tags))
