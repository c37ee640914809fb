"""What one second of load left behind, and the sum of many such seconds.

A `Tick` is a second as the engine recorded it: trends as histograms, rates, counters, gauges (k6's four kinds). It is
added to a `Tally`, which answers what thresholds and tables ask. Times are in µs; in ms where a threshold sees them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.errors import RunError
from lab.model.histogram import Histogram
from lab.model.threshold import AGGREGATIONS, METRICS, MetricKind, Selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.model.threshold import Threshold

OK: Final = "ok"
FAIL: Final = "fail"
DROPPED: Final = "dropped"
SERVICE: Final = "service"
RESPONSE: Final = "response"
US_PER_MS: Final = 1000.0

Tags = tuple[tuple[str, str], ...]


class TrendKey(NamedTuple):
    """What a histogram counts: metric, request name, tags, outcome (ok, fail, dropped), clock (service, response)."""

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
            self.gauges[key] = value
            self.peaks[key] = max(value, self.peaks.get(key, value))

    def histogram(self, selector: Selector, outcome: str = OK, clock: str = SERVICE) -> Histogram:
        """Merge the histograms that a selector means."""
        return Histogram.merged(h for _, h in self._trends(selector, outcome, clock))

    def requests(self, selector: Selector, outcome: str) -> int:
        """Count the requests of an outcome; the selector's metric does not matter, its tags do."""
        return self.histogram(Selector("http_req_duration", selector.tags), outcome).count

    def counter(self, metric: str) -> int:
        """Sum a counter over all its tags."""
        return sum(count for key, count in self.counters.items() if key.metric == metric)

    def rate(self, selector: Selector) -> tuple[int, int]:
        """Sum a rate's (hits, total) over the series that a selector means."""
        found = [value for key, value in self.rates.items() if _matches(selector, key)]
        return sum(hits for hits, _ in found), sum(total for _, total in found)

    def gauge(self, selector: Selector) -> float | None:
        """Sum a gauge's last values over the series that a selector means; None when there is none."""
        found = [value for key, value in self.gauges.items() if _matches(selector, key)]
        return sum(found) if found else None

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
            return self._trend(threshold), "" if threshold.aggregation == "count" else "ms"
        if kind is MetricKind.COUNTER:
            count = self._count(selector)
            if count is None or threshold.aggregation == "count":
                return (None if count is None else float(count)), ""
            return count / max(self.seconds, 1), "/s"
        if kind is MetricKind.RATE:
            hits, total = self._hits(selector)
            return (hits / total if total else None), "share"
        return self.gauge(selector), ""

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
        ok = self.histogram(threshold.selector, OK)
        failed = self.histogram(threshold.selector, FAIL).count
        if threshold.aggregation == "count":
            return float(ok.count + failed) or None
        if not ok.count:
            return inf if failed else None
        share = {"med": 0.5, "p": (threshold.argument or 0.0) / 100}.get(threshold.aggregation)
        if share is not None:
            value = ok.percentile_with_failures(share, failed)
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

    def _trends(self, selector: Selector, outcome: str, clock: str) -> Iterator[tuple[TrendKey, Histogram]]:
        for key, histogram in self.trends.items():
            if (key.metric, key.outcome, key.clock) == (selector.metric, outcome, clock) and (
                not selector.tags or selector.matches({"name": key.name, **dict(key.tags)})
            ):
                yield key, histogram


def _matches(selector: Selector, key: SeriesKey) -> bool:
    return key.metric == selector.metric and selector.matches(dict(key.tags))
