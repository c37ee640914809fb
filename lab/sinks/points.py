"""From a run's seconds to its points, by the same rule while it runs and afterwards from its folder. Pure.

Every point carries the tags run, scenario, label and profile. What belongs to a second is stamped with its start (the
load's start in whole seconds, plus the second), so that a point that is sent again is the same point. Times are in ms,
shares 0 to 1, memory in bytes; percentiles come from exact histograms.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lab.model.histogram import Histogram
from lab.model.run import Run, Totals
from lab.model.sample import FAIL, OK, SERVICE, US_PER_MS, SeriesKey, Tally, Tick, TrendKey
from lab.model.server_timing import COUNTS, GAP, SUMS, TIMING
from lab.sinks import marks
from lab.sinks.lines import line, tag_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.model.threshold import ThresholdResult

NS: Final = 1_000_000_000
MS: Final = 1_000_000
REQUESTS: Final = "http_req_duration"
DELAY: Final = "notification_delay"
SHARES: Final = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99))
GAUGES: Final = {
    "cpu": "process",
    "memory": "process",
    "queue_depth": "queue",
    "queue_age": "queue",
    **dict.fromkeys(
        ("threads_busy", "pool_in_use", "pool_waiting", "db_threads_running", "db_row_lock_waits", "db_slow_queries"),
        "service",
    ),
}
"""What the probes measure, and the tag that says of what."""

Tags = tuple[tuple[str, str], ...]
Fields = dict[str, float | str | None]


def begin_ns(run: Run) -> int:
    """Give when second 0 of a run's points begins, in ns since the epoch: a whole second."""
    return int(datetime.fromisoformat(run.load_started or run.started).timestamp()) * NS


def lines(run: Run, ticks: Iterable[Tick], *, over: bool = True) -> Iterator[str]:
    """Give all points of a run, as its sink gave them while it ran.

    Args:
        run: what `run.json` says.
        ticks: its seconds, in order; what was noted of one second in several ticks is summed.
        over: give the points of its end also.
    """
    points = Points(run)
    yield from points.begin()
    for tick in summed(ticks):
        yield from points.second(tick)
    if over:
        yield from points.end(run)


def summed(ticks: Iterable[Tick]) -> Iterator[Tick]:
    """Sum ticks of the same second that follow each other."""
    before: Tick | None = None
    for tick in ticks:
        if before is not None and before.second == tick.second:
            before = joined(before, tick)
            continue
        if before is not None:
            yield before
        before = tick
    if before is not None:
        yield before


def joined(one: Tick, other: Tick) -> Tick:
    """Give what two ticks of the same second hold together."""
    whole = Tally()
    whole.add(one)
    whole.add(other)
    return Tick(
        one.second,
        {key: histogram.bins for key, histogram in whole.trends.items()},
        whole.rates,
        whole.counters,
        whole.gauges,
    )


