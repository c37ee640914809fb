"""A comparison for the command line: read, compared, written to files, and its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, nearest
from lab.store import written
from reports.attribution.between import because
from reports.compare import Options, compare
from reports.comparison.sides import sides
from reports.stats.ruling import Answer, Levels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reports.comparison.metrics import Metric
    from reports.comparison.result import Comparison

REGRESSED: Final = "regressed"
WIDEST: Final = 0.5


def compared(
    references: Sequence[str], out: Path, metrics: tuple[Metric, ...], alpha: float, *, force: bool
) -> Comparison:
    """Compare the first of some runs or labels with each of the others.

    Raises:
        ConfigError: alpha is no such probability.
        NotComparableError: they differ in more than what is compared.
        RunError: there is no such run.
    """
    if not 0 < alpha < WIDEST:
        raise ConfigError(f"--alpha {alpha:g} must be between 0 and {WIDEST}, like 0.05")
    baseline, *candidates = sides(references, out)
    found = compare(baseline, candidates, Options(metrics, Levels(alpha, alpha), force=force))
    return replace(found, because=because(found, out))


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
