"""The supervisor's children: started tied to it, and stopped for certain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from lab.stack import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_HERE: Final = Path(__file__).resolve().parent
_BARE: Final = (sys.executable, "-I", "-S")
"""A Python that starts in 10 ms: no site packages, no environment."""

_KILLED_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Child:
    """A started process, the leader of a process group of its own."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process's id, and its group's."""
        return self.process.pid

    def ending(self) -> str | None:
        """Say how the process ended; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


class Brood:
    """Starts children that cannot outlive this process.

    Two nets: on Linux the kernel kills each child when this process dies, and on every system a guard process kills
    their groups. Use it from the main thread: the kernel's net hangs on the thread that starts the child.
    """

    def __init__(self) -> None:
        self._guard = subprocess.Popen(  # noqa: S603 - our own script
            [*_BARE, str(_HERE / "guard.py")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
        )

    def start(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str], handles: Iterable[int] = ()
    ) -> Child:
        """Start a command whose output goes to the end of a log; it inherits the given file descriptors."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the plan's command
                [*_BARE, str(_HERE / "tether.py"), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
                process_group=0,
                pass_fds=tuple(handles),
            )
        if self._guard.stdin is not None:
            self._guard.stdin.write(b"%d\n" % process.pid)
            self._guard.stdin.flush()
        return Child(process)

    def stop(self, children: Iterable[Child], grace: float, wait: Callable[[float], None]) -> None:
        """Ask children to end, then kill what is left of their groups.

        Args:
            children: what to stop; those that have ended are passed over, except for their workers.
            grace: seconds until a child that still runs is killed.
            wait: returns after the given seconds, or before that when a child ended.
        """
        asked = list(children)
        for child in asked:
            with suppress(ProcessLookupError):
                child.process.terminate()
        self._wait(asked, grace, wait)
        for child in asked:
            # Also where the leader has ended in good order: a worker may have stayed behind.
            guard.kill(child.pid)
        self._wait(asked, _KILLED_SECONDS, wait)

    def close(self) -> None:
        """Let the guard go once all is stopped."""
        self._guard.communicate()

    @staticmethod
    def _wait(children: list[Child], seconds: float, wait: Callable[[float], None]) -> None:
        deadline = monotonic() + seconds
        while any(child.ending() is None for child in children) and monotonic() < deadline:
            wait(0.05)
