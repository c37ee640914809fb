"""Bring the stack up, find it, and take it down: what the commands call."""

from __future__ import annotations

from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, StackError
from lab.stack import external, ports, programs
from lab.stack.backend import EMBEDDED, Backend
from lab.stack.launch import STOP_SECONDS, Handle
from lab.stack.layout import Layout
from lab.stack.plan import SERVE, Plan
from lab.stack.processes import end, kill_group, living, wait_gone
from lab.stack.profiles import DEFAULT, check_profile
from lab.stack.state import StackEvent, StackState, load

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(".airbourne")
"""The folder of the stack that `up` starts, below the working folder."""

_STACK: Final = "stack"


def silent(_event: StackEvent) -> None:
    """Show nothing of a step."""


def find(root: Path = ROOT) -> StackState | None:
    """Give the stack of a folder if its supervisor lives; None when nothing is up. Changes nothing.

    A part of it may still be starting or have died: see `StackState.ready`.

    Raises:
        StackError: the state file is of another version or damaged.
    """
    state = load(root.absolute())
    return state if state is not None and living(state.supervisor) is not None else None


def up(  # noqa: PLR0913 - each is an option of the command
    root: Path = ROOT,
    *,
    profile: str = DEFAULT,
    backend: Backend = EMBEDDED,
    port_offset: int = 0,
    fresh: bool = False,
    on_event: Callable[[StackEvent], None] = silent,
    timeout: float | None = None,
    module: str = SERVE,
) -> StackState:
    """Bring the stack up, so that it outlives this process, and return when all of it is ready.

    A stack that is up with the same profile and backend is left as it is. When anything goes wrong, or Ctrl-C comes,
    nothing stays.

    Args:
        root: the stack's folder; made when missing.
        profile: what the services are configured as.
        backend: what the services stand on.
        port_offset: moves the standard ports.
        fresh: throw databases, queue and mail away first; a stack that is up is stopped for it.
        on_event: gets each step.
        timeout: seconds until all must be ready; None for what is usual with the backend.
        module: serves one service, `python -m MODULE SERVICE`.

    Raises:
        ConfigError: no such profile, or an external backend is to be emptied.
        StackError: a port is taken, a program is missing, an external server cannot be used, a service died or is late,
            or a stack of another kind is up.
    """
    check_profile(profile)
    if fresh and backend.kind == "external":
        raise ConfigError("--fresh would empty databases that are not the lab's own; empty them yourself")
    layout = Layout(root.absolute())
    with layout.locked():
        state = find(layout.root)
        if state is not None and not fresh:
            return attach(state, profile, backend, on_event, port_offset=port_offset)
        look_ahead(backend)
        _take_down(layout, on_event)
        with ports.claim(port_offset) as claim:
            if fresh:
                layout.forget()
            handle = Handle(Plan(layout, profile, port_offset, module=module, backend=backend), claim)
            try:
                state = handle.wait_ready(on_event, timeout)
            except BaseException:
                handle.stop()
                raise
            handle.keep()
            return state


def attach(
    state: StackState,
    profile: str | None,
    backend: Backend | None,
    on_event: Callable[[StackEvent], None] = silent,
    *,
    port_offset: int = 0,
) -> StackState:
    """Take the stack that is up as it is, if it is of the kind that is asked for; None asks for nothing in particular.

    Raises:
        StackError: it is of another kind, or not all of it is ready.
    """
    where = (
        f"a stack is up in {state.folder} "
        f"(profile {state.profile}, backend {state.backend_shown}, port offset {state.port_offset})"
    )
    remedy = "stop it first: airbourne-lab down"
    if profile not in {None, state.profile}:
        raise StackError(f"{where}; to have profile {profile}, {remedy}")
    if backend is not None and backend.shown != state.backend_shown:
        raise StackError(f"{where}; to have backend {backend.shown}, {remedy}")
    if port_offset not in {0, state.port_offset}:
        raise StackError(f"{where}; to move it to offset {port_offset}, {remedy}")
    if not state.ready:
        done = {part.name for part in state.parts if part.state == "ready"}
        names = ", ".join(name for name in state.planned if name not in done)
        raise StackError(f"{where}, but without {names} (airbourne-lab status says why); stop it: airbourne-lab down")
    how = f"profile {state.profile}, backend {state.backend}, port offset {state.port_offset}"
    on_event(StackEvent(_STACK, "ready", 0.0, f"already up: {how}"))
    return state


def down(root: Path = ROOT, on_event: Callable[[StackEvent], None] = silent) -> bool:
    """Stop the stack of a folder and everything that it started; databases, mail and logs stay.

    Returns:
        Whether anything was up.

    Raises:
        StackError: something could not be stopped.
    """
    layout = Layout(root.absolute())
    if not layout.root.is_dir():
        on_event(StackEvent(_STACK, "ready", 0.0, f"nothing is up in {layout.root}"))
        return False
    with layout.locked():
        return _take_down(layout, on_event, say_nothing_up=True)


def look_ahead(backend: Backend) -> None:
    """Find out what stands in the way of a backend before anything is started.

    Raises:
        StackError: a program is missing, or an external server cannot be used.
    """
    if backend.kind == "services":
        programs.require()
    elif backend.kind == "external":
        external.prepare(backend)


def _take_down(layout: Layout, on_event: Callable[[StackEvent], None], *, say_nothing_up: bool = False) -> bool:
    """Stop what the state file names, by pid and time of creation: a recycled pid is somebody else's process."""
    state = load(layout.root)
    if state is None:
        if say_nothing_up:
            on_event(StackEvent(_STACK, "ready", 0.0, f"nothing is up in {layout.root}"))
        return False
    began = time()
    alive = living(state.supervisor) is not None
    end(state.supervisor, STOP_SECONDS)
    processes = [part.process for part in state.parts]
    for process in processes:
        kill_group(process)
    left = wait_gone([state.supervisor, *processes], timeout=5.0)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise StackError(f"could not stop pid {pids} of the stack in {layout.root}; end it yourself and try again")
    layout.state.unlink(missing_ok=True)
    said = "stopped" if alive else "was not up any more (its supervisor had died); the rest is cleaned up"
    on_event(StackEvent(_STACK, "ready", round(time() - began, 3), said))
    return alive
