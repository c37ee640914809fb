"""Runs as a table, newest first, or as JSON."""

from __future__ import annotations

import json
from math import isinf
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from lab import store
from lab.errors import RunError
from lab.model.sample import FAIL, OK
from lab.model.threshold import Selector
from reports import sofar, units, words
from reports.shown import shown_percentile
from reports.words import Outlook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.store import RunFolder

_BOOKINGS: Final = Selector("http_req_duration", (("operation", "booking"),))
_ALL: Final = Selector("http_req_duration")
_STYLES: Final = {
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
    for folder, run in found:
        tally = _tally(folder, run)
        counted = sofar.totals(run, tally)
        source = f"imported from {run.source}" if run.source else ""
        about = [units.plain(text, 60) for text in (run.profile, run.label, source) if text]
        table.add_row(
            Text(units.plain(run.id, 60), style="bold"),
            Text(_verdict(run), style=_STYLES[words.headline(run).outlook]),
            units.whole(counted.ok + counted.failed) if counted else units.NO_FIGURE,
            _latency(run, tally),
            _seats(run),
            Text(", ".join(about)),
        )
    return table


def _tally(folder: RunFolder, run: Run) -> Tally | None:
    try:
        return sofar.tally(folder, run)
    except (RunError, OSError):  # a log that cannot be read, or that a run just closed, costs one row its figures
        return None


def _latency(run: Run, tally: Tally | None) -> str:
    """Write p95 of bookings if a threshold measured it, else of all requests; a dash where too few were beyond it."""
    measured = {result.metric: result for result in run.thresholds if words.aggregation(result.expression) == "p(95)"}
    for metric in (str(_BOOKINGS), str(_ALL)):
        if result := measured.get(metric):
            value = result.actual
            if value is None or (words.few(run, result) and not isinf(value)):
                return units.NO_FIGURE
            return units.ms(value * units.US_PER_MS)
    if tally is not None:
        # The operation may be one that this scenario does not have.
        chosen = _BOOKINGS if tally.requests(_BOOKINGS, OK) + tally.requests(_BOOKINGS, FAIL) else _ALL
        return units.ms(shown_percentile(tally.histogram(chosen), 0.95, tally.requests(chosen, FAIL)))
    return units.NO_FIGURE


def _verdict(run: Run) -> str:
    """Write the headline's word and the validity, each once: `FAILED, SUSPECT`."""
    word = words.headline(run).word.partition(",")[0]
    level = run.verdict.validity if run.verdict else word
    return word if level == word else f"{word}, {level}"


def _seats(run: Run) -> str:
    integrity = run.integrity
    if integrity is None or not integrity.checked:
        return units.NO_FIGURE
    # Not their sum: a seat that was sold and did not exist is missing from the count too.
    figures = [figure for figure in (integrity.seats_oversold, integrity.seats_lost) if figure is not None]
    return units.whole(max(figures)) if figures else units.NO_FIGURE
