"""A stack that belongs to one run: started for it, ended with it, whatever ends it."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

from lab.errors import StackError
from lab.model.target import PORTS
from lab.stack import ports
from lab.stack.backend import EMBEDDED, Backend
from lab.stack.control import ROOT, look_ahead, silent
from lab.stack.launch import Handle
from lab.stack.layout import Layout
from lab.stack.plan import SERVE, Plan
from lab.stack.profiles import DEFAULT, check_profile
from lab.stack.state import StackEvent, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def running(  # noqa: PLR0913 - as `up`
    root: Path = ROOT,
    profile: str = DEFAULT,
    on_event: Callable[[StackEvent], None] = silent,
    *,
    backend: Backend = EMBEDDED,
    timeout: float | None = None,
    module: str = SERVE,
    port_offset: int | None = None,
) -> Iterator[StackState]:
    """Have a fresh stack for a block, on the standard ports or, if one is taken, on the next that are free.

    It dies with this process, also when that is killed. Its folder is a new one below `root` and goes with it, except
    when a part died: the logs stay then.

    Args:
        root: where the stack's folder is made.
        profile: what the services are configured as.
        on_event: gets each step, and the choice of other ports.
        backend: what the services stand on.
        timeout: seconds until all must be ready; None for what is usual with the backend.
        module: serves one service, `python -m MODULE SERVICE`.
        port_offset: exactly these ports, and no others.

    Raises:
        StackError: it does not come up; or a part died before the end of the block, if the block itself ended well.
    """
    check_profile(profile)
    look_ahead(backend)
    root = root.absolute()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    offset, claim = ports.claim_next() if port_offset is None else (port_offset, ports.claim(port_offset))
    with claim:
        if port_offset is None and offset:
            said = (
                f"the standard ports are not all free; moved by {offset}: the gateway is on {PORTS['gateway'] + offset}"
            )
            on_event(StackEvent("stack", "starting", 0.0, said))
        layout = Layout(root / f"run-{token_hex(4)}")
        began = monotonic()
        came_up, handle, died = True, None, None
        try:
            with _interrupts_wait():
                handle = Handle(Plan(layout, profile, offset, owned=True, module=module, backend=backend), claim)
            yield handle.wait_ready(on_event, timeout)
        except StackError:
            came_up = False
            raise
        finally:
            died = handle.stop() if handle else None
            if died is None and came_up:
                layout.remove()
            else:
                layout.forget_servers()
                on_event(StackEvent("stack", "failed", monotonic() - began, f"the logs are kept in {layout.logs}"))
        if died is not None:
            raise StackError(died)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let a Ctrl-C wait for the end of the block: what is half started, nobody could stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)
