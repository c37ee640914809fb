"""The master's own workers: load processes on its machine, which live no longer than it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self

from lab.model.crew import KEY_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from lab.store import RunFolder

PATIENCE: Final = 3.0
"""Seconds for all of them to end by themselves."""
LEAST: Final = 0.01


class Children:
    """So many load processes. Leaving the context leaves none."""

    def __init__(self, count: int, folder: RunFolder, users: Path) -> None:
        self._count, self._folder, self._users = count, folder, users
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, host: str, port: int, key: str) -> None:
        """Start them; they connect to this port of this machine."""
        for number in range(self._count):
            with self._folder.engine_log.open("ab") as log:
                process = subprocess.Popen(  # noqa: S603 - the lab's own module, no shell
                    [
                        *(sys.executable, "-m", "lab.engine.remote", "--master", host, str(port)),
                        *("--users-file", str(self._users), "--child", str(number)),
                        *("--ledger", str(self._folder.ledger), "--log", str(self._folder.engine_log)),
                    ],
                    env=os.environ | {KEY_VARIABLE: key},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    start_new_session=True,
                )
            self._processes.append(process)

    def ended(self, number: int) -> str:
        """Say how one ended; "" while it runs."""
        code = self._processes[number].poll() if 0 <= number < len(self._processes) else None
        if code is None:
            return ""
        return f"it was killed by {signal.Signals(-code).name}" if code < 0 else f"it ended with {code}"

    def first_ended(self) -> tuple[int, str] | None:
        """Give the first that has ended, and how; None while all run."""
        found = ((number, self.ended(number)) for number in range(len(self._processes)))
        return next(((number, how) for number, how in found if how), None)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let those end that do, and kill the rest."""
        if kind is not None:
            self._close_inputs()
        end = time.monotonic() + PATIENCE
        for process in self._processes:
            try:
                process.wait(max(end - time.monotonic(), LEAST))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._close_inputs()

    def _close_inputs(self) -> None:
        # The end of its standard input tells a worker that its master is gone.
        for process in self._processes:
            if process.stdin and not process.stdin.closed:
                process.stdin.close()
