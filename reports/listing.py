"""Runs as a table, newest first, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from lab import store
from lab.model.run import Status
from reports import units, words
from reports.words import Outlook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.model.run import Run
    from lab.store import RunFolder

_STYLES = {
    Outlook.PASSED: "green",
    Outlook.FAILED: "red",
    Outlook.SUSPECT: "yellow",
    Outlook.INVALID: "magenta",
    Outlook.OPEN: "cyan",
}


def run_dict(folder: RunFolder, run: Run) -> dict[str, Any]:
    """Give a run as `run.json` holds it, with the folder's path."""
    known: dict[str, Any] = json.loads(store.dump(run))
    return {"folder": str(folder.path), **known}


def to_json(found: Iterable[tuple[RunFolder, Run]]) -> str:
    """Write runs as a JSON list, in the order given."""
    return json.dumps([run_dict(folder, run) for folder, run in found], indent=1)


def runs_table(found: Iterable[tuple[RunFolder, Run]]) -> Table:
    """Give a table of runs, in the order given."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("run", "verdict", "requests", "failed", "seats wrong", "profile, label"):
        number = heading in {"requests", "failed", "seats wrong"}
        table.add_column(heading, justify="right" if number else "left", no_wrap=heading != "profile, label")
    for _, run in found:
        table.add_row(
            Text(run.id, style="bold"),
            Text(_verdict(run), style=_STYLES[words.headline(run).outlook]),
            units.whole(run.totals.ok + run.totals.failed),
            units.whole(run.totals.failed),
            _seats(run),
            Text(", ".join(text for text in (run.profile, units.plain(run.label, 40)) if text)),
        )
    return table


def _verdict(run: Run) -> str:
    if run.verdict is None:
        return "not ended" if run.status is Status.RUNNING else str(run.status)
    return f"{'passed' if run.verdict.passed else 'failed'}, {run.verdict.validity}"


def _seats(run: Run) -> str:
    if run.integrity is None or not run.integrity.checked:
        return "not audited"
    return units.whole((run.integrity.seats_oversold or 0) + (run.integrity.seats_lost or 0))
