"""The process that owns a stack: `python -m lab.stack.supervisor FOLDER …`.

It starts the mail sink and the five services at once, before them the servers that they need, notes in the state file
what is ready and what has died, and stops all of them on SIGTERM or SIGINT. Its standard input is a lifeline: when that
ends, so does the stack, unless the line `keep` came before. So a starter that is killed, even with SIGKILL, takes the
stack along until it has handed it over; the owner of an owned stack never hands it over.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Final

from lab.stack import plan as plans
from lab.stack import ports, readiness, serverfolder, wires
from lab.stack.brood import Brood, Child
from lab.stack.layout import MAIL, MARIADB, PARTS, RABBITMQ, SERVERS, SERVICES, Layout
from lab.stack.processes import identify, yield_to_load
from lab.stack.state import PartState, StackState, save

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from lab.stack.plan import Plan

_GRACE_SECONDS: Final = 4.0
_WRITE_SECONDS: Final = 20.0
"""What a database and a broker get to write down what they have."""
_PORTS: Final = {MARIADB: 1, RABBITMQ: 2}
"""How many ports a server needs; the first is the one that it serves on."""
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
        self._claims = ExitStack()
        self._children: dict[str, Child] = {}
        self._parts: dict[str, PartState] = {}
        self._waiting: dict[str, Future[str | None]] = {}

    def run(self) -> None:
        """Live until told to stop; leaves nothing running."""
        self._listen_for_signals()
        with ThreadPoolExecutor(len(PARTS)) as pool, self._claims:
            try:
                self._start_servers(pool)
                while not self._stopped.is_set():
                    self._look()
                    if self._may_start_services():
                        self._start_services(pool)
                    self._rest(0.05 if self._waiting else 1.0)
            finally:
                # Before the pool's own end, which waits for health checks: a stopped service answers none, at once.
                self._stopped.set()
                self._stop()

    def _start_servers(self, pool: ThreadPoolExecutor) -> None:
        """Start the stack's own servers, if it has any."""
        for name in [name for name in SERVERS if name in self._plan.parts]:
            numbers = []
            for _ in range(_PORTS[name]):
                port, claim = ports.claim_any(name)
                self._claims.enter_context(claim)
                numbers.append(port)
            folder = serverfolder.make(self._plan.layout.root)
            said = "" if (folder / name).exists() else f"port {numbers[0]}, made for the first time"
            self._launch(name, numbers[0], self._plan.server(name, tuple(numbers)), detail=said)
            self._await(pool, name, readiness.of_server(name, numbers[0], self._plan.layout))
        self._note()

    def _may_start_services(self) -> bool:
        """Tell whether the services are still to be started, and all that they need is there."""
        servers = [self._parts[name].state for name in SERVERS if name in self._parts]
        return SERVICES[0] not in self._parts and all(state == "ready" for state in servers)

    def _start_services(self, pool: ThreadPoolExecutor) -> None:
        """Start them and the mail sink at once: each spends its start on its own imports."""
        smtp_port = self._start_sink() if MAIL in self._plan.parts else None
        at = {name: part.port for name, part in self._parts.items()}
        laid = wires.lay(self._plan.backend, self._plan.layout, at, smtp_port)
        for service in SERVICES:
            environment = self._plan.environment(service, laid, os.environ)
            self._launch(service, self._plan.port(service), self._plan.service(service), environment)
        self._note()
        for name in [name for name in (*SERVICES, MAIL) if name in self._parts]:
            self._await(pool, name, readiness.of_service(name, self._parts[name].port))

    def _start_sink(self) -> int:
        with socket.create_server((ports.LOOPBACK, 0), backlog=128) as listener:
            port = int(listener.getsockname()[1])
            # The sink inherits a socket that listens already: no port to lose, and no sender comes too early.
            command = [sys.executable, "-m", "lab.stack.mailsink", str(listener.fileno()), str(self._plan.layout.mail)]
            self._launch(MAIL, port, command, handles=(listener.fileno(),))
        return port

    def _launch(  # noqa: PLR0913 - what a process is
        self,
        name: str,
        port: int,
        command: Sequence[str],
        environment: dict[str, str] | None = None,
        *,
        handles: tuple[int, ...] = (),
        detail: str = "",
    ) -> None:
        values = plans.plain(os.environ) if environment is None else environment
        child = self._brood.start(command, self._plan.layout.log(name), values, handles)
        self._children[name] = child
        self._parts[name] = PartState(name, port, identify(child.pid), "starting", detail=detail)

    def _await(self, pool: ThreadPoolExecutor, name: str, ask: Callable[[], str | None]) -> None:
        self._waiting[name] = pool.submit(readiness.wait, ask, self._stopped)

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
                self._parts[name] = replace(part, state="ready", seconds=self._seconds(), detail="")
            else:
                continue
            self._waiting.pop(name, None)
            changed = True
        if changed:
            if not self._waiting and len(self._parts) == len(self._plan.parts):
                yield_to_load(child.pid for child in self._children.values())
            self._note()

    def _failed(self, part: PartState, ending: str) -> PartState:
        when = "while starting" if part.state == "starting" else f"after {self._seconds():.0f} s"
        return replace(part, state="failed", seconds=self._seconds(), detail=f"ended {when} with {ending}")

    def _note(self) -> None:
        plan = self._plan
        save(
            StackState(
                folder=plan.layout.root,
                profile=plan.profile,
                port_offset=plan.port_offset,
                started=self._started,
                supervisor=identify(os.getpid()),
                parts=tuple(self._parts[name] for name in plan.parts if name in self._parts),
                backend=plan.backend.kind,
                backend_shown=plan.backend.shown,
                planned=plan.parts,
            )
        )

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
        """Stop the services, then what they may still be talking to."""
        groups = (SERVICES, (MAIL,), SERVERS)
        # Nobody will read again what the servers of an owned stack have.
        graces = (_GRACE_SECONDS, _GRACE_SECONDS, 0.0 if self._plan.owned else _WRITE_SECONDS)
        for names, grace in zip(groups, graces, strict=True):
            children = [self._children[name] for name in names if name in self._children]
            self._brood.stop(children, grace, self._rest)
        self._brood.close()
        self._clear()

    def _clear(self) -> None:
        """Remove what nobody could find any more."""
        layout = self._plan.layout
        layout.state.unlink(missing_ok=True)
        orphaned = os.getppid() != self._owner
        if not layout.root.exists() or (self._plan.owned and orphaned):
            layout.forget_servers()
        if self._plan.owned and orphaned and not any(part.state == "failed" for part in self._parts.values()):
            layout.remove()


def main(arguments: Sequence[str] | None = None) -> None:
    """Supervise the stack that the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m lab.stack.supervisor", description="Own one stack.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--port-offset", type=int, required=True)
    parser.add_argument("--module", required=True)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--owned", action="store_true")
    given = parser.parse_args(arguments)
    backend = plans.told_backend(given.backend, os.environ)
    plan = plans.Plan(Layout(given.folder), given.profile, given.port_offset, given.owned, given.module, backend)
    Supervisor(plan).run()


if __name__ == "__main__":
    main()
