"""Metrics of user code, and the groups' durations: one row a series, for the summary and the page alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeVar

from lab.model.histogram import Histogram
from lab.model.metrics import GROUP_DURATION, shown_as_custom
from lab.model.sample import NO_CLOCK, SeriesKey, TrendKey
from lab.model.threshold import MetricKind
from reports import units
from reports.shown import shown_percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.model.sample import Tags, Tally

Key = TypeVar("Key", TrendKey, SeriesKey)
Value = TypeVar("Value")
THOUSAND: Final = 1000
_SHARES: Final = ((0.5, "med"), (0.9, "p(90)"), (0.95, "p(95)"), (0.99, "p(99)"))


@dataclass(frozen=True, slots=True)
class CustomRow:
    """One series of a metric, or all of them together (`whole`); `figures` as k6 writes them: `avg=12.5`."""

    metric: str
    tags: str
    kind: MetricKind
    figures: tuple[str, ...]
    whole: bool = False


def rows(tally: Tally) -> list[CustomRow]:
    """Give the rows by metric and tags; before several series of one metric stands what they come to."""
    found = [*_trends(tally), *_rates(tally), *_counters(tally), *_gauges(tally)]
    return sorted(found, key=lambda row: (row.metric, row.kind, not row.whole, row.tags))


def _trends(tally: Tally) -> Iterator[CustomRow]:
    for metric, found in _by_metric(tally.trends.items()):
        timed = all(key.clock != NO_CLOCK for key, _ in found)
        parts = [(key.tags, histogram) for key, histogram in found]
        if len(parts) > 1 and metric != GROUP_DURATION:  # a group's time holds that of the groups inside it
            whole = Histogram.merged(histogram for _, histogram in parts)
            yield CustomRow(metric, "", MetricKind.TREND, _spread(whole, timed=timed), whole=True)
        for tags, histogram in parts:
            yield CustomRow(metric, _text(tags), MetricKind.TREND, _spread(histogram, timed=timed))


def _spread(histogram: Histogram, *, timed: bool) -> tuple[str, ...]:
    def shown(value: float | None) -> str:
        if timed:
            return units.duration(value)
        return units.NO_FIGURE if value is None else units.trimmed(value / THOUSAND, 3)

    edges = (f"avg={shown(histogram.mean)}", f"min={shown(histogram.minimum)}")
    middle, *high = (f"{name}={shown(shown_percentile(histogram, share))}" for share, name in _SHARES)
    return (*edges, middle, f"max={shown(histogram.maximum)}", *high, f"count={histogram.count}")


def _rates(tally: Tally) -> Iterator[CustomRow]:
    for metric, found in _by_metric(tally.rates.items()):
        if len(found) > 1:
            whole = sum(hits for _, (hits, _) in found), sum(total for _, (_, total) in found)
            yield CustomRow(metric, "", MetricKind.RATE, _share(*whole), whole=True)
        for key, (hits, total) in found:
            yield CustomRow(metric, _text(key.tags), MetricKind.RATE, _share(hits, total))


def _share(hits: int, total: int) -> tuple[str, ...]:
    return (units.percent(hits / total) if total else units.NO_FIGURE, f"{hits} out of {total}")


def _counters(tally: Tally) -> Iterator[CustomRow]:
    for metric, found in _by_metric(tally.counters.items()):
        if len(found) > 1:
            whole = sum(number for _, number in found)
            yield CustomRow(metric, "", MetricKind.COUNTER, _speed(whole, tally.seconds), whole=True)
        for key, number in found:
            yield CustomRow(metric, _text(key.tags), MetricKind.COUNTER, _speed(number, tally.seconds))


def _speed(number: int, seconds: int) -> tuple[str, ...]:
    return (str(number), f"{units.trimmed(number / max(seconds, 1), 3)}/s")


def _gauges(tally: Tally) -> Iterator[CustomRow]:
    for metric, found in _by_metric(tally.gauges.items()):
        for key, value in found:
            figures = (units.trimmed(value, 3), f"max={units.trimmed(tally.peaks.get(key, value), 3)}")
            yield CustomRow(metric, _text(key.tags), MetricKind.GAUGE, figures)


def _by_metric(
    series: Iterable[tuple[Key, Value]],
) -> Iterator[tuple[str, Sequence[tuple[Key, Value]]]]:
    mine = sorted(((key, value) for key, value in series if shown_as_custom(key.metric)), key=lambda item: item[0])
    for metric, found in groupby(mine, key=lambda item: item[0].metric):
        yield metric, list(found)


def _text(tags: Tags) -> str:
    return ",".join(f"{key}:{value}" for key, value in tags)
