"""A comparison as one HTML file that opens offline: the answer first, then all that a reader needs to doubt it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from lab.errors import RunError
from lab.store import RUN_FILE, RunFolder, find
from reports import offline, outputs, units
from reports.attribution import table
from reports.attribution.table import Line
from reports.comparison import dots, lines, notes, words
from reports.comparison.differing import differing
from reports.comparison.forest import Forest, forests
from reports.comparison.headline import main_operation
from reports.comparison.ledger import SHOWN, ledger
from reports.comparison.members import every_side, experiment, members
from reports.comparison.overlays import overlays
from reports.comparison.result import Cause, Row, SideNote
from reports.comparison.standing import against, standing
from reports.comparison.waterfall import waterfall
from reports.comparison.workings import HEADINGS, workings
from reports.words import LEVEL_MARKS, Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lab.model.run import Run
    from reports.comparison.result import Comparison

TEMPLATE: Final = "comparison.html.j2"
STYLES: Final = (offline.STYLE, "comparison.css")
_NARROWEST: Final = 8
_WIDEST: Final = 36
_CODE: Final = re.compile(r"`([^`]*)`")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What explains the difference between two sides: by operation, each with the tables of its median and its p95."""

    baseline: str
    candidate: str
    operations: tuple[tuple[str, tuple[tuple[Cause, tuple[Line, ...]], ...]], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A candidate's part of the page: its rows by operation, the letters of the reasons below, its forest plots.

    `widest` is how many characters the names of its rows take.
    """

    side: SideNote
    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    letters: dict[str, str]
    widest: int
    forests: tuple[Forest, ...]


def write_html(found: Comparison, runs: Iterable[RunFolder], path: Path) -> None:
    """Write the page, and the folder that it is to be in.

    Args:
        found: the comparison.
        runs: the folders of its runs; what is drawn over time is left out of a run whose folder is not among them.
        path: where; `-` is standard output.

    Raises:
        RunError: the file cannot be written.
    """
    outputs.write(path, render(found, runs))


def folders(found: Comparison, out: Path, references: Sequence[str] = ()) -> list[RunFolder]:
    """Find the folders of a comparison's runs: in `out`, or else where the references lead.

    Args:
        found: the comparison.
        out: where runs are.
        references: what was compared, as it was typed: among it may be paths of folders elsewhere.
    """
    here = [RunFolder(out / run.run_id) for side in every_side(found) for run in side.runs]
    elsewhere = []
    for reference in references:
        try:
            elsewhere.append(find(reference, out))
        except RunError:
            continue  # a label, or an experiment
    return [folder for folder in (*here, *elsewhere) if (folder.path / RUN_FILE).is_file()]


def render(found: Comparison, runs: Iterable[RunFolder]) -> str:
    """Give the whole page; `runs` as for `write_html`."""
    known = _read(runs)
    operation = main_operation(found.rows)
    drawn = overlays(
        [member.run.run_id for member in members(found)],
        {run_id: folder for run_id, (folder, _) in known.items()},
        operation,
    )
    falling = waterfall(found, operation)
    charts = [
        *(over := [lines.over_time(found, drawn, operation), lines.curves(found, drawn, operation)]),
        *(spread := dots.dots(found, operation)),
        *(ordered := dots.order(found, operation)),
        *([falling] if falling else []),
    ]
    return offline.page(
        TEMPLATE,
        {chart.id: chart.figure for chart in charts if chart.figure},
        STYLES,
        found=found,
        head=standing(found),
        sentence=[(text, bool(place % 2)) for place, text in enumerate(_CODE.split(found.headline))],
        against=against(found),
        notes=notes.notes(found),
        sections=[_part(found, side) for side in found.candidates],
        operation=operation,
        charts=charts,
        over=over,
        explanations=_explanations(found),
        left_out=drawn.left_out,
        spread=spread,
        order=ordered,
        ledgers=[list(ledger(found, operation, metric)) for metric in SHOWN],
        waterfall=falling,
        sides=every_side(found),
        members=members(found),
        experiment=experiment(found),
        differing=differing(found, {run_id: run for run_id, (_, run) in known.items()}),
        workings=workings(found),
        working_headings=HEADINGS,
        words=words,
        validity_mark=_validity_mark,
    )


def _read(runs: Iterable[RunFolder]) -> dict[str, tuple[RunFolder, Run]]:
    """Read what can still be read of the runs, by id."""
    found = {}
    for folder in runs:
        try:
            run = folder.load()
        except RunError:
            continue
        found[run.id] = (folder, run)
    return found


def _part(found: Comparison, side: SideNote) -> Part:
    rows = [row for row in found.rows if row.candidate == side.label]
    groups = tuple((operation, tuple(mine)) for operation, mine in groupby(rows, key=lambda row: row.operation))
    widest = max((units.cells(words.subject(row)) for row in rows), default=0)
    return Part(side, groups, notes.keyed(rows, 1), min(max(widest, _NARROWEST), _WIDEST), tuple(forests(rows)))


def _explanations(found: Comparison) -> list[Explanation]:
    """Give what explains each candidate's difference from the baseline, and below it that from the one before it."""
    return [
        Explanation(
            causes[0].baseline,
            side.label,
            tuple(
                (operation, tuple((cause, tuple(table.lines(cause.difference))) for cause in mine))
                for operation, mine in groupby(causes, key=lambda cause: cause.operation)
            ),
        )
        for side in found.candidates
        for causes in (found.causes(side.label), found.causes(side.label, step=True))
        if causes
    ]


def _validity_mark(validity: Any) -> Mark:  # noqa: ANN401 - of a template
    return LEVEL_MARKS.get(validity, Mark.NONE)
