"""Bring the stack up, find it, and take it down: what the commands call."""

from __future__ import annotations

from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, StackError, nearest
from lab.stack import ports
from lab.stack.launch import READY_SECONDS, Handle
from lab.stack.layout import Layout
from lab.stack.plan import PROFILES, SERVE, Plan
from lab.stack.processes import end, kill_group, living, wait_gone
from lab.stack.state import StackEvent, StackState, load

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(".airbourne")
"""The folder of the stack that `up` starts, below the working folder."""

_DOWN_SECONDS: Final = 15.0
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
    profile: str = "safe",
    port_offset: int = 0,
    fresh: bool = False,
    on_event: Callable[[StackEvent], None] = silent,
    timeout: float = READY_SECONDS,
    module: str = SERVE,
) -> StackState:
    """Bring the stack up, so that it outlives this process, and return when all of it is ready.

    A stack that is up with the same profile is left as it is. When anything goes wrong, or Ctrl-C comes, nothing stays.

    Args:
        root: the stack's folder; made when missing.
        profile: what the services are configured as.
        port_offset: moves the standard ports.
        fresh: throw databases, queue and mail away first; a stack that is up is stopped for it.
        on_event: gets each step.
        timeout: seconds until all must be ready.
        module: serves one service, `python -m MODULE SERVICE`.

    Raises:
        StackError: a port is taken, a service died or is late, or a stack of another kind is up.
    """
    check_profile(profile)
    layout = Layout(root.absolute())
    with layout.locked():
        state = find(layout.root)
        if state is not None and not fresh:
            return _already_up(state, profile, port_offset, on_event)
        _take_down(layout, on_event)
        with ports.claim(port_offset) as claim:
            if fresh:
                layout.forget()
            handle = Handle(Plan(layout, profile, port_offset, module=module), claim)
            try:
                state = handle.wait_ready(on_event, timeout)
            except BaseException:
                handle.stop()
                raise
            handle.keep()
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


def check_profile(profile: str) -> None:
    """Refuse a profile that the services do not know.

    Raises:
        ConfigError: it is none of PROFILES.
    """
    if profile not in PROFILES:
        raise ConfigError(f'unknown profile "{profile}"{nearest(profile, PROFILES)}')


def _already_up(
    state: StackState, profile: str, port_offset: int, on_event: Callable[[StackEvent], None]
) -> StackState:
    where = f"a stack is up in {state.folder} (profile {state.profile}, port offset {state.port_offset})"
    if state.profile != profile:
        raise StackError(f"{where}; to have profile {profile}, stop it first: airbourne-lab down")
    if port_offset not in {0, state.port_offset}:
        raise StackError(f"{where}; to move it to offset {port_offset}, stop it first: airbourne-lab down")
    if not state.ready:
        names = ", ".join(part.name for part in state.parts if part.state != "ready")
        raise StackError(f"{where}, but without {names} (airbourne-lab status says why); stop it: airbourne-lab down")
    on_event(StackEvent(_STACK, "ready", 0.0, f"already up: profile {state.profile}, port offset {state.port_offset}"))
    return state


def _take_down(layout: Layout, on_event: Callable[[StackEvent], None], *, say_nothing_up: bool = False) -> bool:
    """Stop what the state file names, by pid and time of creation: a recycled pid is somebody else's process."""
    state = load(layout.root)
    if state is None:
        if say_nothing_up:
            on_event(StackEvent(_STACK, "ready", 0.0, f"nothing is up in {layout.root}"))
        return False
    began = time()
    alive = living(state.supervisor) is not None
    end(state.supervisor, _DOWN_SECONDS)
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
