"""A run's points to InfluxDB while it goes on: the run puts its seconds into a queue, a thread makes points of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from queue import Full, Queue
from typing import TYPE_CHECKING, Final

from lab import samples_file
from lab.errors import RunError
from lab.model.run import Run, SinkSummary
from lab.model.sample import Tick
from lab.sinks.points import Points
from lab.sinks.sender import BATCHES_KEPT, Sender
from lab.sinks.spool import Spool
from lab.store import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.sinks.config import InfluxConfig

SECONDS_KEPT: Final = 600
END_S: Final = 5.0
LATE: Final = "not all points could be made in time"
UNMADE: Final = "not all points could be made"


@dataclass(frozen=True, slots=True)
class _Last:
    """What the last points are made of."""

    run: Run
    folder: RunFolder
    delays: tuple[Tick, ...]


class InfluxSink:
    """A `Sink` over one InfluxDB server, for one run."""

    def __init__(self, config: InfluxConfig, *, batches: int = BATCHES_KEPT, patience: float = END_S) -> None:
        """Make it; nothing is opened yet.

        Args:
            config: the server.
            batches: how many seconds' points may wait for the server.
            patience: seconds that `end` may take.
        """
        self._config = config
        self._most = batches
        self._patience = patience
        self._seconds: Queue[Tick | _Last] = Queue(SECONDS_KEPT)
        self._missed = False
        self._broken = False
        self._sender: Sender | None = None
        self._composer: threading.Thread | None = None

    def begin(self, run: Run, folder: RunFolder) -> None:
        """Start the threads."""
        self._sender = Sender(self._config, Spool(folder.spool), self._most)
        self._composer = threading.Thread(
            target=self._compose, args=(Points(run), self._sender), name="points", daemon=True
        )
        self._composer.start()

    def tick(self, tick: Tick) -> None:
        """Take a second; it is never waited for."""
        try:
            self._seconds.put_nowait(tick)
        except Full:
            self._missed = True  # made good from the run folder at the end

    def news(self) -> str:
        """Give a sentence when the server has begun to fail, or to work again."""
        return self._sender.news() if self._sender else ""

    def end(self, run: Run, folder: RunFolder, delays: Sequence[Tick] = ()) -> SinkSummary:
        """Send the last points, and what was spooled, within a bounded time; what then waits stays in the spool."""
        until = time.monotonic() + self._patience
        if self._sender is None or self._composer is None:
            self.begin(run, folder)
        sender, composer = self._sender, self._composer
        if sender is None or composer is None:  # pragma: no cover - `begin` has made them
            return SinkSummary(self._config.url, org=self._config.org, bucket=self._config.bucket)
        try:
            self._seconds.put(_Last(run, folder, tuple(delays)), timeout=self._patience)
        except Full:
            self._missed = True
        composer.join(max(until - time.monotonic(), 0.0))
        found = sender.finish(until)
        if self._broken:
            return replace(found, error=UNMADE)
        return replace(found, error=found.error or LATE) if composer.is_alive() or self._missed else found

    def _compose(self, points: Points, sender: Sender) -> None:
        try:
            self._make(points, sender)
        except Exception:  # noqa: BLE001 - whatever it is, the run goes on, and its summary says what is missing
            self._broken = True

    def _make(self, points: Points, sender: Sender) -> None:
        sender.offer(points.begin())
        made: dict[int, int] = {}
        while isinstance(found := self._seconds.get(), Tick):
            if lines := points.second(found):
                made[found.second] = hash(tuple(lines))
                sender.offer(lines)
        if points.late or self._missed:
            try:
                points = self._again(found, made, sender)
            except RunError:
                self._missed = True
        for tick in found.delays:
            sender.offer(points.second(tick))
        sender.offer(points.end(found.run))

    def _again(self, last: _Last, made: dict[int, int], sender: Sender) -> Points:
        """Make all points anew, since a second came late or was missed, and offer those that are others now."""
        points = Points(last.run)
        points.begin()
        for tick in samples_file.ticks(last.folder):
            lines = points.second(tick)
            if made.get(tick.second) != hash(tuple(lines)):
                sender.correct(lines)
        self._missed = False
        return points
