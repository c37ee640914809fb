"""A worker on this machine for a master on another: start its load process, pass on what it says, stop it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.errors import RunError, StoppedError
from lab.load import failure, stops_held

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.runner import Interrupts

POLL_S: Final = 0.1
KILL_AFTER_S: Final = 15.0
"""Seconds to end in, once it was asked to stop at once."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where to work and with what: the master's host and port, the users file, seconds to wait for the master."""

    host: str
    port: int
    users: Path
    wait: float = 60.0
    allow_public: bool = False


def work(post: Post, say: Callable[[str], None], interrupts: Interrupts) -> None:
    """Work for one run, to its end. The key, if there is one, is taken from the environment.

    Args:
        post: where.
        say: hears what happens, a sentence at a time.
        interrupts: how often the user asked to stop.

    Raises:
        LabError: the master is not there, refused this worker, went away, or asks for what cannot be done here.
        StoppedError: the user asked to stop.
    """
    # Its own session, as for a load process of a run: Ctrl-C reaches the lab, which asks in good order.
    with stops_held():
        process = subprocess.Popen(  # noqa: S603 - the lab's own module, no shell
            [
                *(sys.executable, "-m", "lab.engine.remote", "--master", post.host, str(post.port)),
                *("--users-file", str(post.users), "--wait", str(post.wait)),
                *(["--allow-public"] if post.allow_public else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    with process:
        try:
            last = _follow(process, say, interrupts)
        finally:
            process.kill()  # does nothing to one that has ended
    if interrupts.count:
        raise StoppedError("stopped; a master that was there knows, and goes on with the others")
    if "error" in last:
        raise failure(last["exit_code"], last["error"])
    if process.returncode:
        raise RunError(f"the load process ended with {process.returncode}")


def _follow(process: subprocess.Popen[bytes], say: Callable[[str], None], interrupts: Interrupts) -> dict[str, Any]:
    if process.stdout is None:
        raise AssertionError("started with a pipe")
    os.set_blocking(process.stdout.fileno(), False)
    last: dict[str, Any] = {}
    rest = ""
    asked, running, end = 0, True, float("inf")
    while running and time.monotonic() < end:
        try:
            process.wait(POLL_S)
            running = False
        except subprocess.TimeoutExpired:
            pass
        *lines, rest = (rest + (process.stdout.read() or b"").decode(errors="replace")).split("\n")
        for line in lines:
            last = _read(line)
            if "said" in last:
                say(last["said"])
        for _ in range(min(interrupts.count, 2) - asked):
            asked += 1
            process.send_signal(signal.SIGTERM if asked > 1 else signal.SIGINT)
            end = time.monotonic() + KILL_AFTER_S if asked > 1 else end
    return last


def _read(line: str) -> dict[str, Any]:
    """Read a line of the load process; what is none of its own was printed by the user's class, and is passed on."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) and found.keys() & {"said", "error"} else {"said": line}
