"""An experiment's runs as the sides of a comparison, and how sure is sure after so many pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, nearest
from lab.model.experiment import Kind, State
from lab.store import RunFolder
from reports.comparison.figures import Side
from reports.comparison.reading import figures_of
from reports.stats.ruling import FEWEST_RUNS, Levels
from reports.stats.sequential import looks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.model.experiment import Experiment
    from reports.comparison.figures import RunFigures

TARGET: Final = "target"
"""What of a run's setting says where it was run."""


def arms(
    experiment: Experiment,
    out: Path,
    figures: Callable[[RunFolder], RunFigures] = figures_of,
    *,
    beside_others: bool = False,
) -> tuple[Side, ...]:
    """Give the sides of an experiment, its baseline first: the runs of whole pairs.

    Args:
        experiment: the experiment.
        out: where its runs are.
        figures: reads a run.
        beside_others: whether they are to be compared with what is not of this experiment.

    Raises:
        RunError: a run is gone or cannot be read.
    """
    read = [[figures(RunFolder(out / run)) for run in experiment.runs_of(arm.label)] for arm in experiment.arms]
    places = {(arm.kind, arm.name if arm.kind is Kind.TARGET else "") for arm in experiment.arms}
    moved = any(len({run.setting.get(TARGET) for run in runs}) > 1 for runs in read)
    # Two deployments are what is compared: where they are is no reason not to. One that moved meanwhile is.
    varied = TARGET if len(places) > 1 and not moved and not beside_others else ""
    return tuple(
        Side(
            arm.label, tuple(_without(run, varied) for run in runs), arm.note, _revision([run.revision for run in runs])
        )
        for arm, runs in zip(experiment.arms, read, strict=True)
    )


def arm(experiment: Experiment, label: str, out: Path, *, beside_others: bool = True) -> Side:
    """Give one of its sides; without a label its only candidate.

    Raises:
        ConfigError: it has no such side, or several candidates.
        RunError: a run is gone or cannot be read.
    """
    labels = [arm.label for arm in experiment.arms]
    if not label and len(labels) > 2:  # noqa: PLR2004 - a baseline and one candidate
        raise ConfigError(f"{experiment.id} has several candidates; name one of them: {experiment.id}:{labels[-1]}")
    if label and label not in labels:
        raise ConfigError(f'{experiment.id} has no side "{label}"{nearest(label, labels)}')
    return arms(experiment, out, beside_others=beside_others)[labels.index(label or labels[-1])]


def levels(experiment: Experiment, whole: Levels) -> Levels:
    """Give how sure is sure at as many pairs as there are: less than the whole where a look follows every pair."""
    if not experiment.until_settled or experiment.pairs < FEWEST_RUNS:
        return whole
    planned = looks(experiment.pairs, whole)
    return planned[min(max(experiment.complete - FEWEST_RUNS, 0), len(planned) - 1)].levels


def unfinished(experiment: Experiment) -> tuple[str, ...]:
    """Say what to mind where an experiment that was to have so many pairs is read before it has them."""
    if experiment.state is not State.OPEN or experiment.until_settled or experiment.complete >= experiment.pairs:
        return ()
    made = f"{experiment.complete} of {experiment.pairs} pairs are made"
    why = "whoever looks before the end, and stops when the answer pleases, claims a difference that is none too often"
    return (f"{made}: {why}",)


def _without(run: RunFigures, name: str) -> RunFigures:
    return replace(run, setting={key: text for key, text in run.setting.items() if key != name}) if name else run


def _revision(found: list[str]) -> str:
    return found[0] if len(set(found)) == 1 else ""
