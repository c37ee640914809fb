"""Processes: who one is, whether it still lives, what it uses, and the end of a whole group."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from lab.stack.state import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable

_NICENESS: Final = 5
_SAME_SECONDS: Final = 2.0
"""A clock that is set while a process lives moves its time of creation; a pid does not come round that fast."""


def identify(pid: int) -> Identity:
    """Give a process's identity; one that has already gone is identified by its pid alone."""
    try:
        return Identity(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return Identity(pid, 0.0)


def living(process: Identity) -> psutil.Process | None:
    """Give the process if it is still the one that was meant, and no zombie."""
    with suppress(psutil.Error):
        found = psutil.Process(process.pid)
        if abs(found.create_time() - process.created) < _SAME_SECONDS and found.status() != psutil.STATUS_ZOMBIE:
            return found
    return None


def family(process: psutil.Process) -> list[psutil.Process]:
    """Give a process with its descendants: a WSGI server's workers belong to its service."""
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return [process]


def memory(processes: Iterable[psutil.Process]) -> float:
    """Give the resident memory of processes in MB; shared pages are counted for each."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total / 1e6


def end(process: Identity, grace: float) -> None:
    """Ask a process to end, and kill it when it has not within `grace` seconds."""
    found = living(process)
    if found is None:
        return
    with suppress(psutil.Error):
        found.terminate()
        try:
            found.wait(grace)
        except psutil.TimeoutExpired:
            found.kill()
            with suppress(psutil.TimeoutExpired):
                found.wait(grace)


def kill_group(process: Identity) -> None:
    """Kill a started part with its workers, if it is still the one that was meant."""
    if living(process) is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_gone(processes: Iterable[Identity], timeout: float) -> list[Identity]:
    """Wait until processes have gone; gives those that have not."""
    found = {handle: process for process in processes if (handle := living(process)) is not None}
    _, alive = psutil.wait_procs(list(found), timeout=timeout)
    return [found[handle] for handle in alive if living(found[handle]) is not None]


def yield_to_load(groups: Iterable[int]) -> None:
    """Make this process and the given process groups wait for the load generator when both want the same core.

    The generator's time stamps are the measurement: late ones would be booked as the platform's latency. Raised only,
    never lowered, and only once all is ready: a start on a busy machine needs its share. Linux may group processes by
    session for scheduling (autogroup), and niceness then counts inside the group alone; the group, which the
    supervisor's own session has to itself, gets the same niceness.
    """
    for kind, who in [(os.PRIO_PROCESS, 0), *((os.PRIO_PGRP, group) for group in groups)]:
        with suppress(ProcessLookupError, PermissionError):
            os.setpriority(kind, who, max(_NICENESS, os.getpriority(kind, who)))
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICENESS), encoding="ascii")
