"""Show a seeder's progress: a bar per kind on a terminal; anywhere else a line per kind, and more for what is slow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.progress import Task, TaskID

    from seeders.events import Progress

PLAIN_EVERY_S: Final = 5.0
"""What takes longer than this says so as often, where there is no bar to watch."""
SLOW_KINDS: Final = ("users", "tokens")
"""What costs the target a password hash each, and says when it begins."""


class _RateColumn(ProgressColumn):
    """How many were done per second, lately."""

    def render(self, task: Task) -> Text:
        """Give the rate, or blanks before there is one."""
        rate = task.finished_speed or task.speed
        return Text(f"{rate:,.0f}/s" if rate else "", style="dim")


class ProgressView:
    """A context manager to hand to `seed` as `on_progress`."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("[dim]{task.fields[detail]}"),
            console=self._console,
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._live:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        if self._live:
            self._bars.stop()

    def __call__(self, event: Progress) -> None:
        """Show an event."""
        detail = f"{event.created:,} created, {event.found:,} found"
        if self._live:
            self._draw(event, detail)
            return
        now = self._clock()
        begun = self._begun.setdefault(event.kind, now)
        said = self._said.setdefault(event.kind, now)
        if event.done == event.total:
            self._say(f"{event.kind}: {event.done:,} of {event.total:,} ({detail}) in {now - begun:.1f} s")
        elif event.done == 0 and event.kind in SLOW_KINDS:
            self._say(f"{event.kind}: 0 of {event.total:,}")
        elif now - said >= PLAIN_EVERY_S:
            self._said[event.kind] = now
            rate = event.done / (now - begun)
            left = (event.total - event.done) / rate
            self._say(f"{event.kind}: {event.done:,} of {event.total:,}, {rate:,.3g}/s, {left:,.0f} s left")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _draw(self, event: Progress, detail: str) -> None:
        if event.kind not in self._tasks:
            self._tasks[event.kind] = self._bars.add_task(event.kind, total=event.total, detail="")
        self._bars.update(self._tasks[event.kind], completed=event.done, total=event.total, detail=detail)
