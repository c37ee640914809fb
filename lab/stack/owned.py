"""A stack that belongs to one run: started for it, ended with it, whatever ends it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from lab.errors import StackError
from lab.model.target import PORTS
from lab.stack import ports
from lab.stack.backend import EMBEDDED, Backend
from lab.stack.control import ROOT, check_profile, look_ahead, silent
from lab.stack.launch import Handle
from lab.stack.layout import Layout
from lab.stack.plan import SERVE, Plan
from lab.stack.state import StackEvent, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def running(  # noqa: PLR0913 - as `up`
    root: Path = ROOT,
    profile: str = "safe",
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
        layout = Layout(Path(tempfile.mkdtemp(prefix="run-", dir=root)))
        began = monotonic()
        handle = Handle(Plan(layout, profile, offset, owned=True, module=module, backend=backend), claim)
        came_up = True
        try:
            yield handle.wait_ready(on_event, timeout)
        except StackError:
            came_up = False
            raise
        finally:
            died = handle.stop()
            if died is None and came_up:
                layout.remove()
            else:
                layout.forget_servers()
                on_event(StackEvent("stack", "failed", monotonic() - began, f"the logs are kept in {layout.logs}"))
        if died is not None:
            raise StackError(died)
