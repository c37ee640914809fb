"""The web page of `run --ui`, from outside: a process of its own, which shows runs and passes on what is asked of it.

Orders come on its standard output and news goes to its standard input, a JSON object a line. It follows a run by the
run's folder alone, so that it costs the load processes nothing.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import lab
from lab.errors import ConfigError, LabError, RunError, StoppedError
from lab.model.crew import LOOPBACK, TOP_PORT, is_loopback
from lab.runner import catching_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from lab.model.sample import Tally, Tick
    from lab.runner import Interrupts, Observer
    from lab.store import RunFolder

PASSWORD_VARIABLE: Final = "AIRBOURNE_UI_PASSWORD"  # noqa: S105 - the name of an environment variable
SHORTEST_PASSWORD: Final = 8
PORT: Final = 8089
START_S: Final = 30.0
LOOK_S: Final = 0.2
END_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Door:
    """Where the page listens, and whether one must sign in."""

    host: str = LOOPBACK
    port: int = PORT
    login: bool = False


def door(host: str, port: int, *, login: bool, environ: Mapping[str, str]) -> Door:
    """Read the options of `run --ui`.

    Raises:
        ConfigError: the page would be open to strangers, there is no password, or the port is none.
    """
    password = environ.get(PASSWORD_VARIABLE, "")
    if not 0 <= port <= TOP_PORT:
        raise ConfigError(f"--port {port}: a port is a number up to {TOP_PORT}")
    if not login and not is_loopback(host):
        raise ConfigError(
            f"--ui-host {host} opens the page to other machines, and who sees it can start load: add "
            f"--ui-login, with a password in {PASSWORD_VARIABLE}"
        )
    if login and not password:
        raise ConfigError(f"--ui-login: there is no password; set one in {PASSWORD_VARIABLE}, never in an option")
    if login and len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"{PASSWORD_VARIABLE} has {len(password)} characters; give it at least {SHORTEST_PASSWORD}")
    return Door(host, port, login)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asked for on the page: run a scenario."""

    scenario: str
    label: str = ""
    time_scale: float = 1.0


class Page:
    """The page's process. Leaving the context leaves no process; as `Steering` it passes on edits and stops."""

    def __init__(self, where: Door, scenarios: Sequence[str], preset: Order) -> None:
        """Start it and wait until it listens.

        Raises:
            ConfigError: the port is taken, or cannot be listened on.
            RunError: it could not start for another reason.
        """
        self._orders: queue.Queue[dict[str, Any]] = queue.Queue()
        self._edits: list[int] = []
        self._lock = threading.Lock()
        self._interrupts: Interrupts | None = None
        self._stopped = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.engine.webui"],
            # Locust reads its own settings from the folder that it works in, and from the environment.
            cwd=Path(lab.__file__).parents[1],
            env={name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._read, name="page", daemon=True)
        self._thread.start()
        self.tell(
            setup={
                "host": where.host,
                "port": where.port,
                "login": where.login,
                "scenarios": list(scenarios),
                "preset": {"scenario": preset.scenario, "label": preset.label, "time_scale": preset.time_scale},
            }
        )
        try:
            self.url = self._await_url()
        except BaseException:
            self.close()
            raise

    def tell(self, **news: Any) -> None:
        """Pass news on to the page; one that is gone hears nothing."""
        if self._process.stdin is not None:
            with suppress(OSError, ValueError):
                self._process.stdin.write(json.dumps(news).encode() + b"\n")
                self._process.stdin.flush()

    def order(self, idle: Interrupts) -> Order | None:
        """Wait for somebody to start a run; None when the user at the terminal wants to end.

        Raises:
            RunError: the page's process is gone.
        """
        while not idle.count:
            try:
                found = self._orders.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if "gone" in found:
                raise RunError(f"the web page's process ended with {self._process.wait()}")
            return Order(str(found["scenario"]), str(found["label"]), float(found["time_scale"]))
        return None

    def watching(self, observer: Observer, interrupts: Interrupts) -> Observer:
        """Give an observer that tells the page what the other hears; from here on Stop reaches the run.

        Raises:
            StoppedError: Stop was pressed already.
        """
        with self._lock:
            if self._stopped:
                raise StoppedError("stopped before the load began")
            self._interrupts = interrupts
        return _Both(observer, self)

    def begun(self, folder: RunFolder) -> None:
        """Let the page follow a run."""
        self.tell(run=str(folder.path.resolve()))

    def edits(self) -> list[int]:
        """Give the edits since the last call."""
        with self._lock:
            found, self._edits = self._edits, []
        return found

    def over(self, error: LabError | None = None) -> None:
        """Tell the page that the run, or the attempt at one, is over."""
        with self._lock:
            self._interrupts, self._edits, self._stopped = None, [], False
        self.tell(ended={"error": str(error) if error else ""})

    def close(self) -> None:
        """End the process, which the end of its standard input tells to go."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(END_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def _await_url(self) -> str:
        try:
            first = self._orders.get(timeout=START_S)
        except queue.Empty:
            raise RunError(f"the web page's process did not listen within {START_S:.0f} s") from None
        if "error" in first:
            raise ConfigError(str(first["error"]))
        if "listening" not in first:
            raise RunError(f"the web page's process ended with {self._process.wait()}")
        return str(first["listening"])

    def _read(self) -> None:
        for line in self._process.stdout or ():
            said = json.loads(line)
            if "stop" in said:
                self._stop()
            elif "edit" in said:
                with self._lock:
                    self._edits.append(int(said["edit"]["users"]))
            else:
                if "start" in said:
                    with self._lock:
                        self._stopped = False  # what was stopped is a run that was over already
                self._orders.put(said.get("start", said))
        self._orders.put({"gone": True})

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._interrupts is not None:
                self._interrupts()


class _Both:
    """Passes on to an observer, and what begins to the page as well."""

    def __init__(self, observer: Observer, page: Page) -> None:
        self._observer, self._page = observer, page

    def stage(self, words: str) -> None:
        """Say what begins now."""
        self._observer.stage(words)
        self._page.tell(doing=words)

    def second(self, tally: Tally, tick: Tick | None) -> None:
        """Pass on; the page reads the run's folder itself."""
        self._observer.second(tally, tick)


def serve(page: Page, run: Callable[[Order], int], say: Callable[[str], None], first: Order | None = None) -> int:
    """Run what is asked for on the page, one run after another, until the user at the terminal ends it.

    Args:
        page: where orders come from.
        run: runs a scenario to its verdict and gives its exit code.
        say: hears what the terminal should show, a sentence at a time.
        first: what to run at once.

    Returns:
        the exit code of the last run; 0 when there was none.

    Raises:
        RunError: the page's process is gone.
    """
    code, order = 0, first
    while True:
        if order is None:
            say(f"Start a run at {page.url}. Ctrl-C ends.")
            with catching_interrupts() as idle:
                order = page.order(idle)
            if order is None:
                return code
        else:
            say(f"Watch it at {page.url}. Ctrl-C stops the run.")
            page.tell(starting=order.scenario)
        try:
            code = run(order)
            page.over()
        except LabError as error:
            code = error.exit_code
            say(f"Error: {error}")
            page.over(error)
        order = None
