"""From what a person types to the sides of a comparison: a run by its id, or all runs with a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import store
from lab.errors import RunError
from lab.model.run import Status
from reports.comparison.figures import Side
from reports.comparison.reading import figures_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.store import RunFolder
    from reports.comparison.figures import RunFigures


def sides(references: Sequence[str], out: Path) -> list[Side]:
    """Give a side for each reference: an id, `latest`, a folder's path, or a label, which means every run that has it.

    Raises:
        RunError: there is no such run, or it is unfinished.
    """
    found = [(reference, _folders(reference, out)) for reference in references]
    alone = all(len(folders) == 1 for _, folders in found)
    return [
        _side(_label(reference, folders), [figures_of(folder, with_bands=alone) for folder in folders])
        for reference, folders in found
    ]


def _side(label: str, runs: Sequence[RunFigures]) -> Side:
    """Give a side with what its runs agree in: a note or a revision that only some of them have is not the side's."""
    notes, revisions = ({getattr(run, name) for run in runs} for name in ("note", "revision"))
    note, revision = (found.pop() if len(found) == 1 else "" for found in (notes, revisions))
    return Side(label, tuple(runs), note, revision)


def _folders(reference: str, out: Path) -> list[RunFolder]:
    labelled = [folder for folder, run in store.runs(out) if run.label == reference and _whole(run.status)]
    if labelled and not (out / reference).exists():
        return labelled[::-1]
    try:
        folder = store.find(reference, out)
    except RunError as error:
        raise RunError(f'{error}; and no finished run has the label "{reference}"') from None
    if not _whole(folder.load().status):
        raise RunError(f"{reference} did not come to its end: half a run is not compared")
    return [folder]


def _whole(status: Status) -> bool:
    return status is Status.FINISHED


def _label(reference: str, folders: Sequence[RunFolder]) -> str:
    if len(folders) > 1:
        return reference
    run = folders[0].load()
    return run.label or run.id
