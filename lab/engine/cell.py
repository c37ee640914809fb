"""What every load process is made of, led by a master or not: users' environment, recorder, ledger, probe, gauges."""

from __future__ import annotations

from lab.engine.client import Data, LabContext  # isort: skip - first: Locust patches the interpreter

import os
import random
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.event
import psutil

from lab.engine.crowd import Role
from lab.engine.crowds import crowd_of
from lab.engine.equipped import Equipped
from lab.engine.ledger import Ledger
from lab.engine.listen import request_listener
from lab.engine.loaded import dressed
from lab.engine.pace import Pace
from lab.engine.recorder import US, Recorder
from lab.engine.userfile import load_user_classes
from lab.errors import ScenarioError
from lab.model.dataset import Dataset
from lab.model.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust import User
    from locust.env import Environment
    from locust.runners import Runner

    from lab.engine.crowd import Crowd
    from lab.engine.rows import Lines
    from lab.model.sample import Tick

INTERVAL: Final = 0.1
"""Seconds between two looks at how many users there should be."""
READY_S: Final = 10.0
PROBE: Final = 0.01
FIRST: Final = -10
"""The niceness of a load process where it may choose: what measures must not wait for what is measured."""
LOCUSTS: Final = "locust.runners"
"""Where Locust's own listener to requests is from."""
MIB: Final = 1024 * 1024
MAX_TRACES: Final = 20

Traces = Counter[tuple[str, str]]
"""How often the user's own code raised, by message and trace."""


@dataclass(slots=True)
class Stops:
    """How often the user asked to stop: once, so that users finish, or more, at once."""

    asked: int = 0
    now: gevent.event.Event = field(default_factory=gevent.event.Event)
    soon: gevent.event.Event = field(default_factory=gevent.event.Event)

    def ask(self) -> None:
        """Ask once more."""
        self.asked += 1
        self.soon.set()
        if self.asked > 1:
            self.now.set()

    def at_once(self) -> None:
        """Ask to stop at once."""
        self.asked = max(self.asked, 1)
        self.soon.set()
        self.now.set()


@dataclass(frozen=True, slots=True)
class Share:
    """What one load process is to do: which run, with which data, and its place among how many processes.

    `users` is the file that the user class is loaded from.
    """

    run: Run
    dataset: Dataset
    users: Path
    place: int = 0
    among: int = 1


