"""Runs on the virtual clock whose figures are known from theory (measurement.md §7), for test_proofs.py.

`python -m tests.unit.engine.prove NAME…` plays these and prints what was measured, as JSON by name. In processes of
their own, since Locust patches the interpreter, and the clock is replaced.
"""

from __future__ import annotations

from tests.unit.engine.virtual_cell import play  # isort: skip - first: it replaces the clock

import json
import sys
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from lab.gates.observed import Observed
from lab.gates.users_time import little, stalls
from lab.model.load import Load
from lab.model.run import Totals
from lab.model.sample import SERVICE
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.threshold import Selector, parse_threshold
from tests.unit.engine.virtual_server import Fifo, Wide

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.engine.virtual_cell import Played

STALL: Final = (29.999, 3.0)
SLOW_US: Final = 100_000
REQUESTS: Final = Selector("http_req_duration")


def percentiles(played: Played, *shares: float, clock: str = "") -> list[float | None]:
    """Give percentiles as thresholds see them, in ms; None for one that is no answer at all."""
    metric = REQUESTS.metric + (f"{{clock:{clock}}}" if clock else "")
    found = [played.tally.measure(parse_threshold(metric, f"p({share:g})<1"))[0] for share in shares]
    return [value if value is not None and isfinite(value) else None for value in found]


def stalled(most: int, *, waits: bool = False) -> dict[str, Any]:
    """T1: 100/s for 60 s at a server of 1,000/s, which stands still for 3 s in the middle."""
    load = Load(
        "constant-arrival-rate",
        "Caller",
        (Stage(60, 100),),
        100,
        pre_allocated=most,
        max_vus=most,
        waits=waits,
        env=(("service", "0.001"),),
    )
    played = play(load, server=lambda: Fifo(*STALL))
    return {
        "response": percentiles(played, 95, 99),
        "service": percentiles(played, 95, 99, clock=SERVICE),
        "iterations": played.tally.counter("iterations"),
        "dropped": played.tally.counter("dropped_iterations"),
        "users": len(played.left),
        "begun": [begun for begun, *_ in played.begun],
    }


def closed_stall() -> dict[str, Any]:
    """T3: ten users who think 0.1 s at a server that takes 2 ms, which stands still for 3 s once."""
    env = (("service", "0.002"), ("think", "0.1"))
    load = Load("constant-vus", "Caller", (Stage(60, 10),), 10, env=env)
    played = play(load, server=lambda: Wide(*STALL))
    scenario = Scenario("s", (load,), thresholds=(parse_threshold(REQUESTS.metric, "p(99)<500"),))
    run = Observed(scenario, played.tally, Totals.of(played.tally), {}, {}, 0)
    return {
        "slow": sum(n for bin_, n in played.tally.histogram(REQUESTS).bins.items() if bin_ > SLOW_US // 10),
        "slowest": played.tally.histogram(REQUESTS).maximum,
        "service": percentiles(played, 50, 99),
        "stalls": [[found.level, found.sentence] for found in stalls(run)],
        "little": [[found.level, found.sentence] for found in little(run)],
    }


def single_server() -> dict[str, Any]:
    """T4: Poisson arrivals at 40/s at one exponential server of 100/s."""
    load = Load(
        "constant-arrival-rate",
        "Caller",
        (Stage(1500, 40),),
        40,
        pre_allocated=60,
        max_vus=200,
        poisson=True,
        env=(("mean_service", "0.01"),),
    )
    played = play(load, server=Fifo)
    return {
        "response": percentiles(played, 50, 90, 95, 99),
        "service": percentiles(played, 50, 90, 95, 99, clock=SERVICE),
        "arrivals": len(played.begun),
        "dropped": played.tally.counter("dropped_iterations"),
    }


def repairmen(users: int) -> dict[str, Any]:
    """T5: users who think 0.2 s on average at one exponential server of 20 ms."""
    env = (("mean_service", "0.02"), ("mean_think", "0.2"))
    load = Load("constant-vus", "Caller", (Stage(400, users),), users, env=env)
    played = play(load, server=Fifo)
    run = Observed(Scenario("s", (load,)), played.tally, Totals.of(played.tally), {}, {}, 0)
    return {"rate": len(played.begun) / 400, "little": [[found.level, found.sentence] for found in little(run)]}


RUNS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "T1 one user": lambda: stalled(1, waits=True),
    "T1 users enough": lambda: stalled(400),
    "T1 few users": lambda: stalled(10),
    "T3": closed_stall,
    "T4": single_server,
    "T5 5": lambda: repairmen(5),
    "T5 11": lambda: repairmen(11),
    "T5 20": lambda: repairmen(20),
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: RUNS[name]() for name in sys.argv[1:]}))
