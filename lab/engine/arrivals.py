"""When the iterations of an open model begin: a schedule known before the run, whatever the answers do. Pure."""

from __future__ import annotations

from itertools import count
from math import sqrt
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.model.load import Load


def arrivals(load: Load, seed: str) -> Iterator[float]:
    """Give the seconds of the run at which the iterations of a load are meant to begin, in order.

    Its rate over time is a chain of straight lines, and what they add up to grows with its square in between: arrival
    number k is where that sum reaches k or, at random, the sum of k gaps drawn from Exp(1) (a Poisson process by
    inversion; Çinlar, Introduction to Stochastic Processes, 1975, chapter 4.7). The seed alone decides what is drawn.
    """
    sums = _sums(seed) if load.poisson else count()
    wanted, over, clock = float(next(sums)), 0.0, load.start_time
    before = load.start / load.time_unit
    for stage in load.stages:
        after = stage.target / load.time_unit
        whole = (before + after) / 2 * stage.duration
        while wanted < over + whole:
            yield clock + _reached(wanted - over, before, after, stage.duration)
            wanted = float(next(sums))
        over, clock, before = over + whole, clock + stage.duration, after


def _sums(seed: str) -> Iterator[float]:
    """Give the sums of one, two, three … gaps."""
    draw = Random(seed).expovariate  # noqa: S311 - a load that can be repeated, no secret
    total = 0.0
    while True:
        total += draw(1.0)
        yield total


def _reached(number: float, before: float, after: float, seconds: float) -> float:
    """Give when a rate that goes straight from `before` to `after` in so many seconds has added up to `number`."""
    if number <= 0:
        return 0.0
    slope = (after - before) / seconds
    # The root of slope/2·t² + before·t = number, in the form that loses no digits when the slope is small.
    return 2 * number / (before + sqrt(max(before * before + 2 * slope * number, 0.0)))
