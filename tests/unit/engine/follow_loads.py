"""Loads of every executor on the virtual clock, for test_executors.py.

`python -m tests.unit.engine.follow_loads` plays them all and prints what was seen, as JSON by name. In a process of
its own, since Locust patches the interpreter, and the clock is replaced.
"""

from __future__ import annotations

from tests.unit.engine.virtual_cell import play  # isort: skip - first: it replaces the clock

import json
import logging
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lab.errors import LabError
from lab.model.load import Load
from lab.model.stage import Stage
from lab.model.threshold import Selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.engine.virtual_cell import Place, Played

GRACE: Final = 2.0


def load(executor: str, *stages: tuple[float, int], **rest: Any) -> Load:
    """Make a load; its users' work goes in as `env`, a mapping."""
    env = {key: str(value) for key, value in rest.pop("env", {}).items()}
    given = {"user_class": "Caller", "graceful_stop": GRACE, "graceful_ramp_down": GRACE, **rest}
    return Load(executor, stages=tuple(Stage(*stage) for stage in stages), env=tuple(sorted(env.items())), **given)


def seen(played: Played) -> dict[str, Any]:
    """Say what was seen of a run."""
    tally = played.tally
    spent = sum(
        h.count * h.mean for k, h in tally.trends.items() if k.metric == "iteration_duration" and k.clock == "service"
    )
    return {
        "seconds": played.seconds,
        "seen": played.seen,
        "begun": [at for at, *_ in played.begun],
        "by_user": sorted(Counter(user for *_, user in played.begun).values()),
        "by_load": Counter(name for _, name, _ in played.begun),
        "first": {name: at for at, name, _ in reversed(played.begun)},
        "sent": played.sent,
        "left": sorted(played.left),
        "iterations": tally.counter("iterations"),
        "dropped": tally.counter("dropped_iterations"),
        "counted as sent": tally.counter("sent"),
        "errors": tally.counter("iteration_errors"),
        "unfinished": tally.gauge(Selector("unfinished")),
        "late": max([h.maximum or 0 for k, h in tally.trends.items() if k.clock == "response"], default=0),
        "little": (spent + tally.counter("think_time")) / max(tally.counter("vu_time"), 1),
        "tags": sorted({json.dumps(key.tags) for key in tally.trends if key.metric == "http_req_duration"}),
    }


def followed(*stages: tuple[float, int], start: int = 0) -> dict[str, Any]:
    """Let users that do next to nothing follow stages, in three load processes."""
    ramp = load("ramping-vus", *stages, start=start, env={"think": 0.05})
    return seen(play(ramp, looks=True, places=3))


def leaving(**does: float) -> dict[str, Any]:
    """Let eight users go who take their time, and three others stay; look who is there right after."""
    ramp = load("ramping-vus", (1, 11), (0, 3), (4, 3), start=11, graceful_ramp_down=0.5, env=does)
    return seen(play(ramp, looks=True))


def poisson(places: int, seed: int = 7) -> dict[str, Any]:
    """Let arrivals come at random, to so many load processes."""
    stages = ((5.0, 40), (0.0, 10), (5.0, 10))
    arriving = load("ramping-arrival-rate", *stages, poisson=True, pre_allocated=20, max_vus=60)
    return seen(play(arriving, places=places, seed=seed))


def side_by_side() -> dict[str, Any]:
    """Run three loads of their own names, tags, work and times."""
    steady = load(
        "constant-vus", (6, 2), start=2, name="steady", tags=(("team", "a"),), env={"service": 0.1, "think": 0.9}
    )
    later = load(
        "constant-arrival-rate", (3, 20), start=20, name="later", start_time=2.5, max_vus=9, pre_allocated=3,
        tags=(("team", "b"),), env={"service": 0.05, "getting_ready": 1},
    )  # fmt: skip
    few = load("per-vu-iterations", (60, 3), start=3, iterations=4, name="few", start_time=1.0, env={"service": 0.2})
    return seen(play(steady, later, few))


def lost(among: list[Place]) -> None:
    """Let the first of three load processes be gone, and the two others share its part."""
    gone, *rest = among
    gone.lose()
    for number, place in enumerate(rest):
        place.cell.assign(number, len(rest))


def close(among: list[Place]) -> None:
    """Ask all to end."""
    for place in among:
        place.cell.close()


def edit(number: int) -> Callable[[list[Place]], None]:
    """Ask all to hold another number."""

    def ask(among: list[Place]) -> None:
        for place in among:
            place.cell.edit(number)

    return ask


def unmakeable() -> dict[str, Any]:
    """Let a user come, in the middle of an open model, whose class cannot be made."""
    try:
        play(load("constant-arrival-rate", (5, 10), start=10, user_class="Unmakeable", max_vus=3))
    except LabError as error:
        return {"error": str(error)}
    return {"error": ""}


