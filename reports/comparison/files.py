"""A comparison for the command line: read, compared, written to files, and its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, nearest
from lab.store import written
from reports.compare import Options, compare
from reports.comparison.experiments import levels
from reports.comparison.sides import sides, the_experiment
from reports.stats.ruling import Answer, Levels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reports.comparison.metrics import Metric
    from reports.comparison.result import Comparison

REGRESSED: Final = "regressed"
WIDEST: Final = 0.5


def compared(  # noqa: PLR0913 - each is an option of the command
    references: Sequence[str], out: Path, metrics: tuple[Metric, ...], alpha: float, *, force: bool, by: str = ""
) -> Comparison:
    """Compare the first of some runs, labels or experiments with each of the others, or an experiment's own sides.

    Raises:
        ConfigError: alpha is no such probability.
        NotComparableError: they differ in more than what is compared.
        RunError: there is no such run.
    """
    if not 0 < alpha < WIDEST:
        raise ConfigError(f"--alpha {alpha:g} must be between 0 and {WIDEST}, like 0.05")
    baseline, *candidates = sides(references, out, by)
    if not candidates:
        raise ConfigError(f'"{references[0]}" is no experiment: name what it is to be compared with')
    sure, experiment = Levels(alpha, alpha), the_experiment(references, out)
    if experiment is not None:
        sure = levels(experiment, sure)
    same = experiment is not None and experiment.identical
    return compare(baseline, candidates, Options(metrics, sure, force=force, identical=same))


def write(path: Path, text: str) -> None:
    """Write a file, and the folder that it is to be in.

    Raises:
        RunError: the disk does not take it.
    """
    with written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def exit_code(found: Comparison, fail_on: str) -> int:
    """Give 1 where something regressed and that is to fail, else 0.

    Raises:
        ConfigError: `fail_on` is neither empty nor `regressed`.
    """
    if fail_on not in {"", REGRESSED}:
        raise ConfigError(f'--fail-on "{fail_on}"{nearest(fail_on, [REGRESSED])}')
    worse = any(row.ruling.answer is Answer.REGRESSED for row in found.rows)
    return int(bool(fail_on) and worse)