@dataclass(slots=True)
class Points:
    """Adds seconds up and gives their points. `late` tells that a second came again: its points are no longer true."""

    run: Run
    late: bool = False
    _tally: Tally = field(default_factory=Tally)
    _marks: marks.Marks = field(init=False)
    _tags: Tags = field(init=False)
    _zero: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out what all points have in common."""
        run = self.run
        self._marks = marks.Marks(run.scenario)
        self._zero = begin_ns(run)
        self._tags = (
            ("run", run.id),
            ("scenario", run.scenario.name),
            ("label", run.label),
            ("profile", run.profile),
        )

    def begin(self) -> list[str]:
        """Give the points of the start."""
        return list(self._annotations(0, [marks.start(self.run)]))

    def second(self, tick: Tick) -> list[str]:
        """Give the points of a second. What is only known after the run, the mails' delay, may come in any order."""
        delays = {key: bins for key, bins in tick.trends.items() if key.metric == DELAY}
        found = []
        if delays:
            found.append(self._line(DELAY, (), measures(merged(delays)), tick.second))
            tick = replace(tick, trends={key: bins for key, bins in tick.trends.items() if key.metric != DELAY})
        if not (tick.trends or tick.rates or tick.counters or tick.gauges):
            return found
        if tick.second < self._tally.seconds:
            # A last gauge alone, such as the requests that nobody will answer, changes no point.
            self.late = self.late or bool(tick.trends or tick.rates or tick.counters)
            self._tally.add(tick)
            return found
        before = self._tally.seconds
        self._tally.add(tick)
        return found + list(self._of(tick, before))

    def end(self, run: Run) -> list[str]:
        """Give the points of the run that is over: its totals, the last word on its thresholds, the verdict."""
        at, seconds = self._tally.seconds, max(self._tally.seconds, 1)
        found = []
        for (operation, outcome, clock), histogram in sorted(_by_operation(self._trends()).items()):
            tags = (("operation", operation), ("outcome", outcome), ("clock", clock))
            fields = measures(histogram) | {"rate": histogram.count / seconds}
            found.append(self._line("run_duration", tags, fields, at))
        found.extend(self._thresholds(run.thresholds, at))
        crossed = self._marks.crossed(run.thresholds) if run.thresholds else []
        found.extend(self._annotations(at, [*crossed, marks.end(run)]))
        totals = run.totals if run.totals != Totals() else Totals.of(self._tally)
        summary: Fields = {
            "requests": totals.ok + totals.failed,
            "failed": totals.failed,
            "iterations": totals.iterations,
            "seconds": totals.seconds,
            "exit_code": run.verdict.exit_code if run.verdict else 1,
            "verdict": marks.verdict(run),
            "start": self._zero // MS,
        }
        return [*found, self._line("run_summary", (), summary, at)]

    def _of(self, tick: Tick, before: int) -> Iterator[str]:
        at = tick.second
        yield from self._requests(tick)
        yield from self._parts(tick)
        for (check, operation), (hits, total) in _checks(tick.rates).items():
            tags = (("check", check), ("operation", operation))
            fields: Fields = {"passes": hits, "fails": total - hits, "rate": hits / total if total else None}
            yield self._line("checks", tags, fields, at)
        done = sum(count for key, count in tick.counters.items() if key.metric == "iterations")
        yield self._line("iterations", (), {"count": done}, at)
        users = [value for key, value in tick.gauges.items() if key.metric == "vus"]
        if users:
            yield self._line("vus", (), {"value": float(sum(users))}, at)
        for key, value in tick.gauges.items():
            if key.metric in GAUGES:
                name = GAUGES[key.metric]
                yield self._line(key.metric, ((name, dict(key.tags).get(name, "")),), {"value": float(value)}, at)
        results = marks.judged(self.run.scenario, self._tally)
        yield from self._thresholds(results, at)
        yield from self._annotations(at, [*self._marks.stages(before, at), *self._marks.crossed(results)])

    def _requests(self, tick: Tick) -> Iterator[str]:
        found = _by_operation(tick.trends)
        answered: dict[str, list[int]] = {}
        for (operation, outcome, clock), histogram in found.items():
            tags = (("operation", operation), ("outcome", outcome), ("clock", clock))
            yield self._line(REQUESTS, tags, measures(histogram), tick.second)
            if clock == SERVICE:
                counts = answered.setdefault(operation, [0, 0])
                counts[outcome == FAIL] += histogram.count
        for operation, (ok, failed) in answered.items():
            named, total = (("operation", operation),), ok + failed
            yield self._line("http_reqs", named, {"count": total}, tick.second)
            fields: Fields = {"count": failed, "total": total, "rate": failed / total}
            yield self._line("http_req_failed", named, fields, tick.second)

    def _parts(self, tick: Tick) -> Iterator[str]:
        """Give the time in each part, and how many requests it is of, for the block of seconds that ends with this."""
        requests: dict[str, int] = {}
        spent: dict[tuple[str, str], int] = {}
        for key, bins in tick.trends.items():
            tags = dict(key.tags)
            operation = tag_text(tags.get("operation", ""))
            if key.metric == COUNTS:
                requests[operation] = requests.get(operation, 0) + sum(bins.values())
            elif key.metric == SUMS:
                place = operation, part_name(tags.get("hop", ""), tags.get("kind", ""))
                spent[place] = spent.get(place, 0) + sum(bins.values())
        for (operation, part), us in spent.items():
            named = (("operation", operation), ("part", tag_text(part)))
            yield self._line(TIMING, named, {"ms": us / US_PER_MS, "requests": requests.get(operation, 0)}, tick.second)

    def _thresholds(self, results: Sequence[ThresholdResult], second: int) -> Iterator[str]:
        for result in results:
            tags = (("metric", result.metric), ("threshold", result.expression))
            fields: Fields = {"value": None if result.actual is None else float(result.actual)}
            yield self._line("thresholds", tags, fields | {"ok": marks.STATES[result.outcome]}, second)

    def _annotations(self, second: int, found: Iterable[marks.Mark]) -> Iterator[str]:
        for number, mark in enumerate(found):
            # A millisecond apart: two of a kind in one second would be the same point.
            yield self._line(
                "annotations", (("kind", mark.kind),), {"title": mark.title, "text": mark.text}, second, number * MS
            )

    def _line(self, measurement: str, tags: Tags, fields: Fields, second: int, extra: int = 0) -> str:
        return line(measurement, (*self._tags, *tags), fields, self._zero + second * NS + extra)

    def _trends(self) -> dict[TrendKey, Mapping[int, int]]:
        return {key: histogram.bins for key, histogram in self._tally.trends.items()}


def measures(histogram: Histogram) -> Fields:
    """Give a histogram's figures as fields, in ms."""
    found: Fields = {"count": histogram.count}
    edges = (histogram.minimum, histogram.mean if histogram.count else None)
    values = (*edges, *(histogram.percentile(share) for _, share in SHARES), histogram.maximum)
    names = ("min", "mean", *(name for name, _ in SHARES), "max")
    return found | {
        name: None if value is None else value / US_PER_MS for name, value in zip(names, values, strict=True)
    }


def part_name(hop: str, kind: str) -> str:
    """Write a part as people read it: a hop's own work by the hop alone, and the gap that only the client knows."""
    label = f"{hop}.{kind}"
    return "gap" if label == GAP else label.removesuffix(".own")


def merged(trends: Mapping[TrendKey, Mapping[int, int]]) -> Histogram:
    """Sum histograms."""
    whole = Histogram()
    for bins in trends.values():
        whole.merge(bins)
    return whole


def _by_operation(trends: Mapping[TrendKey, Mapping[int, int]]) -> dict[tuple[str, str, str], Histogram]:
    """Sum the answered requests over names and other tags, by operation, outcome and clock."""
    found: dict[tuple[str, str, str], Histogram] = {}
    for key, bins in trends.items():
        if key.metric == REQUESTS and key.outcome in {OK, FAIL} and bins:
            operation = tag_text(dict(key.tags).get("operation", key.name))
            found.setdefault((operation, key.outcome, key.clock), Histogram()).merge(bins)
    return found


def _checks(rates: Mapping[SeriesKey, tuple[int, int]]) -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for key, (hits, total) in rates.items():
        if key.metric == "checks":
            tags = dict(key.tags)
            place = tag_text(tags.get("check", "")), tag_text(tags.get("operation", ""))
            before = found.get(place, (0, 0))
            found[place] = (before[0] + hits, before[1] + total)
    return found
