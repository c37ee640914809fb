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
from locust.runners import STATE_RUNNING

from lab import dataset_file
from lab.engine.cell import Cell, Share, Stops, go_first
from lab.engine.ending import Edited, Ending, heed, heed_parent
from lab.errors import LabError
from lab.store import RunFolder

if TYPE_CHECKING:
    from typing import TextIO

    from gevent import Greenlet

    from lab.model.run import Run

log: Final = logging.getLogger("lab.engine")


class Worker:
    """One load process: users, recorder, ledger and the file that the parent follows."""

    def __init__(self, run: Run, dataset: Path, files: tuple[TextIO, TextIO]) -> None:
        self._ticks, ledger = files
        self._stops = Stops()
        self._edited = Edited()
        environment = Environment()
        data = dataset_file.load(dataset).select(run.scenario.data)
        self._cell = Cell(environment, Share(run, data, Path(run.scenario.users_file)), ledger)
        self._runner = environment.create_local_runner()
        self._cell.record_alone()

    def run(self) -> Ending:
        """Run the load to its end."""
        heed(self._stops)
        cell = self._cell
        helpers: list[Greenlet[..., None]] = [
            gevent.spawn(heed_parent, self._stops, {"edit": self._edit}),
            gevent.spawn(cell.probe),
        ]
        self.environment_begun()
        cell.prepare()
        cell.start()
        helpers.append(gevent.spawn(cell.every_second, self._write))
        crowds = gevent.spawn(cell.follow)
        crowds.link(lambda _: self._stops.now.set())
        helpers.append(gevent.spawn(self._close_when_asked))
        self._stops.now.wait()
        failed = crowds.exception if crowds.ready() else None
        crowds.kill(block=True)
        cell.end(self._runner)
        gevent.killall(helpers)
        self._write(everything=True)
        if isinstance(failed, LabError):
            raise failed
        if failed:
            return Ending("crashed", cell.take_traces(), self._edited.findings, f"the load could not go on: {failed!r}")
        reason = "stopped" if self._stops.asked else "finished"
        return Ending(reason, cell.take_traces(), self._edited.findings)

    def environment_begun(self) -> None:
        """Fire what Locust's listeners await before the first user."""
        self._runner.environment.events.test_start.fire(environment=self._runner.environment)
        self._runner.update_state(STATE_RUNNING)

    def _close_when_asked(self) -> None:
        self._stops.soon.wait()
        self._cell.close()

    def _edit(self, number: object) -> None:
        wanted = int(str(number))
        self._edited.note(self._cell.recorder.elapsed, wanted)
        self._cell.edit(wanted)

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
            end = worker.run()
    except LabError as error:
        log.exception("the load could not be run")
        end = Ending(error=error)
    end.write(folder)
    return end.exit_code


if __name__ == "__main__":
    sys.exit(main())
