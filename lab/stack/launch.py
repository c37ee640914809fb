"""Start a supervisor and wait until its stack is ready: what `up` and an owned stack have in common."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from lab.errors import StackError
from lab.stack.layout import SUPERVISOR, Layout, log_end
from lab.stack.processes import kill_group
from lab.stack.state import StackEvent, StackState, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.stack.plan import Plan
    from lab.stack.ports import Claim

READY_SECONDS: Final = {"embedded": 30.0, "services": 90.0, "external": 60.0}
"""After this the start has failed. On an idle machine it takes 2 s, with the stack's own servers 8 s."""
_POLL_SECONDS: Final = 0.03
STOP_SECONDS: Final = 40.0
"""More than a supervisor takes when every service must be killed and the servers write down what they have."""


class Handle:
    """The starter's end of a supervisor: the lifeline, and what is known of the stack."""

    def __init__(self, plan: Plan, claim: Claim) -> None:
        plan.layout.prepare()
        self._plan = plan
        self._began = monotonic()
        with plan.layout.log(SUPERVISOR).open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                plan.supervisor(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=plan.supervisor_environment(os.environ),
                cwd=plan.layout.root,
                # A session of its own: Ctrl-C in the terminal is the starter's, and the starter decides.
                start_new_session=True,
                pass_fds=claim.handles,
            )

    def wait_ready(self, on_event: Callable[[StackEvent], None], timeout: float | None) -> StackState:
        """Wait until every part is ready, and tell each step.

        Raises:
            StackError: a part died, or was not ready within `timeout` seconds; the stack is stopped then.
        """
        timeout = READY_SECONDS[self._plan.backend.kind] if timeout is None else timeout
        told: dict[str, str] = {}
        state: StackState | None = None
        while monotonic() - self._began < timeout:
            ended = self._pause()
            state = load(self._plan.layout.root) or state
            for part in state.parts if state else ():
                if told.get(part.name) != part.state:
                    told[part.name] = part.state
                    on_event(StackEvent(part.name, part.state, part.seconds, part.detail or f"port {part.port}"))
            if state and state.failed:
                raise StackError(why_failed(state))
            if state and state.ready:
                return state
            if ended:
                log = self._plan.layout.log(SUPERVISOR)
                raise StackError(f"the stack's supervisor ended while starting; {log_end(log)}")
        raise StackError(self._why_late(state, timeout))

    def keep(self) -> None:
        """Hand the stack over: from now on it outlives this process."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(b"keep\n")
                self._process.stdin.close()

    def stop(self) -> str | None:
        """Let the lifeline go and wait until nothing of the stack is left.

        Returns:
            What of the stack had died before; None when all of it was alive.
        """
        last = load(self._plan.layout.root)
        died = why_failed(last) if last and last.failed else None
        ended = self._process.poll() is not None
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Looked at again after the end: a process that is being killed is not yet seen as ended.
        if ended or self._process.returncode:
            code = self._process.returncode
            died = f"the stack's supervisor ended (exit code {code}); {log_end(self._plan.layout.log(SUPERVISOR))}"
        for part in last.parts if last else ():
            kill_group(part.process)
        return died

    def _pause(self) -> bool:
        """Wait a little; tells whether the supervisor has ended."""
        try:
            self._process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _why_late(self, state: StackState | None, timeout: float) -> str:
        late = [part for part in state.parts if part.state != "ready"] if state else []
        names = ", ".join(f"{part.name} (port {part.port})" for part in late) or SUPERVISOR
        ends = [log_end(self._plan.layout.log(name)) for name in [part.name for part in late] or [SUPERVISOR]]
        return "\n".join([f"not ready within {timeout:g} s: {names}; the stack is stopped again", *ends])


def why_failed(state: StackState) -> str:
    """Say of each part that died when, how and with what last words."""
    layout = Layout(state.folder)
    return "\n".join(
        f"{part.name} (port {part.port}) {part.detail}; {log_end(layout.log(part.name))}" for part in state.failed
    )
