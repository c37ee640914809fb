"""A load process that a master leads: `python -m lab.engine.remote --master HOST PORT --users-file FILE`.

It says hello, is given the run and its share of the data, and lets users come and go as the master says; every second
it reports what it recorded. On the master's machine it writes the run's ledger itself (`--ledger`), elsewhere it sends
the rows. SIGINT lets its users finish, a second one, a SIGTERM, or the end of its standard input stops at once, and so
does a master that is gone. It loads the users file that it was started with, and no other code.

What it does it says on standard output, a line of JSON at a time: `{"said": …}`, and last how it ended.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import argparse
import json
import logging
import os
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.event

from lab import dataset_file, store, targets
from lab.engine import wire
from lab.engine.cell import Cell, Share, Stops, go_first
from lab.engine.ending import heed, heed_parent
from lab.engine.follower import Follower
from lab.engine.roster import Hello, digest
from lab.engine.rows import Appended, Sent
from lab.errors import LabError, RunError, ScenarioError
from lab.model.crew import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent import Greenlet

    from lab.engine.rows import Lines

LOOK: Final = 0.5
LAST_WORD_S: Final = 10.0
"""Seconds to wait for the master to say that it has everything."""
log: Final = logging.getLogger("lab.engine")


class Remote:
    """One load process under a master."""

    def __init__(self, options: argparse.Namespace, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._stops = Stops()
        self._cell: Cell | None = None
        self._last = False
        self._zero = 0.0
        self._plan: dict[str, Any] = {}
        self._planned = gevent.event.Event()
        self._begun = gevent.event.Event()
        self._thanked = gevent.event.Event()

    def run(self) -> None:
        """Work for one run.

        Raises:
            LabError: the master cannot be reached or went away, or what it asks for cannot be done here.
        """
        heed(self._stops)
        helpers: list[Greenlet[..., None]] = [gevent.spawn(heed_parent, self._stops, {})]
        runner = self._connect()
        self._say(f"Connected to the master at {runner.place}; waiting for the run to begin")
        if not self._wait(runner, self._planned):
            return
        try:
            self._cell = self._make(runner)
        except LabError as error:
            runner.send_message(wire.FAILED, {"sentence": str(error), "exit_code": error.exit_code})
            self._thanked.wait(LAST_WORD_S)
            raise
        self._cell.record_alone()
        self._cell.prepare()
        runner.send_message(wire.READY)
        if not self._wait(runner, self._begun):
            return
        self._say(f"The run has begun: this is {self._plan['name']}")
        self._cell.start(self._zero)
        runner.begun()
        helpers += [gevent.spawn(self._cell.probe), gevent.spawn(self._cell.every_second, runner.report)]
        self._work(runner, self._cell)
        gevent.killall(helpers)
        self._last = True
        runner.report()
        if not self._thanked.wait(LAST_WORD_S):
            raise RunError(f"the master at {runner.place} did not say that it has everything")
        self._say("The run is over")

    def _connect(self) -> Follower:
        options = self._options
        wire.use_key(os.environ.get(KEY_VARIABLE, ""))
        environment = Environment()
        hello = Hello(version("airbourne-lab"), socket.gethostname(), digest(options.users_file), options.child)
        master = options.master[0], int(options.master[1])
        orders: dict[str, Callable[[Any], None]] = {
            wire.PLAN: self._on_plan,
            wire.BEGIN: self._on_begin,
            wire.CLOCK: self._on_clock,
            wire.PART: self._on_part,
            wire.EDIT: self._on_edit,
            wire.DRAIN: lambda _: self._stops.soon.set(),
            wire.HALT: self._on_halt,
            wire.BYE: lambda _: self._thanked.set(),
        }
        runner = Follower(environment, master, hello.to_wire(), options.wait, self._stops.soon.is_set, orders)
        environment.events.report_to_master.add_listener(self._on_report)
        environment.runner = runner
        return runner

    def _wait(self, runner: Follower, event: gevent.event.Event) -> bool:
        """Wait for the master; tells whether to go on."""
        while not event.wait(0.1):
            if runner.refused:
                raise RunError(f"the master at {runner.place} let this worker go: {runner.refused}")
            if runner.master_gone:
                raise RunError(f"the master at {runner.place} is gone, before the run began")
            if self._stops.soon.is_set() or self._thanked.is_set():
                return False
        return True

    def _make(self, runner: Follower) -> Cell:
        plan, options = self._plan, self._options
        run = store.parse(plan["run"].encode(), "the master's plan")
        users: Path = options.users_file
        if not users.is_file():
            raise ScenarioError(f"there is no users file {users}; name it with --users-file")
        if options.child is None:
            # The master's own children load what their parent has looked at already.
            targets.require_private(run.target, allow_public=options.allow_public)
            targets.require_answering(run.target)
        data = dataset_file.parse(plan["dataset"], "from the master")
        rows: Lines = (
            Appended(options.ledger) if options.ledger else Sent(lambda text: runner.send_message(wire.LEDGER, text))  # type: ignore[arg-type]  # Locust's messages hold any value
        )
        return Cell(runner.environment, Share(run, data, users, plan["place"], plan["among"]), rows)

    def _work(self, runner: Follower, cell: Cell) -> None:
        """Let users work until the loads are over, or they are asked to leave and have left."""
        crowds = gevent.spawn(cell.follow)
        crowds.link(lambda _: self._stops.now.set())
        while not self._stops.soon.wait(LOOK) and not self._stops.now.is_set():
            if runner.master_gone:
                self._stops.at_once()
        cell.close()
        self._stops.now.wait()
        failed = crowds.exception if crowds.ready() else None
        crowds.kill(block=True)
        cell.end(runner)
        if isinstance(failed, LabError):
            raise failed
        if failed:
            raise RunError(f"the load could not go on: {failed!r}") from failed

    def _on_plan(self, data: Any) -> None:  # noqa: ANN401 - JSON
        self._plan = json.loads(data)
        self._planned.set()

    def _on_begin(self, zero: float) -> None:
        self._zero = float(zero)
        self._begun.set()

    def _on_clock(self, zero: float) -> None:
        if self._cell:
            self._cell.recorder.align(float(zero))

    def _on_part(self, part: Any) -> None:  # noqa: ANN401 - plain values
        if self._cell:
            self._cell.assign(int(part["place"]), int(part["among"]))

    def _on_edit(self, number: int) -> None:
        if self._cell:
            self._cell.edit(int(number))

    def _on_halt(self, _: object) -> None:
        # As `at_once`, but nobody on this machine asked for it.
        self._stops.soon.set()
        self._stops.now.set()

    def _on_report(self, data: dict[str, Any], **_: object) -> None:
        cell = self._cell
        runner = cell.environment.runner if cell else None
        if cell is None or runner is None:
            return
        cell.ledger.flush()
        said = {
            "ticks": [tick.to_json() for tick in cell.ticks(runner, everything=self._last)],
            "traces": [[*trace, number] for trace, number in cell.take_traces().items()],
            "last": self._last,
            "asked": self._stops.asked,
        }
        # JSON keeps half a surrogate pair in somebody's message, which Locust's own format would not take.
        data[wire.REPORT] = json.dumps(said, separators=(",", ":"))


def _say(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run one load process; returns its exit code."""
    parser = argparse.ArgumentParser(prog="lab.engine.remote")
    parser.add_argument("--master", nargs=2, required=True, metavar=("HOST", "PORT"))
    parser.add_argument("--users-file", type=Path, required=True)
    parser.add_argument("--wait", type=float, default=60.0)
    parser.add_argument("--allow-public", action="store_true")
    parser.add_argument("--child", type=int)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    who = "" if options.child is None else f" worker {options.child + 1}:"
    logging.basicConfig(
        filename=options.log, level=logging.WARNING, format=f"%(asctime)s{who} %(levelname)s %(name)s %(message)s"
    )
    go_first()
    try:
        Remote(options, lambda words: _say({"said": words})).run()
    except LabError as error:
        if options.child is not None:
            log.warning("%s", error)
        _say({"error": str(error), "exit_code": error.exit_code})
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
