"""The process that owns a stack: `python -m lab.stack.supervisor FOLDER …`.

It starts the mail sink and the five services at once, notes in the state file what is ready and what has died, and
stops all of them on SIGTERM or SIGINT. Its standard input is a lifeline: when that ends, so does the stack, unless the
line `keep` came before. So a starter that is killed, even with SIGKILL, takes the stack along until it has handed it
over; the owner of an owned stack never hands it over.
"""

from __future__ import annotations

import argparse
import os
import select
import shutil
import signal
import socket
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Final

from lab.model.target import local_target
from lab.stack.brood import Brood, Child
from lab.stack.layout import MAIL, PARTS, SERVICES, Layout
from lab.stack.plan import Plan, importable
from lab.stack.ports import LOOPBACK
from lab.stack.processes import identify
from lab.stack.state import PartState, StackState, save

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType

_NICENESS: Final = 5
_GRACE_SECONDS: Final = 4.0
_LIFELINE: Final = 0
_KEEP: Final = b"keep"


class Supervisor:
    """Starts, watches and stops one stack."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._owner = os.getppid()
        self._began = monotonic()
        self._started = time()
        self._stopped = threading.Event()
        self._lifeline: int | None = _LIFELINE
        self._wake, self._woken = socket.socketpair()
        self._brood = Brood()
        self._children: dict[str, Child] = {}
        self._parts: dict[str, PartState] = {}
        self._waiting: dict[str, Future[str | None]] = {}

    def run(self) -> None:
        """Live until told to stop; leaves nothing running."""
        self._listen_for_signals()
        with ThreadPoolExecutor(len(PARTS)) as pool:
            try:
                self._start()
                self._note()
                self._await_readiness(pool)
                while not self._stopped.is_set():
                    self._look()
                    self._rest(0.05 if self._waiting else 1.0)
            finally:
                # Before the pool's own end, which waits for health checks: a stopped service answers none, at once.
                self._stopped.set()
                self._stop()

    def _start(self) -> None:
        """Start everything at once: each service spends its start on its own imports."""
        with socket.create_server((LOOPBACK, 0), backlog=128) as listener:
            smtp_port = int(listener.getsockname()[1])
            # The sink inherits a socket that listens already: no port to lose, and no sender comes too early.
            command = [sys.executable, "-m", "lab.stack.mailsink", str(listener.fileno()), str(self._plan.layout.mail)]
            self._launch(MAIL, smtp_port, command, importable(os.environ), (listener.fileno(),))
        for service in SERVICES:
            environment = self._plan.environment(service, smtp_port, os.environ)
            self._launch(service, self._plan.port(service), self._plan.service(service), environment)

    def _launch(
        self, name: str, port: int, command: Sequence[str], environment: dict[str, str], handles: tuple[int, ...] = ()
    ) -> None:
        child = self._brood.start(command, self._plan.layout.log(name), environment, handles)
        self._children[name] = child
        self._parts[name] = PartState(name, port, identify(child.pid), "starting")

    def _await_readiness(self, pool: ThreadPoolExecutor) -> None:
        # Imported here, while the services import theirs.
        from lab.stack.health import wait_ready, wait_smtp  # noqa: PLC0415 - see above

        target = local_target(self._plan.port_offset)
        for service in SERVICES:
            self._waiting[service] = pool.submit(wait_ready, target.url(service), self._stopped)
        self._waiting[MAIL] = pool.submit(wait_smtp, self._parts[MAIL].port, self._stopped)

    def _look(self) -> None:
        """Take note of what became ready and of what died; stop when the folder was removed, for nobody else could."""
        if not self._plan.layout.state.exists():
            self._stopped.set()
            return
        changed = False
        for name, child in self._children.items():
            part = self._parts[name]
            ending = child.ending()
            waiting = self._waiting.get(name)
            if ending is not None and part.state != "failed":
                self._parts[name] = self._failed(part, ending)
            elif ending is None and waiting is not None and waiting.done() and waiting.result() is None:
                self._parts[name] = replace(part, state="ready", seconds=self._seconds())
            else:
                continue
            self._waiting.pop(name, None)
            changed = True
        if changed:
            if not self._waiting:
                yield_to_load(child.pid for child in self._children.values())
            self._note()

    def _failed(self, part: PartState, ending: str) -> PartState:
        when = "while starting" if part.state == "starting" else f"after {self._seconds():.0f} s"
        return replace(part, state="failed", seconds=self._seconds(), detail=f"ended {when} with {ending}")

    def _note(self) -> None:
        plan = self._plan
        parts = tuple(self._parts[name] for name in PARTS)
        save(StackState(plan.layout.root, plan.profile, plan.port_offset, self._started, identify(os.getpid()), parts))

    def _seconds(self) -> float:
        return round(monotonic() - self._began, 3)

    def _listen_for_signals(self) -> None:
        self._wake.setblocking(False)  # noqa: FBT003 - its only parameter
        self._woken.setblocking(False)  # noqa: FBT003 - its only parameter
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for interrupt in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(interrupt, self._on_signal)
        # A handler that does nothing, so that the end of a child wakes the loop.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped.set()

    def _rest(self, seconds: float) -> None:
        """Wait for a signal, the end of a child, word on the lifeline, or the time."""
        watched = [self._wake.fileno()] + ([] if self._lifeline is None else [self._lifeline])
        readable, _, _ = select.select(watched, [], [], seconds)
        if self._wake.fileno() in readable:
            with suppress(BlockingIOError):
                self._wake.recv(4096)
        if self._lifeline in readable and self._lifeline is not None:
            if not os.read(self._lifeline, 64).startswith(_KEEP):
                self._stopped.set()
            self._lifeline = None

    def _stop(self) -> None:
        """Stop the services, then the mail sink that the reminder may still be talking to."""
        sink = self._children.pop(MAIL, None)
        self._brood.stop(self._children.values(), _GRACE_SECONDS, self._rest)
        self._brood.stop([] if sink is None else [sink], _GRACE_SECONDS, self._rest)
        self._brood.close()
        layout = self._plan.layout
        layout.state.unlink(missing_ok=True)
        orphaned = os.getppid() != self._owner
        if self._plan.owned and orphaned and not any(part.state == "failed" for part in self._parts.values()):
            shutil.rmtree(layout.root, ignore_errors=True)


def yield_to_load(groups: Iterable[int]) -> None:
    """Make this process and the given process groups wait for the load generator when both want the same core.

    The generator's time stamps are the measurement: late ones would be booked as the platform's latency. Raised only,
    never lowered, and only once all is ready: a start on a busy machine needs its share. Linux may group processes by
    session for scheduling (autogroup), and niceness then counts inside the group alone; the group, which the
    supervisor's own session has to itself, gets the same niceness.
    """
    for kind, who in [(os.PRIO_PROCESS, 0), *((os.PRIO_PGRP, group) for group in groups)]:
        with suppress(ProcessLookupError):
            os.setpriority(kind, who, max(_NICENESS, os.getpriority(kind, who)))
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_NICENESS), encoding="ascii")


def main(arguments: Sequence[str] | None = None) -> None:
    """Supervise the stack that the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m lab.stack.supervisor", description="Own one stack.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--port-offset", type=int, required=True)
    parser.add_argument("--module", required=True)
    parser.add_argument("--owned", action="store_true")
    given = parser.parse_args(arguments)
    Supervisor(Plan(Layout(given.folder), given.profile, given.port_offset, given.owned, given.module)).run()


if __name__ == "__main__":
    main()
