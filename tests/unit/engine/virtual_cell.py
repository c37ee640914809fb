"""Plays runs on the virtual clock: the real cells of one or more load processes, side by side in this one."""

from __future__ import annotations

from tests.unit.engine.virtual import CLOCK  # isort: skip - first: it replaces the clock and the event loop
from lab.engine.cell import Cell, Share  # isort: skip - next: Locust patches the interpreter

import io
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
from locust.env import Environment
from locust.runners import STATE_RUNNING, Runner

from lab.model.dataset import Dataset, SeedPlan
from lab.model.run import Machine, Run
from lab.model.sample import Tally
from lab.model.scenario import Scenario
from lab.model.target import Target
from tests.unit.engine.virtual_server import WORLD, Wide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gevent import Greenlet

    from lab.engine.crowd import Crowd
    from lab.model.load import Load
    from tests.unit.engine.virtual_server import Server

USERS = Path(__file__).with_name("virtual_users.py")
LOOK = 0.05


@dataclass(slots=True)
class Place:
    """One load process."""

    cell: Cell
    runner: Runner
    work: Any = None

    @property
    def crowds(self) -> list[Crowd]:
        """Give the crowds of its loads."""
        return self.cell._crowds  # noqa: SLF001 - what is looked at

    def lose(self) -> None:
        """Let it be gone from one moment to the next."""
        self.work.kill(block=False)
        self.runner.user_greenlets.kill(block=False)
        for crowd in self.crowds:
            keeper = getattr(crowd, "_keeper", None)
            if keeper is not None:
                keeper.kill(block=False)


@dataclass(slots=True)
class Played:
    """What came of a run. `seen` is, every 50 ms: the second of the run, users wanted, users that are there."""

    places: list[Place]
    tally: Tally
    seconds: float
    begun: list[tuple[float, str, str]]
    sent: list[float]
    left: list[float]
    seen: list[tuple[float, int, int]] = field(default_factory=list)


def play(
    *loads: Load,
    server: Callable[[], Server] = Wide,
    rps: float = 0.0,
    places: int = 1,
    seed: int = 1,
    orders: Sequence[tuple[float, Callable[[list[Place]], None]]] = (),
    looks: bool = False,
) -> Played:
    """Play a run to its end.

    Args:
        loads: what to run.
        server: makes what the users call, when second 0 begins.
        rps: as the scenario's.
        places: load processes.
        seed: the run's.
        orders: what somebody does to the load processes, and in which second.
        looks: whether to look every 50 ms how many users there are.
    """
    scenario = Scenario("virtual", loads, rps=rps)
    run = Run("virtual", scenario, Target("http://127.0.0.1"), seed, "", Machine("", "", 1, 1.0, "", ""), {})
    made = [_place(Share(run, Dataset("", SeedPlan()), USERS, number, places)) for number in range(places)]
    tally = Tally()
    assert perf_counter() == CLOCK.now, "the clock is the machine's"
    WORLD.enter(Wide())
    gevent.joinall([gevent.spawn(place.cell.prepare) for place in made], raise_error=True)
    WORLD.enter(server())
    found = Played(made, tally, 0.0, WORLD.begun, WORLD.sent, WORLD.left)
    helpers: list[Greenlet[..., None]] = [gevent.spawn_later(at, order, made) for at, order in orders]
    for place in made:
        place.cell.start()
        place.work = gevent.spawn(place.cell.follow)
        helpers.append(gevent.spawn(place.cell.every_second, partial(_note, place, tally)))
    if looks:
        helpers.append(gevent.spawn(_look_on, found))
    gevent.joinall([place.work for place in made], raise_error=True)
    found.seconds = WORLD.elapsed
    gevent.killall(helpers)
    if looks:
        _look(found)
    for place in made:
        place.cell.end(place.runner)
        _note(place, tally, everything=True)
    return found


def _place(share: Share) -> Place:
    environment = Environment()
    cell = Cell(environment, share, io.StringIO())
    runner = environment.create_local_runner()
    runner.update_state(STATE_RUNNING)
    return Place(cell, runner)


def _note(place: Place, tally: Tally, *, everything: bool = False) -> None:
    for tick in place.cell.ticks(place.runner, everything=everything):
        tally.add(tick)


def _look_on(found: Played) -> None:
    while True:
        _look(found)
        gevent.sleep(LOOK)


def _look(found: Played) -> None:
    wanted = sum(crowd.wanted for place in found.places if not place.work.dead for crowd in place.crowds)
    there = sum(place.runner.user_count for place in found.places)
    found.seen.append((WORLD.elapsed, wanted, there))