class Cell:
    """The users of one load process, and what records them."""

    def __init__(self, environment: Environment, share: Share, ledger: Lines) -> None:
        """Load the user classes and make the crowds; `environment` gets its runner later.

        Raises:
            ScenarioError, ScriptError: the users file, or a class in it, cannot be used.
        """
        run, scenario = share.run, share.run.scenario
        self.environment = environment
        # Locust's own choices, such as which task comes next; a user's are made by its own source.
        random.seed(f"{run.seed}/{share.place}/{share.among}")
        self.recorder = Recorder(time.perf_counter, None if scenario.auto_warmup else round(scenario.warmup))
        self.ledger = Ledger(ledger)
        self._late: list[int] = []
        self._cpu = time.process_time()
        self._process = psutil.Process()
        self._traces: Traces = Counter()
        self._role = Role(share.place, share.among)
        self._rps = scenario.rps
        self._pace = Pace(scenario.rps / share.among) if scenario.rps else None
        classes = load_user_classes(share.users, scenario.user_classes)
        self._crowds = [
            crowd_of(load, self.recorder, self._role, str(run.seed), shift) for shift, load in enumerate(scenario.loads)
        ]
        made = [self._dress(crowd, classes[crowd.load.user_class], run.target.gateway) for crowd in self._crowds]
        environment.user_classes = made
        environment.lab = LabContext(  # type: ignore[attr-defined]  # LabUser takes it from here
            target=run.target,
            data=Data(share.dataset),
            ledger=self.ledger,
            recorder=self.recorder,
            seed=run.seed,
            # Counted over all processes: no two users of a run are alike.
            numbers=count(share.place, share.among),
            pace=self._pace,
        )
        counts_sent = any(issubclass(user_class, Equipped) for user_class in made)
        environment.events.request.add_listener(request_listener(self.recorder, counts_sent=counts_sent))
        environment.events.user_error.add_listener(self._on_user_error)

    def prepare(self) -> None:
        """Let those users come who are to be there when second 0 begins, and wait until they are ready."""
        waited = 0.0
        for crowd in self._crowds:
            if crowd.load.start_time == 0:
                crowd.prepare()
        while not all(crowd.prepared for crowd in self._crowds) and waited < READY_S:
            gevent.sleep(INTERVAL)
            waited += INTERVAL

    def record_alone(self) -> None:
        """Let Locust keep no statistics beside the lab's: nobody reads them, and they cost as much as the lab's own.

        A user class that is not of the lab's may read them, and keeps them.
        """
        if all(issubclass(made, Equipped) for made in self.environment.user_classes):
            handlers = self.environment.events.request._handlers  # noqa: SLF001 - Locust has no other way
            handlers[:] = [handler for handler in handlers if handler.__module__ != LOCUSTS]

    def start(self, at: float | None = None) -> None:
        """Let second 0 begin; see `Recorder.start`."""
        self.recorder.start(at)
        for crowd in self._crowds:
            crowd.settle()

    def follow(self) -> None:
        """Let users come and go until all loads are over."""
        while not all(crowd.over for crowd in self._crowds):
            elapsed = self.recorder.elapsed
            for crowd in self._crowds:
                crowd.step(elapsed)
            # On the beat of the run's own clock: looks that drift would let users begin after the end.
            gevent.sleep(max(INTERVAL - self.recorder.elapsed % INTERVAL, PROBE))

    def close(self) -> None:
        """Let all loads end now: users finish what they began."""
        for crowd in self._crowds:
            crowd.close(self.recorder.elapsed)

    def end(self, runner: Runner) -> None:
        """Let nobody be left."""
        runner.user_greenlets.kill(block=True, timeout=1)
        for crowd in self._crowds:
            crowd.settle()
        self.environment.events.test_stop.fire(environment=self.environment)

    def assign(self, place: int, among: int) -> None:
        """Take another part of the load, since processes were lost."""
        self._role.place, self._role.among = place, among
        if self._pace is not None:
            self._pace.a_second = self._rps / among

    def edit(self, number: int) -> None:
        """Hold so many (users, or arrivals per time unit) from now on, in the first load under way that can."""
        now = self.recorder.elapsed
        under_way = (crowd for crowd in self._crowds if crowd.load.start_time <= now < crowd.load.end)
        crowd = next((crowd for crowd in under_way if not crowd.load.bounded), None)
        if crowd is not None:
            crowd.edit(now, number)

    def take_traces(self) -> Traces:
        """Give what the user's own code raised since the last call."""
        taken, self._traces = self._traces, Counter()
        return taken

    def probe(self) -> None:
        """Look for ever how late a 10 ms timer fires: so late may every answer have been noticed."""
        while True:
            begin = time.perf_counter()
            gevent.sleep(PROBE)
            late = max(int((time.perf_counter() - begin - PROBE) * US), 0)
            self._late.append(late)
            self.recorder.trend("generator_lag", "10 ms probe", late)

    def every_second(self, write: Callable[[], None]) -> None:
        """Call `write` for ever, whenever a second of the run is over."""
        while True:
            elapsed = self.recorder.elapsed
            gevent.sleep(max(int(elapsed) + 1 - elapsed, 0.001))
            write()

    def ticks(self, runner: Runner, *, everything: bool = False) -> list[Tick]:
        """Give the seconds that are over, or all, with what this process measured of itself."""
        late, self._late = sorted(self._late), []
        before, self._cpu = self._cpu, time.process_time()
        gauges = {
            "vus": float(runner.user_count),
            "vus_target": float(sum(crowd.wanted for crowd in self._crowds)),
            "in_flight": float(self.recorder.in_flight),
            # What is on its way when the last second is given has a user who cannot be made to go.
            "unfinished": float(self.recorder.unfinished + (self.recorder.in_flight if everything else 0)),
            "generator_cpu": self._cpu - before,
            "generator_lag_p99": late[int(len(late) * 0.99)] / 1000 if late else 0.0,
            "generator_memory": self._process.memory_info().rss / MIB,
        }
        if any(crowd.load.open for crowd in self._crowds):
            gauges["rate_target"] = sum(crowd.load.rate_at(self.recorder.elapsed) for crowd in self._crowds) / max(
                self._role.among, 1
            )
        return self.recorder.close(gauges, everything=everything)

    def _dress(self, crowd: Crowd, user_class: type[User], host: str) -> type[User]:
        if self._rps and not hasattr(user_class, "check"):
            raise ScenarioError(
                f"rps needs user classes of the lab's (LabUser or LeanUser), and {user_class.__name__} is none"
            )
        made = dressed(user_class, crowd.load, crowd.turn, self.recorder, host)
        crowd.bind(self.environment, made)
        return made

    def _on_user_error(self, exception: BaseException, tb: Any, **_: object) -> None:  # noqa: ANN401 - Locust's event
        trace = "".join(traceback.format_tb(tb)[-4:])
        self._traces[f"{type(exception).__name__}: {exception}"[:500], trace] += 1


def listed(traces: Traces) -> list[dict[str, Any]]:
    """Give the most frequent traces as `engine.json` holds them: count, message, trace."""
    return [
        {"count": number, "message": message, "trace": trace}
        for (message, trace), number in traces.most_common(MAX_TRACES)
    ]


def go_first() -> None:
    """Let this process run before all others, where that is allowed: elsewhere the stack's services stand back.

    Linux may schedule by session (autogroup), where a process's own niceness counts inside its session alone.
    """
    with suppress(OSError):
        os.nice(FIRST - os.nice(0))
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(FIRST), encoding="ascii")
