"""The stack: how it comes up, a line per service, and its status as lines or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from reports import units

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from rich.console import RenderableType

    from lab.stack.state import StackEvent
    from lab.stack.status import StackStatus

WHOLE: Final = "stack"
"""The name under which events speak of all services together."""
MARKS: Final = {"ready": "✓", "starting": "…", "unhealthy": "✗", "failed": "✗"}


class StackView:
    """Shows each step of starting or stopping: lines that settle on a terminal, settled lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._events: dict[str, StackEvent] = {}
        self._spinner = Spinner("dots")
        self._live = Live(console=self._console, get_renderable=self._table) if self._console.is_terminal else None

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        self.close()

    def close(self) -> None:
        """Draw no more; what comes later is printed as lines."""
        if self._live:
            self._live.stop()
            self._live = None

    def __call__(self, event: StackEvent) -> None:
        """Show a step."""
        self._events[event.service] = event
        if self._live is None and (event.state != "starting" or event.service == WHOLE):
            self._console.print(_step(event), soft_wrap=True, highlight=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for event in list(self._events.values()):
            mark: RenderableType = self._spinner if event.state == "starting" else Text(MARKS[event.state])
            table.add_row(mark, *_cells(event))
        return table


def _cells(event: StackEvent) -> tuple[Text, Text, Text]:
    took = f"{event.seconds:.1f} s" if event.state != "starting" and event.seconds else ""
    return Text(f"{event.service:<9}"), Text(event.detail or event.state), Text(took, style="dim")


def _step(event: StackEvent) -> Text:
    step = Text(" ").join([Text(MARKS[event.state]), *_cells(event)])
    step.rstrip()
    return step


def status_lines(status: StackStatus) -> Iterator[str]:
    """Give the status line by line: the whole first, then each service, and the end of the log of one that died."""
    if not status.up:
        yield f"{status.detail}; start it with: airbourne-lab up"
        return
    how = f"profile {status.profile}, port offset {status.port_offset}"
    yield f"{how}, up for {units.clock(status.uptime)}: {status.detail}"
    yield f"  {'service':<10} {'state':<10} {'port':>5} {'pid':>8} {'up for':>8} {'memory':>8} {'cpu':>6}"
    for part in status.parts:
        yield (
            f"{MARKS[part.state]} {part.name:<10} {part.state:<10} {part.port:>5} {part.pid:>8} "
            f"{units.clock(part.uptime):>8} {part.memory:>5.0f} MB {part.cpu:>4.0f} %  {part.detail}".rstrip()
        )
        yield from (f"    {line}" for line in part.log_end.splitlines())


def status_json(status: StackStatus) -> str:
    """Write the status as JSON."""
    return json.dumps(asdict(status) | {"folder": str(status.folder)}, indent=1)
