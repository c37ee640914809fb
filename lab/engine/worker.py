"""The load process that works alone: `python -m lab.engine.worker RUN_FOLDER --dataset FILE`.

It reads what to run from the folder's `run.json`, loads the user class, follows the stages, and appends a line a
second to `ticks.jsonl`. The first SIGINT lets users finish; the second, a SIGTERM, or the end of its standard input
(its parent is gone) stops at once. What it ended with stands in `engine.json`.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import argparse
import logging
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gevent

from lab import dataset_file
from lab.engine.cell import Cell, Share, Stops, go_first
from lab.engine.ending import Ending, heed, watch_parent
from lab.engine.shape import StagedRunner, StagesShape
from lab.errors import LabError
from lab.store import RunFolder

if TYPE_CHECKING:
    from typing import TextIO

    from gevent import Greenlet

    from lab.engine.cell import Traces
    from lab.model.run import Run

log: Final = logging.getLogger("lab.engine")


class Worker:
    """One load process: users, recorder, ledger and the file that the parent follows."""

    def __init__(self, run: Run, dataset: Path, files: tuple[TextIO, TextIO]) -> None:
        scenario = run.scenario
        self._scenario = scenario
        self._ticks, ledger = files
        self._stops = Stops()
        environment = Environment(shape_class=StagesShape(scenario, lambda: self._cell.recorder.elapsed))
        data = dataset_file.load(dataset).select(scenario.data)
        self._cell = Cell(environment, Share(run, data, Path(scenario.users_file)), ledger)
        self._runner = environment._create_runner(StagedRunner)  # noqa: SLF001 - the only way to a runner of one's own

    def run(self) -> str:
        """Run the load to its end.

        Returns:
            `finished`, or `stopped` when the user asked to stop.
        """
        heed(self._stops)
        helpers: list[Greenlet[..., None]] = [gevent.spawn(watch_parent, self._stops), gevent.spawn(self._cell.probe)]
        self._cell.recorder.start()
        helpers.append(gevent.spawn(self._cell.every_second, self._write))
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

    def traces(self) -> Traces:
        """Give what the user's own code raised."""
        return self._cell.take_traces()

    def _write(self, *, everything: bool = False) -> None:
        for tick in self._cell.ticks(self._runner, everything=everything):
            self._ticks.write(tick.to_json() + "\n")
        self._ticks.flush()
        self._cell.ledger.flush()


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
    go_first()
    end = Ending()
    try:
        with ExitStack() as files:
            opened = tuple(files.enter_context(p.open("a", encoding="utf-8")) for p in (folder.ticks, folder.ledger))
            worker = Worker(folder.load(), options.dataset, (opened[0], opened[1]))
            end = Ending(worker.run(), traces=worker.traces())
    except LabError as error:
        log.exception("the load could not be run")
        end = Ending(error=error)
    end.write(folder)
    return end.exit_code


if __name__ == "__main__":
    sys.exit(main())
