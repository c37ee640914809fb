"""The stack's status as lines or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from reports import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.stack.status import StackStatus

MARKS: Final = {"ready": "✓", "starting": "…", "unhealthy": "✗", "failed": "✗"}


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
