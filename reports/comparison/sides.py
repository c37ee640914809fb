"""From what a person types to the sides of a comparison: runs by id or by label, and experiments."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lab import store
from lab.errors import ConfigError, RunError, nearest
from lab.experiment import folder as experiments
from lab.model.run import Status
from reports.comparison.experiments import arm, arms
from reports.comparison.figures import Side
from reports.comparison.reading import figures_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.model.experiment import Experiment
    from lab.store import RunFolder
    from reports.comparison.figures import RunFigures

BY: Final = ("run", "label", "experiment")


def the_experiment(references: Sequence[str], out: Path) -> Experiment | None:
    """Give the experiment that is compared on its own terms: the only one that is named, and nothing beside it."""
    found = experiments.find(references[0], out) if len(references) == 1 else None
    return found.load() if found else None


def sides(references: Sequence[str], out: Path, by: str = "") -> list[Side]:
    """Give the sides: of one experiment its own; else one for each reference.

    Args:
        references: ids, `latest`, folders' paths, labels (every run that has it), experiments (the runs of their
            candidate; of another side as `EXPERIMENT:LABEL`).
        out: where runs are.
        by: how all of them are meant: `run`, `label` or `experiment`; "" for whatever there is of that name.

    Raises:
        ConfigError: `by` is none of these.
        RunError: there is no such run, or it is unfinished.
    """
    if by not in {"", *BY}:
        raise ConfigError(f'--by "{by}"{nearest(by, BY)}')
    if by in {"", "experiment"} and (whole := the_experiment(references, out)):
        if not whole.complete:
            raise RunError(
                f"{whole.id} has no whole pair yet; go on with: airbourne-lab experiment --resume {whole.id}"
            )
        return list(arms(whole, _home(references[0], out)))
    others = len({reference.partition(":")[0] for reference in references}) > 1
    found = [(reference, _found(reference, out, by, beside_others=others)) for reference in references]
    alone = all(isinstance(one, list) and len(one) == 1 for _, one in found)
    return _told_apart(
        [
            one if isinstance(one, Side) else _side(reference, [figures_of(run, with_bands=alone) for run in one])
            for reference, one in found
        ]
    )


def _home(reference: str, out: Path) -> Path:
    """Give where the runs of an experiment are: beside it, wherever its path leads."""
    found = experiments.find(reference, out)
    return found.home if found else out


def _found(reference: str, out: Path, by: str, *, beside_others: bool) -> Side | list[RunFolder]:
    """Give the side of an experiment, or a side's runs."""
    whole, _, label = reference.partition(":")
    if by in {"", "experiment"} and (experiment := experiments.find(whole, out)):
        return arm(experiment.load(), label, experiment.home, beside_others=beside_others)
    if by == "experiment":
        experiments.must_find(whole, out)
    labelled = (
        [] if by == "run" else [folder for folder, run in store.runs(out) if _has(run.label, run.status, reference)]
    )
    if labelled and (by == "label" or not (out / reference).exists()):
        return labelled[::-1]
    if by == "label":
        raise RunError(f'no finished run has the label "{reference}"; see them with: airbourne-lab runs')
    try:
        folder = store.find(reference, out)
    except RunError as error:
        raise RunError(f'{error}; and no finished run has the label "{reference}"') from None
    if folder.load().status is not Status.FINISHED:
        raise RunError(f"{reference} did not come to its end: half a run is not compared")
    return [folder]


def _has(label: str, status: Status, reference: str) -> bool:
    return label == reference and status is Status.FINISHED


def _side(reference: str, runs: Sequence[RunFigures]) -> Side:
    """Give a side with what its runs agree in: a note or a revision that only some of them have is not the side's."""
    notes, revisions = ({getattr(run, name) for run in runs} for name in ("note", "revision"))
    note, revision = (found.pop() if len(found) == 1 else "" for found in (notes, revisions))
    label = reference if len(runs) > 1 else runs[0].label or runs[0].run_id
    return Side(label, tuple(runs), note, revision)


def _told_apart(found: Sequence[Side]) -> list[Side]:
    """Name single runs that have one label by their ids."""
    counts = Counter(side.label for side in found)
    return [
        replace(side, label=side.runs[0].run_id) if counts[side.label] > 1 and len(side.runs) == 1 else side
        for side in found
    ]
