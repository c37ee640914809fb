"""The process that leads many load processes: `python -m lab.engine.master RUN_FOLDER --dataset FILE …`.

It starts workers on this machine, waits for those of others, gives each its share of the data, lets users come and go
by the scenario's curve, and adds what the workers report into one `ticks.jsonl` and one `ledger.jsonl`, as a process
that works alone would write them. SIGINT, SIGTERM and the end of its standard input mean what they mean there.

What it does it says on standard output, a line at a time.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import argparse
import logging
import os
import secrets
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gevent

from lab import dataset_file
from lab.engine import wire
from lab.engine.cell import Stops, go_first
from lab.engine.children import Children
from lab.engine.ending import Edited, Ending, heed, heed_parent
from lab.engine.leader import Leader, stand_in
from lab.engine.muster import Muster, wait_until
from lab.engine.roster import Roster
from lab.engine.watch import Watch
from lab.errors import LabError
from lab.model.crew import KEY_VARIABLE, Crew
from lab.store import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent import Greenlet
    from locust.rpc.protocol import Message

    from lab.model.dataset import Dataset
    from lab.model.run import Run

EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""Where a master that listens everywhere is found from its own machine."""
FINAL_S: Final = 8.0
"""Seconds for the last reports, after the time that users have to finish."""
log: Final = logging.getLogger("lab.engine")


class Master:
    """Leads one run."""

    def __init__(self, folder: RunFolder, dataset: Path, crew: Crew, say: Callable[[str], None]) -> None:
        self._folder, self._crew, self._say = folder, crew, say
        self._run: Run = folder.load()
        self._data: Dataset = dataset_file.load(dataset).select(self._run.scenario.data)
        self._stops = Stops()
        self._edited = Edited()
        self._users = Path(self._run.scenario.users_file)
        folder.ledger.touch()

    def run(self) -> Ending:
        """Run the load to its end.

        Raises:
            LabError: workers did not come, or could not do what the run asks for.
        """
        heed(self._stops)
        crew, scenario = self._crew, self._run.scenario
        # Nobody but this run's own processes may connect to a master that expects nobody else.
        key = crew.key or ("" if crew.expect else secrets.token_hex(16))
        wire.use_key(key)
        roster = Roster(crew.size, self._users, version("airbourne-lab"))
        environment = Environment(user_classes=[stand_in(name) for name in scenario.user_classes])
        leader = Leader(environment, (crew.bind, crew.port), lambda client, msg: self._hear(client, msg, muster, watch))
        environment.runner = leader
        with Children(crew.workers, self._folder, self._users) as children:
            muster = Muster(leader, roster, children, self._stops, self._say)
            watch = Watch(leader, roster, children, self._folder)
            helpers: list[Greenlet[..., None]] = [
                gevent.spawn(heed_parent, self._stops, {"edit": lambda number: self._edit(watch, number)}),
                gevent.spawn(watch.keep),
            ]
            helpers[1].link_exception(lambda _: self._stops.at_once())
            children.start(EVERYWHERE.get(crew.bind, crew.bind), leader.port, key)
            try:
                if muster.gather(crew, leader.port) and muster.hand_out(self._run, self._data):
                    ending = self._lead(watch)
                else:
                    ending = Ending("stopped")
            except LabError as error:
                watch.dismiss(f"the run did not begin: {error}")
                raise
            if failed := helpers[1].exception:
                ending = Ending("crashed", ending.traces, ending.findings, f"the master could not go on: {failed!r}")
            gevent.killall(helpers)
            watch.dismiss()
        return ending

    def _hear(self, client: str, msg: Message, muster: Muster, watch: Watch) -> None:
        if not watch.hear(client, msg):
            muster.hear(client, msg)

    def _lead(self, watch: Watch) -> Ending:
        """Let everybody work until all are done, the user stops it or nobody is left; then let all finish."""
        watch.begin()
        self._say(f"{self._crew.size} load processes are at work")
        scenario = self._run.scenario
        longest = scenario.duration + scenario.graceful_stop + FINAL_S
        wait_until(lambda: self._stops.soon.is_set() or watch.over or watch.elapsed > longest)
        if not watch.over:
            watch.drain()
            wait_until(lambda: watch.over or self._stops.now.is_set(), scenario.graceful_stop + FINAL_S)
            watch.send_all(wire.HALT)
            wait_until(lambda: watch.over, FINAL_S)
        watch.finish()
        findings = (*watch.findings(self._data), *self._edited.findings)
        if watch.nobody_left and not self._stops.asked:
            return Ending("crashed", watch.traces, findings, "every load process was gone before the end")
        return Ending("stopped" if self._stops.asked else "finished", watch.traces, findings)

    def _edit(self, watch: Watch, number: object) -> None:
        wanted = int(str(number))
        self._edited.note(watch.elapsed, wanted)
        watch.send_all(wire.EDIT, wanted)


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> int:
    """Lead one run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="lab.engine.master")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--expect", type=int, required=True)
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--bind", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    folder = RunFolder(options.folder)
    logging.basicConfig(
        filename=folder.engine_log, level=logging.WARNING, format="%(asctime)s master: %(levelname)s %(message)s"
    )
    go_first()
    key = os.environ.get(KEY_VARIABLE, "")
    crew = Crew(options.workers, options.expect, options.timeout, options.bind, options.port, key)
    try:
        end = Master(folder, options.dataset, crew, _say).run()
    except LabError as error:
        log.exception("the load could not be run")
        end = Ending(error=error)
    end.write(folder)
    return end.exit_code


if __name__ == "__main__":
    sys.exit(main())
