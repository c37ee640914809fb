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
    """Give a table of runs, in the order given; it fits into 80 columns."""
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0))
    for heading in ("run", "verdict", "requests", "p95 ms", "seats\nwrong"):
        table.add_column(heading, justify="left" if heading in {"run", "verdict"} else "right", no_wrap=True)
    table.add_column("profile,\nlabel", overflow="fold")
    for _, run in found:
        about = [units.plain(text, 40) for text in (run.profile, run.label) if text]
        table.add_row(
            Text(units.plain(run.id, 60), style="bold"),
            Text(_verdict(run), style=_STYLES[words.headline(run).outlook]),
            units.whole(run.totals.ok + run.totals.failed),
            _latency(run),
            _seats(run),
            Text(", ".join(about)),
        )
    return table


def _latency(run: Run) -> str:
    """Write p95 of bookings if a threshold measured it, else of all requests."""
    measured = {
        result.metric: result.actual for result in run.thresholds if words.aggregation(result.expression) == "p(95)"
    }
    for metric in ("http_req_duration{operation:booking}", "http_req_duration"):
        if metric in measured:
            value = measured[metric]
            return units.ms(None if value is None else value * units.US_PER_MS)
    return units.NO_FIGURE


def _verdict(run: Run) -> str:
    if run.verdict is None:
        return "not ended" if run.status is Status.RUNNING else str(run.status)
    return f"{'passed' if run.verdict.passed else 'failed'}, {run.verdict.validity}"


def _seats(run: Run) -> str:
    integrity = run.integrity
    if integrity is None or not integrity.checked:
        return units.NO_FIGURE
    # Not their sum: a seat that was sold and did not exist is missing from the count too.
    figures = [figure for figure in (integrity.seats_oversold, integrity.seats_lost) if figure is not None]
    return units.whole(max(figures)) if figures else units.NO_FIGURE
