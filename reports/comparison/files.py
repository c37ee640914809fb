"""A comparison for the command line: read, compared, written to files, and its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, nearest
from reports import outputs
from reports.attribution.between import because
from reports.compare import Options, compare
from reports.comparison import export, junit, markdown
from reports.comparison.experiments import levels, unfinished
from reports.comparison.sides import sides, the_experiment
from reports.stats.ruling import Answer, Levels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reports.comparison.metrics import Metric
    from reports.comparison.result import Comparison, Row

REGRESSED: Final = "regressed"
WIDEST: Final = 0.5
USUAL: Final = 0.05


def compared(  # noqa: PLR0913 - each is an option of the command
    references: Sequence[str], out: Path, metrics: tuple[Metric, ...], alpha: float | None, *, force: bool, by: str = ""
) -> Comparison:
    """Compare the first of some runs, labels or experiments with each of the others, or an experiment's own sides.

    Without an alpha it is the experiment's own, and 5 % of what is none.

    Raises:
        ConfigError: alpha is no such probability.
        NotComparableError: they differ in more than what is compared.
        RunError: there is no such run.
    """
    if alpha is not None and not 0 < alpha < WIDEST:
        raise ConfigError(f"--alpha {alpha:g} must be between 0 and {WIDEST}, like 0.05")
    baseline, *candidates = sides(references, out, by)
    if not candidates:
        raise ConfigError(f'"{references[0]}" is no experiment: name what it is to be compared with')
    # Two sides of one experiment were looked at together, however they are named.
    names = sorted({reference.partition(":")[0] for reference in references})
    experiment = the_experiment(names, out) if by in {"", "experiment"} else None
    whole = alpha or (experiment.alpha if experiment else USUAL)
    sure = Levels(whole, whole)
    if experiment is not None:
        sure = levels(experiment, sure)
    same = experiment is not None and experiment.identical
    found = compare(baseline, candidates, Options(metrics, sure, force=force, identical=same))
    found = explained(found, out, references)
    return replace(found, warnings=(*unfinished(experiment), *found.warnings)) if experiment else found


def explained(found: Comparison, out: Path, references: Sequence[str] = ()) -> Comparison:
    """Add to a comparison where the time went that makes the difference, where the runs' target told it."""
    causes, notes = because(found, out, references)
    return replace(found, because=causes, warnings=(*found.warnings, *notes))


def make(found: Comparison, paths: Mapping[str, Path], out: Path, references: Sequence[str] = ()) -> None:
    """Write a comparison to files.

    Args:
        found: the comparison.
        paths: where each goes, by its option: `--html`, `--md`, `--json`, `--junit`; `-` is standard output.
        out: where runs are.
        references: what was compared, as it was typed, of runs that are elsewhere.

    Raises:
        RunError: the disk does not take a file.
    """
    renderers: dict[str, Callable[[], str]] = {
        "--html": lambda: _page(found, out, references),
        "--md": lambda: markdown.render(found),
        "--json": lambda: export.render(found),
        "--junit": lambda: junit.render(found),
    }
    for option, path in paths.items():
        outputs.write(path, renderers[option]())


def _page(found: Comparison, out: Path, references: Sequence[str]) -> str:
    from reports.comparison import page  # noqa: PLC0415 - plotly is heavy, and only a page needs it

    return page.render(found, page.folders(found, out, references))


def check_fail_on(fail_on: str) -> None:
    """Refuse what nothing could fail on, before hours of runs are made.

    Raises:
        ConfigError: it is neither empty nor `regressed`.
    """
    if fail_on not in {"", REGRESSED}:
        raise ConfigError(f'--fail-on "{fail_on}"{nearest(fail_on, [REGRESSED])}')


def exit_code(found: Comparison, fail_on: str) -> int:
    """Give 1 where something regressed and that is to fail, else 0; what a candidate does not do any more regressed.

    Raises:
        ConfigError: `fail_on` is neither empty nor `regressed`.
    """
    check_fail_on(fail_on)
    worse = any(row.ruling.answer is Answer.REGRESSED or _gone(row) for row in found.rows)
    return int(bool(fail_on) and worse)


def _gone(row: Row) -> bool:
    """Tell whether what the baseline did the candidate does not do at all."""
    return row.metric.name == "throughput" and bool(row.before) and not row.after
