"""Runs as a table, newest first, or as JSON."""

from __future__ import annotations

import json
from itertools import groupby
from math import isinf
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lab import store
from lab.errors import RunError, nearest
from lab.model.sample import FAIL, OK
from lab.model.threshold import Selector
from reports import sofar, units, words
from reports.shown import shown_percentile
from reports.words import Outlook

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.store import RunFolder

_HEADINGS: Final = ("run", "verdict", "requests", "p95 ms", "seats\nwrong", "profile,\nlabel")
_WORDS: Final = 2
"""How many columns at the left are words."""
_FIGURES: Final = len(_HEADINGS) - 1
"""How many columns come before what a run is about."""
_BOOKINGS: Final = Selector("http_req_duration", (("operation", "booking"),))
_ALL: Final = Selector("http_req_duration")
_STYLES: Final = {
    Outlook.PASSED: "green",
    Outlook.FAILED: "red",
    Outlook.SUSPECT: "yellow",
    Outlook.INVALID: "magenta",
    Outlook.OPEN: "cyan",
}


def chosen(
    found: Sequence[tuple[RunFolder, Run]], *, label: str = "", scenario: str = "", profile: str = ""
) -> list[tuple[RunFolder, Run]]:
    """Give the runs that have this label, scenario and profile; an empty text asks for nothing."""
    wanted = {"label": label, "scenario": scenario, "profile": profile}
    return [
        (folder, run) for folder, run in found if all(_of(run)[name] == text for name, text in wanted.items() if text)
    ]


def none_chosen(
    found: Sequence[tuple[RunFolder, Run]], *, label: str = "", scenario: str = "", profile: str = ""
) -> str:
    """Say why no run was chosen, with the nearest name of those that there are."""
    for name, text in (("label", label), ("scenario", scenario), ("profile", profile)):
        known = {_of(run)[name] for _, run in found} - {""}
        if text and text not in known:
            near = nearest(text, [units.plain(other, 60) for other in known])
            return f'no run has the {name} "{units.plain(text, 60)}"{near}'
    return "no run has all of these; ask for less"


def _of(run: Run) -> dict[str, str]:
    return {"label": run.label, "scenario": run.scenario.name, "profile": run.profile}


def run_dict(folder: RunFolder, run: Run) -> dict[str, Any]:
    """Give a run as `run.json` holds it, with the folder's path."""
    known: dict[str, Any] = json.loads(store.dump(run))
    return {"folder": str(folder.path), **known}


def to_json(found: Iterable[tuple[RunFolder, Run]]) -> str:
    """Write runs as a JSON list, in the order given."""
    return json.dumps([run_dict(folder, run) for folder, run in found], indent=1)


def runs_table(found: Iterable[tuple[RunFolder, Run]]) -> Group:
    """Give a table of runs, in the order given; it fits into 80 columns. Runs of one experiment stand under its id."""
    rows = [(run.pairing.experiment if run.pairing else "", _row(folder, run)) for folder, run in found]
    headings = [Text(heading) for heading in _HEADINGS]
    widths = [max(_width(row[place]) for row in (headings, *(row for _, row in rows))) for place in range(_FIGURES)]
    parts: list[Table | Text] = [_table(widths, [headings], "dim")]
    for experiment, group in groupby(rows, key=itemgetter(0)):
        if experiment:
            parts.append(Text(f"experiment {units.plain(experiment, 60)}", style="dim"))
        parts.append(_table(widths, [row for _, row in group]))
    return Group(*parts)


def _table(widths: Sequence[int], rows: Iterable[Sequence[Text]], style: str = "") -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    for place, width in enumerate(widths):
        table.add_column(justify="left" if place < _WORDS else "right", no_wrap=True, width=width, vertical="bottom")
    table.add_column(overflow="fold", vertical="bottom" if style else "top")
    for row in rows:
        table.add_row(*row, style=style)
    return table


def _width(text: Text) -> int:
    return max((units.cells(line) for line in text.plain.split("\n")), default=0)


def _row(folder: RunFolder, run: Run) -> list[Text]:
    tally = _tally(folder, run)
    counted = sofar.totals(run, tally)
    return [
        Text(units.plain(run.id, 60), style="bold"),
        Text(_verdict(run), style=_STYLES[words.headline(run).outlook]),
        Text(units.whole(counted.ok + counted.failed) if counted else units.NO_FIGURE),
        Text(_latency(run, tally)),
        Text(_seats(run)),
        Text(_about(run)),
    ]


def _about(run: Run) -> str:
    """Name what was run: profile, label, where it stands in an experiment, and where it was imported from."""
    source = f"imported from {run.source}" if run.source else ""
    side = run.pairing.side if run.pairing else ""
    # A run of an experiment is mostly labelled as its side is called, which may be its profile's name too.
    parts = [text for text in (run.profile, run.label, source) if text and text != side]
    if run.pairing:
        parts.append(f"pair {run.pairing.pair}: {side}")
    return ", ".join(units.plain(part, 60) for part in parts)


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
