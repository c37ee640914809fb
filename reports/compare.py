"""Is the candidate better than the baseline? Runs of both go in, a `Comparison` comes out (measurement.md §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.comparison import rows, same
from reports.comparison.contrast import Contrast, contrast
from reports.comparison.headline import headline
from reports.comparison.metrics import METRICS, WHOLE, Metric
from reports.comparison.noise import noise_floor
from reports.comparison.result import Comparison, RunNote, SideNote
from reports.stats.family import adjust
from reports.stats.ruling import Levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.comparison.figures import RunFigures, Side
    from reports.comparison.result import Row


@dataclass(frozen=True, slots=True)
class Options:
    """How a comparison is made.

    Attributes:
        metrics: what is compared, with its margins; a metric that no run has makes no row.
        levels: how sure is sure; of a look in an experiment that goes on, that look's.
        force: whether runs that are not comparable are compared all the same.
        cross_check: whether the sign-flip test is made too.
        identical: whether both sides are known to be one and the same (A/A), so that the answer is the noise.
    """

    metrics: tuple[Metric, ...] = METRICS
    levels: Levels = field(default_factory=Levels)
    force: bool = False
    cross_check: bool = True
    identical: bool = False


def compare(baseline: Side, candidates: Sequence[Side], options: Options | None = None) -> Comparison:
    """Compare candidates with a baseline, and each but the first with the one before it.

    Args:
        baseline: the side that is compared with.
        candidates: the sides that are judged, in the order in which they were made.
        options: how; as the lab does it when not given.

    Raises:
        NotComparableError: the runs differ in more than the change, naming every difference, and it is not forced.
        ConfigError: a side has no runs, or a run or a label is named twice.
    """
    how = options or Options()
    sides = (baseline, *candidates)
    forced = same.check(sides, force=how.force)
    first = [contrast(baseline, candidate) for candidate in candidates]
    later = [contrast(before, after) for before, after in pairwise(candidates)]
    keys = _keys(sides, how.metrics)
    drafts = [
        rows.draft(both, operation, metric, cross_check=how.cross_check)
        for both in (*first, *later)
        for operation, metric in keys
        if _known(both, operation, metric)
    ]
    judged = _judged(drafts, how.levels)
    cumulative = tuple(row for row in judged if row.baseline == baseline.label)
    steps = tuple(row for row in judged if row.baseline != baseline.label)
    single = all(len(side.runs) == 1 for side in sides)
    return Comparison(
        headline=noise_floor(cumulative)
        if how.identical
        else headline(cumulative, candidates[-1].label, single=single),
        baseline=_note(baseline),
        candidates=tuple(_note(side) for side in candidates),
        rows=cumulative,
        steps=steps,
        levels=how.levels,
        forced=forced,
        same=_same(sides),
        warnings=tuple(dict.fromkeys(warning for both in (*first, *later) for warning in both.warnings)),
    )


def _keys(sides: Iterable[Side], metrics: Sequence[Metric]) -> list[tuple[str, Metric]]:
    """List what is compared: operations as the runs list them, what is of the whole run last."""
    found = dict.fromkeys(key for side in sides for run in side.runs for key in run.values)
    operations = sorted(dict.fromkeys(operation for operation, _ in found), key=lambda name: name == WHOLE)
    return [(operation, metric) for operation in operations for metric in metrics if (operation, metric.name) in found]


def _known(both: Contrast, operation: str, metric: Metric) -> bool:
    """Tell whether any run of these two sides measured it; what only a third side has is no row of theirs."""
    return any((operation, metric.name) in run.values for run in both.runs)


def _judged(drafts: Sequence[rows.Draft], levels: Levels) -> list[Row]:
    tested = [draft for draft in drafts if draft.tested]
    places = {
        id(draft): place
        for draft, place in zip(
            tested, adjust([draft.effect.p for draft in tested if draft.effect is not None]), strict=True
        )
    }
    barred = rows.silenced(drafts)
    return [
        rows.finished(
            draft,
            places.get(id(draft)),
            levels,
            barred.get((draft.contrast.baseline, draft.contrast.candidate, draft.operation), ""),
        )
        for draft in drafts
    ]


def _note(side: Side) -> SideNote:
    ordered = sorted(side.runs, key=lambda run: (run.started, run.run_id))
    return SideNote(side.label, side.note, side.revision, tuple(_run_note(run) for run in ordered))


def _run_note(run: RunFigures) -> RunNote:
    return RunNote(
        run.run_id,
        run.started,
        run.pair,
        run.validity,
        run.findings,
        run.integrity_ok,
        run.integrity,
        tuple((operation, metric, value) for (operation, metric), value in run.values.items()),
        tuple(run.thresholds.items()),
    )


def _same(sides: Sequence[Side]) -> tuple[tuple[str, str], ...]:
    """Name what all runs have in common, of what had to be the same."""
    runs = [run for side in sides for run in side.runs]
    names = dict.fromkeys(name for run in runs for name in run.setting)
    values = {name: {run.setting.get(name) for run in runs} for name in names}
    return tuple((name, str(found.pop())) for name, found in values.items() if len(found) == 1)
