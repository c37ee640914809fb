"""How a load process ends: what it leaves for its parent in `engine.json`, and what it does when that is gone."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import gevent
import gevent.socket

from lab.engine.cell import Traces, listed
from lab.errors import LabError
from lab.model.verdict import Finding, Validity
from lab.store import ENGINE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.cell import Stops
    from lab.store import RunFolder

MAX_SAID: Final = 5
log: Final = logging.getLogger("lab.engine")


@dataclass(frozen=True, slots=True)
class Ending:
    """What a load process, or the master of many, ended with.

    Attributes:
        reason: `finished`, `stopped` or `crashed`.
        traces: what the user's own code raised.
        findings: what must be said of how the load was made.
        detail: why it crashed.
        error: why the load could not be run at all.
    """

    reason: str = "crashed"
    traces: Traces = field(default_factory=Counter)
    findings: tuple[Finding, ...] = ()
    detail: str = ""
    error: LabError | None = None

    @property
    def exit_code(self) -> int:
        """Give what the process ends with."""
        return self.error.exit_code if self.error else 0

    def write(self, folder: RunFolder) -> None:
        """Leave it where the parent looks."""
        said = {
            "reason": self.reason,
            "error": str(self.error) if self.error else None,
            "exit_code": self.exit_code,
            "traces": listed(self.traces),
            "findings": [[found.gate, found.level, found.sentence] for found in self.findings],
            "detail": self.detail,
        }
        (folder.path / ENGINE_FILE).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def heed(stops: Stops) -> None:
    """Take SIGINT and SIGTERM from now on, those too that came while this process was starting and held them back."""
    gevent.signal_handler(signal.SIGINT, stops.ask)
    gevent.signal_handler(signal.SIGTERM, stops.at_once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def heed_parent(stops: Stops, orders: Mapping[str, Callable[[object], None]]) -> None:
    """Do for ever what the process that started this one says, and stop at once when it is gone.

    It says it on standard input, a JSON object a line: `{"edit": 40}`. Where that ends, it is gone.
    """
    rest = b""
    while True:
        gevent.socket.wait_read(sys.stdin.fileno())
        came = os.read(sys.stdin.fileno(), 65_536)
        if not came:
            break
        *lines, rest = (rest + came).split(b"\n")
        for line in lines:
            _obey(line, orders)
    log.warning("the parent process is gone: stopping at once")
    stops.at_once()


def _obey(line: bytes, orders: Mapping[str, Callable[[object], None]]) -> None:
    try:
        for word, value in json.loads(line).items():
            orders[word](value)
    except (ValueError, KeyError, AttributeError):
        log.exception("an order could not be followed: %r", line)


class Edited:
    """What was changed by hand while the load went on."""

    def __init__(self) -> None:
        self._at: list[tuple[float, int]] = []

    def note(self, elapsed: float, number: int) -> None:
        """Hear of a change."""
        self._at.append((elapsed, number))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Give what must be said of it."""
        if not self._at:
            return ()
        said = ", then ".join(f"to {number:,} at {elapsed:.0f} s" for elapsed, number in self._at[:MAX_SAID])
        sentence = f"edited by hand, {said}: this is not the scenario's load"
        return (Finding("load", Validity.SUSPECT, sentence),)
