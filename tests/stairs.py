"""Runs on stairs made up from a law, for the tests of capacity and diagnosis."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from lab.capacity import Stairs
from lab.model.histogram import bin_of
from lab.model.sample import OK, SeriesKey, Tick, TrendKey
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.model.run import Run

USERS: Final = (1, 2, 4, 8, 16, 32, 64)
BOOK: Final = TrendKey("http_req_duration", "POST /bookings", (("operation", "booking"),), OK)
LAG: Final = TrendKey("generator_lag", "", ())


def law(one: float, contention: float, crosstalk: float) -> Callable[[int], float]:
    """Give the rate by the Universal Scalability Law."""
    return lambda n: one * n / (1 + contention * (n - 1) + crosstalk * n * (n - 1))


def gauges(metric: str, tag: str, values: Mapping[str, float]) -> dict[SeriesKey, float]:
    """Give gauges by a tag."""
    return {SeriesKey(metric, ((tag, name),)): value for name, value in values.items()}


def cpu(**processes: float) -> dict[SeriesKey, float]:
    """Give cores in use by process."""
    return gauges("cpu", "process", processes)


def climb(
    rate: Callable[[int], float],
    *,
    users: tuple[int, ...] = USERS,
    hold: int = 10,
    beside: Callable[[int], Mapping[SeriesKey, float]] = lambda _: {},
    late_ms: Callable[[int], float] = lambda _: 0.5,
    noise: float = 0.02,
    seed: int = 1,
) -> tuple[Run, list[Tick]]:
    """Make up a run: at each step so many requests a second, each as slow as Little's law has it.

    Args:
        rate: of so many users.
        users: of the steps.
        hold: seconds of a step.
        beside: gauges at a step.
        late_ms: how late the generator's timer fires.
        noise: the standard deviation of a second's count.
        seed: of the noise.
    """
    rng = random.Random(seed)
    steps = Stairs(users, hold).steps
    ticks = []
    for second in range(steps[-1].end):
        step = next(step for step in steps if second < step.end)
        mean = rate(step.users)
        count = max(round(mean * rng.gauss(1, noise)), 0)
        us = int(step.users / mean * 1e6) if mean else 0
        bins: dict[int, int] = {}
        for _ in range(count):
            place = bin_of(int(us * rng.uniform(0.8, 1.2)))
            bins[place] = bins.get(place, 0) + 1
        tick_gauges = {
            SeriesKey("vus"): float(step.users),
            SeriesKey("generator_cpu"): 0.3,
            **beside(step.users),
        }
        lag = {LAG: {bin_of(int(late_ms(step.users) * 1000)): 100}}
        ticks.append(Tick(second, ({BOOK: bins} if bins else {}) | lag, gauges=tick_gauges))
    return made(ticks, users, hold), ticks


def made(ticks: list[Tick], users: tuple[int, ...], hold: int, **changes: Any) -> Run:
    """Make up the run of such seconds."""
    whole = synthetic.tally(ticks)
    plan = Stairs(users, hold).scenario(synthetic.scenario(name="capacity"))
    return synthetic.run(whole, **{"scenario": plan, "profile": "as-found", **changes})
