"""What goes along with the load: probes measure beside it, a sink hears of every second."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from lab import samples_file
from lab.model.sample import Tick

if TYPE_CHECKING:
    from types import TracebackType

    from lab.model.run import Run
    from lab.probes import Probes
    from lab.sinks.config import Sink
    from lab.store import RunFolder


class Beside:
    """Adds what the probes measured to the load's seconds, and passes them on; `run` says when second 0 began."""

    def __init__(self, run: Run, folder: RunFolder, probes: Probes, sink: Sink | None) -> None:
        self.run = run
        self._folder = folder
        self._probes = probes
        self._sink = sink
        self._seconds = 0

    def second(self, tick: Tick) -> Tick:
        """Take a second of the load as it comes; gives it with the gauges that were measured in it."""
        if not self.run.load_started:
            self._begin(tick)
        if tick.second >= self._seconds:
            self._seconds = tick.second + 1
            # What the load process says of itself stands; a second that comes late was measured in its own time.
            gauges = {key: value for key, value in self._probes.take().items() if key not in tick.gauges}
            if gauges:
                samples_file.note(self._folder, Tick(tick.second, gauges=gauges))
                tick = replace(tick, gauges={**tick.gauges, **gauges})
        if self._sink is not None:
            self._sink.tick(tick)
        return tick

    def news(self) -> str:
        """Give what the sink has to say, once."""
        return self._sink.news() if self._sink is not None else ""

    def _begin(self, tick: Tick) -> None:
        # A second comes when it is over.
        began = datetime.fromtimestamp(time.time() - tick.second - 1, UTC)
        self.run = replace(self.run, load_started=began.isoformat(timespec="milliseconds"))
        self._folder.save(self.run)
        if self._sink is not None:
            self._sink.begin(self.run, self._folder)

    def __enter__(self) -> Self:
        """Begin to measure."""
        self._probes.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Measure no more."""
        self._probes.__exit__(kind, error, trace)
