"""What every load process is made of, led by a master or not: users' environment, recorder, ledger, probe, gauges."""

from __future__ import annotations

from lab.engine.client import Data, LabContext, LabUser  # isort: skip - first: Locust patches the interpreter

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

from lab.engine.ledger import Ledger
from lab.engine.listen import request_listener
from lab.engine.recorder import US, Recorder
from lab.engine.userfile import count_iterations, load_user_class
from lab.model.dataset import Dataset
from lab.model.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment
    from locust.runners import Runner

    from lab.engine.rows import Lines
    from lab.model.sample import Tick

PROBE: Final = 0.01
FIRST: Final = -10
"""The niceness of a load process where it may choose: what measures must not wait for what is measured."""
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
        """Load the user class and make it known to the environment.

        Raises:
            ScenarioError, ScriptError: the users file, or the class in it, cannot be used.
        """
        run, load = share.run, share.run.scenario.loads[0]
        self.environment = environment
        # Locust's own choices, such as which task comes next; a user's are made by its own source.
        random.seed(f"{run.seed}/{share.place}/{share.among}")
        self.recorder = Recorder(time.perf_counter, load.tags)
        self.ledger = Ledger(ledger)
        self._late: list[int] = []
        self._cpu = time.process_time()
        self._process = psutil.Process()
        self._traces: Traces = Counter()
        user_class = load_user_class(share.users, load.user_class)
        user_class.host = run.target.gateway
        count_iterations(user_class, self.recorder)
        environment.user_classes = [user_class]
        environment.lab = LabContext(  # type: ignore[attr-defined]  # LabUser takes it from here
            target=run.target,
            data=Data(share.dataset),
            ledger=self.ledger,
            recorder=self.recorder,
            seed=run.seed,
            env=dict(load.env),
            # Counted over all processes: no two users of a run are alike.
            numbers=count(share.place, share.among),
        )
        environment.events.request.add_listener(
            request_listener(self.recorder, counts_sent=issubclass(user_class, LabUser))
        )
        environment.events.user_error.add_listener(self._on_user_error)

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
            "vus_target": float(runner.target_user_count),
            "in_flight": float(self.recorder.in_flight),
            "unfinished": float(self.recorder.unfinished),
            "generator_cpu": self._cpu - before,
            "generator_lag_p99": late[int(len(late) * 0.99)] / 1000 if late else 0.0,
            "generator_memory": self._process.memory_info().rss / MIB,
        }
        return self.recorder.close(gauges, everything=everything)

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
