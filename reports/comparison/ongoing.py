"""What an experiment's runs come to so far: worked out after every pair, each run read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import RunError
from reports.compare import Options, compare
from reports.comparison.experiments import arms, levels
from reports.comparison.headline import main_operation
from reports.comparison.metrics import METRICS
from reports.comparison.reading import figures_of
from reports.stats.ruling import Levels

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.experiment import Experiment
    from lab.store import RunFolder
    from reports.comparison.figures import RunFigures
    from reports.comparison.metrics import Metric
    from reports.comparison.result import Comparison, Row


class Ongoing:
    """Reads runs as they come, and compares them when asked."""

    def __init__(self, out: Path, metrics: tuple[Metric, ...] = METRICS) -> None:
        """Make it.

        Args:
            out: where runs are.
            metrics: what is compared.
        """
        self._out = out
        self._metrics = metrics
        self._known: dict[str, RunFigures] = {}

    def figures(self, folder: RunFolder) -> RunFigures:
        """Give a run's figures.

        Raises:
            RunError: it cannot be read.
        """
        name = folder.path.name
        if name not in self._known:
            self._known[name] = figures_of(folder)
        return self._known[name]

    def comparison(self, experiment: Experiment) -> Comparison:
        """Compare the runs of whole pairs.

        Raises:
            NotComparableError: something changed between the runs that must not.
            RunError: no pair is whole, or a run is gone or cannot be read.
        """
        if not experiment.complete:
            raise RunError(f"{experiment.id} has no whole pair: there is nothing to compare")
        baseline, *candidates = arms(experiment, self._out, self.figures)
        sure = levels(experiment, Levels(experiment.alpha, experiment.alpha))
        return compare(baseline, candidates, Options(self._metrics, sure, identical=experiment.identical))


def of_interest(found: Comparison) -> tuple[Row, ...]:
    """Give the rows that an experiment is made for: those of the main operation, of every candidate."""
    operation = main_operation(found.rows)
    return tuple(row for row in found.rows if row.operation == operation)


def settled(found: Comparison) -> bool:
    """Tell whether more pairs would bring nothing more: every row has its answer, or a gate in its way."""
    return not any(row.ruling.open for row in of_interest(found))
