"""The load process, or the master of many, from outside: start it, follow what it records, stop it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from lab.errors import ConfigError, LabError, RunError, ScenarioError, ScriptError
from lab.model.crew import KEY_VARIABLE, Crew
from lab.model.run import ScriptTrace
from lab.model.sample import Tick
from lab.model.verdict import Finding, Validity
from lab.store import ENGINE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from lab.store import RunFolder

LOG_LINES: Final = 3
_KINDS: Final = {ConfigError.exit_code: ScenarioError, ScriptError.exit_code: ScriptError}


@dataclass(frozen=True, slots=True)
class LoadEnd:
    """How the load process ended: `finished`, `stopped` (the user asked) or `crashed`.

    `findings` is what the load process has to say of how the load was made.
    """

    reason: str
    script_errors: tuple[ScriptTrace, ...] = ()
    detail: str = ""
    findings: tuple[Finding, ...] = ()


def failure(exit_code: int, sentence: str) -> LabError:
    """Give the error that a load process ended with."""
    return _KINDS.get(exit_code, RunError)(sentence)


@contextmanager
def stops_held() -> Iterator[None]:
    """Let a process that is started within begin with SIGINT and SIGTERM held back, until it is ready to heed them.

    A KeyboardInterrupt in the middle of Locust's patching of the interpreter leaves a process that never ends.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class LoadProcess:
    """A load process and the ticks that it appends to its run folder. Leaving the context leaves no process."""

    def __init__(self, folder: RunFolder, dataset: Path, crew: Crew | None = None) -> None:
        crew = crew or Crew()
        self._folder = folder
        folder.ticks.touch()
        self._lines = folder.ticks.open(encoding="utf-8")
        self._rest = ""
        self._asked = False
        # Its own session: Ctrl-C in the terminal reaches the lab, which then asks the load to stop in good order.
        with stops_held():
            self._process = subprocess.Popen(  # noqa: S603 - the lab's own module, no shell
                [sys.executable, "-m", *_module(crew), str(folder.path), "--dataset", str(dataset)],
                env=os.environ | {KEY_VARIABLE: crew.key},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if crew.alone else subprocess.PIPE,
                stderr=folder.engine_log.open("ab"),
                start_new_session=True,
            )
        if self._process.stdout:
            os.set_blocking(self._process.stdout.fileno(), False)

    @property
    def running(self) -> bool:
        """Tell whether the process is alive."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Give the process id, for sampling."""
        return self._process.pid

    def ticks(self) -> list[Tick]:
        """Give the seconds that were written since the last call."""
        *whole, self._rest = (self._rest + self._lines.read()).split("\n")
        return [Tick.from_json(line) for line in whole]

    def said(self) -> list[str]:
        """Give what a master said that it does, since the last call."""
        text = self._process.stdout.read() if self._process.stdout else None
        return text.decode(errors="replace").splitlines() if text else []

    def stop(self) -> None:
        """Ask it to let its users finish; a second call stops it at once."""
        if self.running:
            # Two SIGINT that come close together may arrive as one.
            self._process.send_signal(signal.SIGTERM if self._asked else signal.SIGINT)
        self._asked = True

    def edit(self, number: int) -> None:
        """Ask for so many users, or in an open model iterations per time unit, from now until the planned end."""
        if self._process.stdin is not None:
            with suppress(OSError):  # it has just ended: there is nothing to edit any more
                self._process.stdin.write(json.dumps({"edit": number}).encode() + b"\n")
                self._process.stdin.flush()

    def wait(self, timeout: float) -> bool:
        """Wait for the process to end; tells whether it has."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> LoadEnd:
        """Give how it ended.

        Raises:
            ScenarioError: the scenario's user class cannot be found.
            ScriptError: the user's file raised while it was imported.
            RunError: the load process could not start for another reason.
        """
        try:
            found = json.loads((self._folder.path / ENGINE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return LoadEnd("crashed", detail=self._last_words())
        if found["error"]:
            raise failure(found["exit_code"], found["error"])
        return LoadEnd(
            found["reason"],
            tuple(ScriptTrace(**trace) for trace in found["traces"]),
            found["detail"],
            tuple(Finding(gate, Validity(level), sentence) for gate, level, sentence in found["findings"]),
        )

    def _last_words(self) -> str:
        code = self._process.poll()
        lines = self._folder.engine_log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        return f"the load process ended with {code}: " + (" / ".join(lines) or "it said nothing")

    def __enter__(self) -> Self:
        """Begin to follow."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what still runs; what it had recorded stays."""
        if self.running:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):  # an edit that came too late is still in it
                    pipe.close()
        self._lines.close()


def _module(crew: Crew) -> list[str]:
    if crew.alone:
        return ["lab.engine.worker"]
    return [
        *("lab.engine.master", "--workers", str(crew.workers), "--expect", str(crew.expect)),
        *("--timeout", str(crew.timeout), "--bind", crew.bind, "--port", str(crew.port)),
    ]
