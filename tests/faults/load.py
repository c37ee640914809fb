"""The lab's own load against a house, in a process of its own: `airbourne-lab run`, and what it leaves to read."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from lab import samples_file
from lab.model.histogram import low_edge
from lab.store import RunFolder
from tests.integration.services.platform import wait_until

if TYPE_CHECKING:
    from lab.model.target import Target

HERE: Final = Path(__file__).parent
LAB: Final = Path(sys.executable).with_name("airbourne-lab")
SERVICES: Final = ("gateway", "auth", "flights", "booking", "reminder")
PATIENCE_S: Final = 150
CALM_S: Final = 3
BOOKED: Final = 20
"""So many seconds of load, with so many bookings, go before a fault."""
WELL_S: Final = 5
"""So many seconds of load come after it, when all is up again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt to book was answered; times in seconds since the epoch."""

    sent: float
    answered: float
    status: int
    booking: int | None
    body: str

    @property
    def ok(self) -> bool:
        """Tell whether it was booked."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended: exit code, what `--json` printed, every answer in order, its folder, its last words."""

    code: int
    run: dict[str, Any]
    answers: list[Answer]
    folder: RunFolder
    said: str

    @property
    def failed(self) -> list[Answer]:
        """Give the attempts that were not booked."""
        return [answer for answer in self.answers if not answer.ok]

    @property
    def longest_s(self) -> float:
        """Give the longest request of all, as the run's samples have it."""
        samples = samples_file.read(self.folder)[0].to_pylist()
        return max(low_edge(row["bin"]) for row in samples if row["metric"] == "http_req_duration") / 1e6

    def booked_between(self, begin: float, end: float) -> int:
        """Count the bookings that were asked for and answered within a span of time."""
        return sum(answer.ok and begin <= answer.sent and answer.answered <= end for answer in self.answers)

    def story(self, up: float) -> str:
        """Say what users met, and how long after the moment when all was up again."""
        first = next((f"{a.answered - up:+.1f} s" for a in self.answers if a.ok and a.sent > up), "never")
        last = next((f"{a.answered - up:+.1f} s" for a in reversed(self.failed)), "never")
        statuses = dict(Counter(answer.status for answer in self.failed))
        times = f"first success {first}, last failure {last}, longest request {self.longest_s:.1f} s"
        return f"{len(self.answers)} attempts, failed by status: {statuses}; {times}"


class Load:
    """20 users who book, from `with` on until they are done.

    Args:
        target: where they book.
        dataset: what.
        folder: where the run goes to; an empty one.
    """

    def __init__(self, target: Target, dataset: Path, folder: Path) -> None:
        self._folder = folder
        self._answers = folder / "answers.jsonl"  # as steady.toml calls it
        options = [f"--dataset={dataset}", *(f"--{name}={target.url(name)}" for name in SERVICES)]
        self._process = subprocess.Popen(
            [LAB, "run", f"--scenario={HERE / 'steady.toml'}", *options, "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """Give the load itself, when its users book."""
        self.until_second(1)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process, whatever happened."""
        if self._process.poll() is None:
            self._process.kill()  # its load process ends with it
        self._process.communicate()

    def until_calm(self) -> None:
        """Wait until the users have booked for some seconds."""
        self.until_second(CALM_S)
        wait_until(lambda: self._answers.read_text(encoding="utf-8").count('"status": 200') > BOOKED, "bookings")

    def until_second(self, number: int) -> float:
        """Wait for a second of the run; give the time of day."""
        wait_until(lambda: self._seconds() >= number, f"second {number} of the load")
        return time.time()

    def for_seconds(self, number: int) -> float:
        """Wait for so many more seconds of the run; give the time of day."""
        return self.until_second(self._seconds() + number)

    def end(self) -> Ran:
        """Let the users book on for some seconds, now that all is up again, and then finish; wait for the run's end."""
        self.for_seconds(WELL_S)
        self._process.send_signal(signal.SIGINT)
        out, err = self._process.communicate(timeout=PATIENCE_S)
        assert out.startswith("{"), err
        lines = self._answers.read_text(encoding="utf-8").splitlines()
        answers = sorted((Answer(**json.loads(line)) for line in lines), key=lambda answer: answer.answered)
        [folder] = self._folder.glob("runs/*")
        return Ran(self._process.returncode, json.loads(out), answers, RunFolder(folder), err)

    def _seconds(self) -> int:
        assert self._process.poll() is None, f"the load ended early: {self._process.communicate()}"
        logs = list(self._folder.glob("runs/*/ticks.jsonl"))
        return logs[0].read_text(encoding="utf-8").count("\n") if logs else 0
