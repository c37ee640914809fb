"""How a load process ends: what it leaves for its parent in `engine.json`, and what it does when that is gone."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import gevent
import gevent.socket

from lab.engine.cell import Traces, listed
from lab.errors import LabError
from lab.model.verdict import Finding
from lab.store import ENGINE_FILE

if TYPE_CHECKING:
    from lab.engine.cell import Stops
    from lab.store import RunFolder

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


def watch_parent(stops: Stops) -> None:
    """Stop at once when the process that started this one is gone: standard input, where nothing comes, then ends."""
    gevent.socket.wait_read(sys.stdin.fileno())
    log.warning("the parent process is gone: stopping at once")
    stops.at_once()
