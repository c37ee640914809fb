"""The command line as a user has it: a process of its own, in an empty folder, with a platform of its own."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from benchmarks.parts.chromium import FLAGS, NAMES
from lab.model.target import PORTS
from lab.stack.ports import is_free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

LAB = str(Path(sys.executable).with_name("airbourne-lab"))
GENERATOR_GATES = {"scheduling delay", "generator CPU"}


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def too_busy(self) -> bool:
        """Whether a `run --json` is INVALID only because this machine was too busy to measure well."""
        findings = self.json["verdict"]["findings"]
        invalid = {finding["gate"] for finding in findings if finding["level"] == "INVALID"}
        return self.code == 98 and invalid <= GENERATOR_GATES

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any kind
        """What was printed with `--json`."""
        return json.loads(self.out)


class Lab:
    """Runs `airbourne-lab` in a folder; `leave_nothing` at the end makes sure that it left no process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            [LAB, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *words: str) -> Ended:
        """Run a command to its end."""
        return self.ended(self.start(*words))

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        """Wait for a command to end."""
        out, err = process.communicate(timeout=150)
        return Ended(process.returncode, out, err)

    def leave_nothing(self) -> None:
        """Stop what still runs, and fail if anything that worked in this folder outlived its command."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        _, alive = psutil.wait_procs(self._working_here(), timeout=20)
        assert not alive, f"left running: {alive}"

    def _working_here(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if any(str(self.folder) in word for word in [*process.cmdline(), process.cwd()]):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the Chromium that is installed; where there is none, skip, but never in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = f"none of {', '.join(NAMES)} is installed: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """The command line in an empty folder."""
    found = Lab(tmp_path)
    yield found
    found.leave_nothing()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The command line in a folder whose platform is up, for the runs of all tests of a module."""
    found = Lab(tmp_path_factory.mktemp("standing"))
    up = found.run("up", "--port-offset", str(free_offset()))
    try:
        assert up.code == 0, up.err
        yield found
    finally:
        down, status = found.run("down"), found.run("status")
        found.leave_nothing()
    assert (down.code, status.code) == (0, 1), down.err + status.out


def free_offset() -> int:
    """Give a port offset between that of a user's own platform and the ports that systems give to clients."""
    offsets = random.sample(range(10_000, 27_000, 5), 1000)
    return next(offset for offset in offsets if all(is_free(port + offset) for port in PORTS.values()))


@pytest.fixture
def shared(standing: Lab) -> Lab:
    """The command line where a platform is up, and no run yet."""
    shutil.rmtree(standing.folder / "runs", ignore_errors=True)
    return standing


@pytest.fixture
def passed() -> Callable[[Ended], bool]:
    """Tell whether a `run --json` passed; where only this machine was too busy to measure well, that it would have."""

    def look(ended: Ended) -> bool:
        met = all(threshold["outcome"] == "PASS" for threshold in ended.json["thresholds"])
        return ended.code == 0 or (ended.too_busy and met)

    return look
