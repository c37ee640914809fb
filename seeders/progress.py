"""Show a seeder's progress: a bar per kind on a terminal, one line per kind anywhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Task, TaskID

    from seeders.events import Progress


class _RateColumn(ProgressColumn):
    """How many were done per second, lately."""

    def render(self, task: Task) -> Text:
        """Give the rate, or blanks before there is one."""
        rate = task.finished_speed or task.speed
        return Text(f"{rate:,.0f}/s" if rate else "", style="dim")


class ProgressView:
    """A context manager to hand to `seed` as `on_progress`."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}
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
        self._begun.setdefault(event.kind, time.monotonic())
        detail = f"{event.created:,} created, {event.found:,} found"
        if self._live:
            self._draw(event, detail)
        elif event.done == event.total:
            took = time.monotonic() - self._begun[event.kind]
            self._console.print(
                f"{event.kind}: {event.done:,} of {event.total:,} ({detail}) in {took:.1f} s",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )

    def _draw(self, event: Progress, detail: str) -> None:
        if event.kind not in self._tasks:
            self._tasks[event.kind] = self._bars.add_task(event.kind, total=event.total, detail="")
        self._bars.update(self._tasks[event.kind], completed=event.done, total=event.total, detail=detail)
