"""The load process: `python -m lab.engine.worker RUN_FOLDER --dataset FILE`.

It reads what to run from the folder's `run.json`, loads the user class, follows the stages, and appends a line a
second to `ticks.jsonl`. The first SIGINT lets users finish; the second, a SIGTERM, or the end of its standard input
(its parent is gone) stops at once. What it ended with stands in `engine.json`.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import argparse
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.event
import gevent.socket
import psutil

from lab import dataset_file
from lab.engine.client import Data, LabContext, LabUser
from lab.engine.ledger import Ledger
from lab.engine.listen import request_listener
from lab.engine.recorder import US, Recorder
from lab.engine.shape import StagedRunner, StagesShape
from lab.engine.userfile import count_iterations, load_user_class
from lab.errors import LabError
from lab.store import ENGINE_FILE, RunFolder

if TYPE_CHECKING:
    from typing import TextIO

    from lab.model.run import Run

PROBE: Final = 0.01
FIRST: Final = -10
"""The niceness of a load process where it may choose: what measures must not wait for what is measured."""
MIB: Final = 1024 * 1024
MAX_TRACES: Final = 20
log: Final = logging.getLogger("lab.engine")


@dataclass(slots=True)
class _Stops:
    """How often the user asked to stop."""

    asked: int = 0
    now: gevent.event.Event = field(default_factory=gevent.event.Event)
    soon: gevent.event.Event = field(default_factory=gevent.event.Event)

    def ask(self) -> None:
        self.asked += 1
        self.soon.set()
        if self.asked > 1:
            self.now.set()

    def at_once(self) -> None:
        self.asked = max(self.asked, 1)
        self.soon.set()
        self.now.set()


class Worker:
    """One load process: users, recorder, ledger and the file that the parent follows."""

    def __init__(self, run: Run, dataset: Path, files: tuple[TextIO, TextIO]) -> None:
        scenario = run.scenario
        self._scenario = scenario
        self._ticks, ledger_file = files
        self.recorder = Recorder(time.perf_counter, scenario.tags)
        self._ledger = Ledger(ledger_file)
        self._stops = _Stops()
        self._late: list[int] = []
        self._cpu = time.process_time()
        self._process = psutil.Process()
        self._traces: Counter[tuple[str, str]] = Counter()
        user_class = load_user_class(Path(scenario.users_file), scenario.user_class)
        user_class.host = run.target.gateway
        count_iterations(user_class, self.recorder)
        self._environment = Environment(
            user_classes=[user_class], shape_class=StagesShape(scenario, lambda: self.recorder.elapsed)
        )
        self._environment.lab = LabContext(  # type: ignore[attr-defined]  # LabUser takes it from here
            target=run.target,
            data=Data(dataset_file.load(dataset).select(scenario.data)),
            ledger=self._ledger,
            recorder=self.recorder,
            seed=run.seed,
            env=dict(scenario.env),
            numbers=count(),
        )
        self._environment.events.request.add_listener(
            request_listener(self.recorder, counts_sent=issubclass(user_class, LabUser))
        )
        self._environment.events.user_error.add_listener(self._on_user_error)
        self._runner = self._environment._create_runner(StagedRunner)  # noqa: SLF001 - the only way to a runner of one's own

    def run(self) -> str:
        """Run the load to its end.

        Returns:
            `finished`, or `stopped` when the user asked to stop.
        """
        gevent.signal_handler(signal.SIGINT, self._stops.ask)
        gevent.signal_handler(signal.SIGTERM, self._stops.at_once)
        helpers = [gevent.spawn(self._watch_parent), gevent.spawn(self._probe)]
        self.recorder.start()
        helpers.append(gevent.spawn(self._write_seconds))
        shape = self._runner.greenlet.spawn(self._runner.shape_worker)
        shape.link(lambda _: self._stops.soon.set())
        self._stops.soon.wait()
        shape.kill(block=True)
        drain = gevent.spawn(self._runner.drain, self._scenario.graceful_stop)
        drain.link(lambda _: self._stops.now.set())
        self._stops.now.wait()
        drain.kill(block=False)
        self._runner.user_greenlets.kill(block=True, timeout=1)
        gevent.killall(helpers)
        self._write(everything=True)
        return "stopped" if self._stops.asked else "finished"

    def traces(self) -> list[dict[str, Any]]:
        """Give what the user's own code raised: count, message, trace."""
        return [
            {"count": number, "message": message, "trace": trace}
            for (message, trace), number in self._traces.most_common(MAX_TRACES)
        ]

    def _on_user_error(self, exception: BaseException, tb: Any, **_: object) -> None:  # noqa: ANN401 - Locust's event
        trace = "".join(traceback.format_tb(tb)[-4:])
        self._traces[f"{type(exception).__name__}: {exception}"[:500], trace] += 1

    def _watch_parent(self) -> None:
        gevent.socket.wait_read(sys.stdin.fileno())  # nothing is ever written: it is readable at its end
        log.warning("the parent process is gone: stopping at once")
        self._stops.at_once()

    def _probe(self) -> None:
        # How late a 10 ms timer fires is how late every answer may have been noticed.
        while True:
            begin = time.perf_counter()
            gevent.sleep(PROBE)
            late = max(int((time.perf_counter() - begin - PROBE) * US), 0)
            self._late.append(late)
            self.recorder.trend("generator_lag", "10 ms probe", late)

    def _write_seconds(self) -> None:
        while True:
            elapsed = self.recorder.elapsed
            gevent.sleep(max(int(elapsed) + 1 - elapsed, 0.001))
            self._write()

    def _write(self, *, everything: bool = False) -> None:
        late, self._late = sorted(self._late), []
        before, self._cpu = self._cpu, time.process_time()
        gauges = {
            "vus": float(self._runner.user_count),
            "vus_target": float(self._runner.target_user_count),
            "in_flight": float(self.recorder.in_flight),
            "unfinished": float(self.recorder.unfinished),
            "generator_cpu": self._cpu - before,
            "generator_lag_p99": late[int(len(late) * 0.99)] / 1000 if late else 0.0,
            "generator_memory": self._process.memory_info().rss / MIB,
        }
        for tick in self.recorder.close(gauges, everything=everything):
            self._ticks.write(tick.to_json() + "\n")
        self._ticks.flush()
        self._ledger.flush()


def _go_first() -> None:
    """Let this process run before all others, where that is allowed: elsewhere the stack's services stand back.

    Linux may schedule by session (autogroup), where a process's own niceness counts inside its session alone.
    """
    with suppress(OSError):
        os.nice(FIRST)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(FIRST), encoding="ascii")


def main() -> int:
    """Run one load process; returns its exit code."""
    parser = argparse.ArgumentParser(prog="lab.engine.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", type=Path, required=True)
    options = parser.parse_args()
    folder = RunFolder(options.folder)
    logging.basicConfig(
        filename=folder.engine_log, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    _go_first()
    end: dict[str, Any] = {"reason": "crashed", "error": None, "exit_code": 1, "traces": []}
    try:
        with ExitStack() as files:
            opened = tuple(files.enter_context(p.open("a", encoding="utf-8")) for p in (folder.ticks, folder.ledger))
            worker = Worker(folder.load(), options.dataset, (opened[0], opened[1]))
            end.update(reason=worker.run(), exit_code=0, traces=worker.traces())
    except LabError as error:
        log.exception("the load could not be run")
        end.update(error=str(error), exit_code=error.exit_code)
    (folder.path / ENGINE_FILE).write_text(json.dumps(end, indent=1) + "\n", encoding="utf-8")
    return int(end["exit_code"])


if __name__ == "__main__":
    sys.exit(main())
