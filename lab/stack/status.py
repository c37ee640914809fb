"""How the stack is right now."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Final, Literal

import psutil

from lab.stack import readiness
from lab.stack.control import ROOT
from lab.stack.layout import SERVERS, Layout, tail
from lab.stack.processes import family, kill_group, living, memory
from lab.stack.state import load

if TYPE_CHECKING:
    from lab.stack.state import PartState, StackState

_CPU_SECONDS: Final = 0.2
"""Over how long CPU use is taken."""


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One service, server or the mail sink; `memory` in MB and `cpu` in % of one core, both with its workers.

    `detail` is one line; `log_end` holds the last lines of the log of a part that has died.
    """

    name: str
    state: Literal["starting", "ready", "unhealthy", "failed"]
    pid: int
    port: int
    uptime: float
    memory: float
    cpu: float
    detail: str = ""
    log_end: str = ""


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The whole stack; `parts` is empty when it is not up, and `detail` says more then.

    `missing` names what is yet to be started.
    """

    up: bool
    folder: Path
    detail: str
    profile: str = ""
    port_offset: int = 0
    backend: str = ""
    uptime: float = 0.0
    parts: tuple[PartStatus, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether the stack is up and every part of it is ready."""
        return self.up and not self.missing and all(part.state == "ready" for part in self.parts)


def status(root: Path = ROOT) -> StackStatus:
    """Look at the stack of a folder, asking each service's `/health` and logging in to its servers.

    What a supervisor left that was killed is cleaned up.

    Raises:
        StackError: the state file is of another version or damaged.
    """
    folder = root.absolute()
    state = load(folder)
    if state is None:
        return StackStatus(up=False, folder=folder, detail=f"nothing is up in {folder}")
    if living(state.supervisor) is None:
        for part in state.parts:
            kill_group(part.process)
        Layout(folder).state.unlink(missing_ok=True)
        detail = f"nothing is up in {folder}: the supervisor of the last stack died without stopping it"
        return StackStatus(up=False, folder=folder, detail=detail)
    parts = _look(state)
    ready = sum(part.state == "ready" for part in parts)
    return StackStatus(
        up=True,
        folder=folder,
        detail=f"{ready} of {len(state.planned)} ready",
        profile=state.profile,
        port_offset=state.port_offset,
        backend=state.backend_shown,
        uptime=time() - state.started,
        parts=parts,
        missing=tuple(name for name in state.planned if name not in state.processes),
    )


def _look(state: StackState) -> tuple[PartStatus, ...]:
    processes = {part.name: _family(part) for part in state.parts}
    before = {name: _cpu(found) for name, found in processes.items()}
    began = monotonic()
    asked = [part for part in state.parts if part.state != "failed"]
    with ThreadPoolExecutor(len(state.parts)) as pool:
        answers = pool.map(lambda part: _ask(part, state), asked)
        reasons = {part.name: reason for part, reason in zip(asked, answers, strict=True)}
    threading.Event().wait(max(0.0, began + _CPU_SECONDS - monotonic()))
    over = monotonic() - began
    layout = Layout(state.folder)
    return tuple(
        _part_status(
            part,
            reasons.get(part.name),
            processes[part.name],
            100 * max(0.0, _cpu(processes[part.name]) - before[part.name]) / over,
            layout,
        )
        for part in state.parts
    )


def _ask(part: PartState, state: StackState) -> str | None:
    """Ask a part whether it is well; gives why it is not."""
    if part.name in SERVERS:
        return readiness.of_server(part.name, part.port, Layout(state.folder))()
    return readiness.of_service(part.name, part.port)()


def _part_status(
    part: PartState, reason: str | None, processes: list[psutil.Process], cpu: float, layout: Layout
) -> PartStatus:
    condition = "unhealthy" if reason is not None and part.state == "ready" else part.state
    failed = part.state == "failed"
    return PartStatus(
        name=part.name,
        state=condition,
        pid=part.process.pid,
        port=part.port,
        uptime=0.0 if failed else time() - part.process.created,
        memory=memory(processes),
        cpu=cpu,
        detail=part.detail or reason or "",
        log_end=tail(layout.log(part.name)) if failed else "",
    )


def _family(part: PartState) -> list[psutil.Process]:
    process = living(part.process)
    return [] if process is None else family(process)


def _cpu(processes: list[psutil.Process]) -> float:
    """Give the CPU seconds that processes have used."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
