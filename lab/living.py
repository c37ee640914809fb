"""Whether a run goes on: it says so, and the process that looks after it is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.run import Status

if TYPE_CHECKING:
    from lab.model.run import Run

SAME_S: Final = 1.0
"""A process with this pid that was started at another time is another process."""


def going(run: Run) -> bool:
    """Tell whether a run goes on; one that says so and does not name its process is believed."""
    return run.status is Status.RUNNING and not gone(run)


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
