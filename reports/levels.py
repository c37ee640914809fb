"""What came of a run at each level of its load: the rate with its spread, the latency, and what the probes saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.gates.observed import REQUESTS, answered
from lab.model.sample import FAIL, OK, SeriesKey, Tally
from reports.shown import shown_percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lab.model.run import Run
    from lab.model.sample import Tick

SETTLING: Final = 0.2
"""The first part of a hold is left out: users who have just come are not yet spread over their iterations."""
MOST_LEVELS: Final = 6
SHORTEST: Final = 4
"""Seconds that a level takes for its rate to have a spread."""
APART: Final = 1.5
"""A load whose highest level is less than this many times its lowest has not changed."""
NEARLY: Final = 0.9
"""A rate from this share of the highest on is about as high."""
_MOST_ALIKE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Level:
    """A level of the load.

    Attributes:
        offered: users or, in an open model, iterations a second that should begin.
        seconds: how long it was measured.
        rate: successful requests a second.
        error: the rate's standard error.
        median: of the successful requests in µs; None where they are too few.
        p95: the same, with failures as answers that never came.
        failed: the share of requests that failed.
        gauges: means over the level.
        peaks: their highest values.
    """

    offered: float
    seconds: int
    rate: float
    error: float
    median: float | None
    p95: float | None
    failed: float
    gauges: Mapping[SeriesKey, float]
    peaks: Mapping[SeriesKey, float] = field(default_factory=dict)


def busiest(found: Sequence[Level]) -> tuple[int, int]:
    """Give the places of the first and the last level, of one or more, whose rate is about the highest."""
    best = max(each.rate for each in found)
    near = [place for place, each in enumerate(found) if each.rate >= NEARLY * best]
    return near[0], near[-1]


def level(offered: float, ticks: Sequence[Tick]) -> Level:
    """Sum up the seconds of a level, at least one; each is given once."""
    whole = Tally()
    for tick in ticks:
        whole.add(tick)
    good, failed = whole.histogram(REQUESTS, OK, None), whole.requests(REQUESTS, FAIL)
    counts = [answered(tick) for tick in ticks]
    seen = _gauges(ticks)
    return Level(
        offered,
        len(ticks),
        sum(counts) / len(ticks),
        standard_error(counts),
        shown_percentile(good, 0.5),
        shown_percentile(good, 0.95, failed),
        failed / max(good.count + failed, 1),
        {key: sum(values) / len(values) for key, values in seen.items()},
        {key: max(values) for key, values in seen.items()},
    )


def levels(run: Run, ticks: Sequence[Tick]) -> tuple[Level, ...]:
    """Give a run's levels, from the lowest to the highest; none where its load did not change.

    They are what the plan holds, where it holds two or more; else its seconds, gathered by how much load there was.
    """
    wanted = "rate_target" if run.scenario.open else "vus"
    by_second = {tick.second: tick for tick in ticks}
    groups = _holds(run, by_second)
    if len(groups) < 2:  # noqa: PLR2004 - one level is no change
        groups = _alike(list(by_second.values()), lambda tick: gauge(tick, wanted))
    found = sorted((level(_mean(group, wanted), group) for group in groups), key=lambda each: each.offered)
    changed = len(found) > 1 and found[0].offered > 0 and found[-1].offered >= APART * found[0].offered
    return tuple(found) if changed else ()


def _holds(run: Run, by_second: Mapping[int, Tick]) -> list[list[Tick]]:
    if len(run.scenario.loads) > 1:
        return []
    groups = []
    for band in run.scenario.bands:
        if band.level:
            group = inside(band.begin, band.end, by_second)
            if len(group) >= SHORTEST:
                groups.append(group)
    return groups


def inside(begin: float, end: float, by_second: Mapping[int, Tick]) -> list[Tick]:
    """Give the whole seconds of a hold that come after its settling."""
    first = ceil(begin + max((end - begin) * SETTLING, 1.0))
    return [by_second[second] for second in range(first, int(end)) if second in by_second]


def _alike(ticks: Sequence[Tick], offered: Callable[[Tick], float]) -> list[list[Tick]]:
    """Gather seconds of about the same load, as many in each group."""
    ordered = sorted((tick for tick in ticks if offered(tick) > 0), key=offered)
    number = min(len(ordered) // SHORTEST, MOST_LEVELS)
    edges = [len(ordered) * part // max(number, 1) for part in range(number + 1)]
    return [ordered[begin:end] for begin, end in pairwise(edges)]


def gauge(tick: Tick, metric: str) -> float:
    """Give a second's value of one of the lab's own gauges, summed over its series."""
    return sum(value for key, value in tick.gauges.items() if key.metric == metric)


def _gauges(ticks: Iterable[Tick]) -> dict[SeriesKey, list[float]]:
    """Give each gauge's values in the seconds that have it."""
    found: dict[SeriesKey, list[float]] = {}
    for tick in ticks:
        for key, value in tick.gauges.items():
            found.setdefault(key, []).append(value)
    return found


def standard_error(counts: Sequence[float]) -> float:
    """Give the standard error of the mean of seconds that follow each other; infinite for fewer than three.

    Neighbours are alike: with a correlation r of each second with the next (a first-order autoregression) the mean is
    known as badly as from (1 − r)/(1 + r) times as many seconds. A short series shows r too low by about 1/n.
    """
    number = len(counts)
    if number < 3:  # noqa: PLR2004 - one left after the mean and the correlation
        return float("inf")
    off = np.asarray(counts, dtype=np.float64) - sum(counts) / number
    noise = float(off @ off)
    if not noise:
        return 0.0
    alike = min(max(float(off[1:] @ off[:-1]) / noise + 1 / number, 0.0), _MOST_ALIKE)
    return sqrt(noise / (number - 1) / number * (1 + alike) / (1 - alike))


def _mean(ticks: Sequence[Tick], metric: str) -> float:
    return sum(gauge(tick, metric) for tick in ticks) / len(ticks)
