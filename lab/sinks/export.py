"""A run's points from its folder: to InfluxDB later, or into a file. Sending them twice changes nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from lab import samples_file, surroundings
from lab.errors import SinkError
from lab.model.run import SinkSummary, Status
from lab.sinks import points, spool
from lab.sinks.server import NotWrittenError, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.model.run import Run
    from lab.sinks.config import InfluxConfig
    from lab.store import RunFolder

MOST_LINES: Final = 5000
ANSWER_S: Final = 30.0
SAME_S: Final = 1.0


def export(folder: RunFolder, config: InfluxConfig, on_progress: Callable[[int], None]) -> SinkSummary:
    """Send all points of a run, and forget that some were not sent before.

    Args:
        folder: the run's folder; a run that goes on is sent as far as it is recorded.
        config: the server.
        on_progress: hears how many points have arrived.

    Raises:
        RunError: the folder cannot be read.
        SinkError: the server did not take them all; says how many it took, and why not the others.
    """
    run = folder.load()
    lines, sent = export_lines(folder), 0
    with Server(config, ANSWER_S) as server:
        while batch := list(islice(lines, MOST_LINES)):
            try:
                server.write(batch)
            except NotWrittenError as error:
                raise SinkError(
                    f"InfluxDB at {config.url}: {sent:,} points of {run.id} were sent, then: {error}; "
                    "when it is mended, export the run again: what arrived twice counts once"
                ) from None
            sent += len(batch)
            on_progress(sent)
    done = SinkSummary(config.url, sent, org=config.org, bucket=config.bucket)
    if not _goes_on(run):
        folder.spool.unlink(missing_ok=True)
        folder.save(replace(run, sink=done))
    return done


def export_lines(folder: RunFolder) -> Iterator[str]:
    """Give all points of a run as line protocol, with times in ns: made from its samples, and what else was spooled.

    Raises:
        RunError: the folder cannot be read.
    """
    run = folder.load()
    spooled = {_identity(line): line for line in spool.read(folder.spool)}
    for line in points.lines(run, samples_file.ticks(folder), over=not _goes_on(run)):
        spooled.pop(_identity(line), None)
        yield line
    yield from spooled.values()


def _identity(line: str) -> tuple[str, str]:
    """Give what makes two lines the same point: the series (no blank is in it but escaped ones), and the time."""
    end = line.find(" ")
    while line[end - 1] == "\\":
        end = line.find(" ", end + 1)
    return line[:end], line.rpartition(" ")[2]


def _goes_on(run: Run) -> bool:
    """Tell whether the process that looks after the run still does."""
    if run.status is not Status.RUNNING:
        return False
    return abs(surroundings.started(run.pid) - run.pid_started) <= SAME_S