def _runs() -> dict[str, Callable[[], dict[str, Any]]]:
    arrive = "constant-arrival-rate"
    few = {"start": 20, "pre_allocated": 30, "max_vus": 30}
    return {
        "0 to 500 in 5 s": lambda: followed((5, 500), (1, 500)),
        "stages of 1 s": lambda: followed((1, 20), (1, 5), (0, 30), (1, 0)),
        "a constant number": lambda: followed((1, 10), (1, 10), start=10),
        "up, hold, down": lambda: followed((1, 40), (1, 40), (1, 0)),
        "leaving while thinking": lambda: leaving(think=9, last_words=0.4),
        "leaving while at work": lambda: leaving(service=0.4, think=0.01, last_words=0.1),
        "leaving too slowly": lambda: leaving(service=3),
        "shared": lambda: seen(
            play(load("shared-iterations", (60, 7), start=7, iterations=100, env={"mean_service": 0.1}), places=3)
        ),
        "each": lambda: seen(
            play(load("per-vu-iterations", (60, 7), start=7, iterations=9, env={"mean_service": 0.1}), places=3)
        ),
        "no time": lambda: seen(
            play(load("per-vu-iterations", (5, 2), start=2, iterations=100, graceful_stop=0.5, env={"service": 2}))
        ),
        "steady rate": lambda: seen(play(load(arrive, (10, 20), **few, env={"service": 0.1}), places=2)),
        "rate a minute": lambda: seen(play(load(arrive, (10, 90), start=90, time_unit=60.0, max_vus=3))),
        "ramping rate": lambda: seen(
            play(
                load("ramping-arrival-rate", (4, 80), (0, 10), (2, 10), (2, 0), pre_allocated=20, max_vus=50), places=2
            )
        ),
        **{f"poisson in {n}": partial(poisson, n) for n in range(1, 6)},
        "poisson of another seed": lambda: poisson(1, seed=8),
        "side by side": side_by_side,
        "too long at the end": lambda: seen(
            play(load("constant-vus", (5, 4), start=4, graceful_stop=1.0, env={"service": 3.2}))
        ),
        "finishing at the end": lambda: seen(
            play(load("constant-vus", (5, 4), start=4, graceful_stop=1.5, env={"service": 3.2}))
        ),
        "rps": lambda: seen(play(load("constant-vus", (10, 50), start=50, env={"service": 0.01}), rps=30.0, places=3)),
        "lost": lambda: seen(
            play(
                load("constant-vus", (6, 30), start=30, env={"think": 0.05}), looks=True, places=3, orders=[(3.0, lost)]
            )
        ),
        "lost rate": lambda: seen(play(load(arrive, (10, 20), **few), places=3, orders=[(4.99, lost)])),
        "edited": lambda: seen(
            play(
                load("constant-vus", (6, 4), start=4, env={"think": 0.05}),
                looks=True,
                places=2,
                orders=[(2.0, edit(15)), (4.0, edit(3))],
            )
        ),
        "edited rate": lambda: seen(
            play(load(arrive, (6, 10), **{**few, "start": 10}), places=2, orders=[(2.03, edit(40))])
        ),
        "edited before its begin": lambda: seen(
            play(
                load("constant-vus", (4, 2), start=2, name="first", env={"think": 0.5}),
                load("constant-vus", (4, 2), start=2, name="second", start_time=3.0, env={"think": 0.5}),
                orders=[(3.5, edit(1)), (4.5, edit(5))],
                looks=True,
            )
        ),
        "closed": lambda: seen(
            play(
                load("constant-vus", (60, 4), start=4, env={"service": 0.7, "think": 0.1}),
                load(arrive, (60, 20), **few, name="rate", env={"service": 0.7}),
                load("constant-vus", (60, 4), start=4, start_time=30.0, name="never"),
                orders=[(5.0, close)],
            )
        ),
        "slow to get ready": lambda: seen(play(load(arrive, (3, 20), **few, env={"getting_ready": 2, "service": 0.1}))),
        "nobody ready": lambda: seen(
            play(load(arrive, (6, 10), start=10, pre_allocated=0, max_vus=5, env={"getting_ready": 1, "service": 0.1}))
        ),
        "fails": lambda: seen(play(load("constant-vus", (3, 4), start=4, env={"raises": "no door"}))),
        "fails openly": lambda: seen(play(load(arrive, (3, 10), start=10, max_vus=5, env={"raises": "no door"}))),
        "no answer at the end": lambda: seen(
            play(
                load("constant-vus", (3, 1), start=1, env={"think": 1}),
                orders=[(2.5, lambda places: places[0].cell.recorder.sent())],
            )
        ),
        "a plain user among the lab's": lambda: seen(
            play(
                load("per-vu-iterations", (60, 1), start=1, iterations=4, name="lab", env={"service": 0.1}),
                load("per-vu-iterations", (60, 1), start=1, iterations=3, name="plain", user_class="Plain"),
            )
        ),
        "cannot be made": unmakeable,
        "thinking": lambda: seen(
            play(load("ramping-vus", (10, 20), (20, 20), (10, 0), env={"mean_service": 0.1, "mean_think": 0.4}))
        ),
        "nested": lambda: seen(play(load("constant-vus", (20, 5), start=5, user_class="Nested", env={"service": 0.1}))),
        "nested arrivals": lambda: seen(
            play(
                load(arrive, (10, 20), start=20, pre_allocated=4, max_vus=4, user_class="Nested", env={"service": 0.1})
            )
        ),
    }


if __name__ == "__main__":
    logging.disable()
    names = sys.argv[1:]
    sys.stdout.write(json.dumps({name: go() for name, go in _runs().items() if not names or name in names}))
