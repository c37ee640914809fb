"""What is known of a run that nobody summed up: its figures so far, from its live log, and whether it still goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab import store
from lab.model.run import Status, Totals
from lab.model.sample import Tally

if TYPE_CHECKING:
    from lab.model.run import Run
    from lab.store import RunFolder

SAME_S: Final = 1.0
"""A process with this pid that was started at another time is another process."""


def gone(run: Run) -> bool:
    """Tell whether a run says that it goes on, and the process that looked after it is no more."""
    if run.status is not Status.RUNNING or not run.pid:
        return False
    import psutil  # noqa: PLC0415 - only for runs that did not end

    try:
        process = psutil.Process(run.pid)
        same = abs(process.create_time() - run.pid_started) <= SAME_S
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:  # another user's process: it is there, and more cannot be seen
        return False


def tally(folder: RunFolder, run: Run) -> Tally | None:
    """Sum the live log of a run that has no totals of its own; None when it has, or when there is no log.

    Raises:
        RunError: a line of the log is no tick.
    """
    if run.verdict is not None or run.totals != Totals() or not folder.ticks.exists():
        return None
    found = Tally()
    for tick in store.read_ticks(folder.ticks):
        found.add(tick)
    return found


def totals(run: Run, found: Tally | None) -> Totals | None:
    """Give a run's totals: its own, else those of its log; None when nothing is known."""
    if found is None:
        return run.totals if run.verdict is not None or run.totals != Totals() else None
    return Totals.of(found)
