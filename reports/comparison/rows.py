"""One row of a comparison: two sides' numbers of one operation and metric, what they come to, and what stands against.

A draft is everything but the verdict, which depends on the other rows of the report (the false discovery rate).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isinf
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.model.words import counted
from reports.comparison.contrast import Contrast
from reports.comparison.metrics import WHOLE, Metric
from reports.comparison.result import Caution, Row
from reports.stats.effect import LEAST, Effect, paired, welch
from reports.stats.order import DRIFTING, drift
from reports.stats.power import detectable
from reports.stats.ruling import FEWEST_RUNS, Case, rule
from reports.stats.signflip import SignFlip, sign_flip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.comparison.figures import RunFigures
    from reports.comparison.metrics import Key
    from reports.stats.family import Adjusted
    from reports.stats.ruling import Levels

_SILENCING: Final = ("p50", "p95")


@dataclass(frozen=True, slots=True)
class Draft:
    """A row without its verdict."""

    contrast: Contrast
    operation: str
    metric: Metric
    effect: Effect | None
    flip: SignFlip | None
    gate: Caution | None
    warnings: tuple[Caution, ...]

    @property
    def tested(self) -> bool:
        """Tell whether its p is one of those that the report concludes from."""
        return self.effect is not None and self.contrast.count >= FEWEST_RUNS


def draft(sides: Contrast, operation: str, metric: Metric, *, cross_check: bool) -> Draft:
    """Estimate the effect on one operation and metric, and gather what stands against judging it."""
    key = (operation, metric.name)
    before, after = ([_scaled(metric, run.values.get(key)) for run in runs] for runs in (sides.before, sides.after))
    differences: list[float] = []
    if sides.is_paired:
        pairs = zip(before, after, strict=True)
        differences = [two - one for one, two in pairs if one is not None and two is not None]
        effect = paired(differences) if len(differences) >= LEAST else None
    else:
        one, two = ([value for value in side if value is not None] for side in (before, after))
        effect = welch(one, two) if min(len(one), len(two)) >= LEAST else None
    flip = sign_flip(differences) if cross_check and effect is not None and sides.is_paired else None
    gate = [Caution(sides.gate)] if sides.gate else []
    reasons = [*gate, *_missing(sides, key, metric), *_weak(sides, key)]
    warnings = (*reasons[1:], *_drifting(sides, key, metric))
    return Draft(sides, operation, metric, effect, flip, reasons[0] if reasons else None, warnings)


def _scaled(metric: Metric, value: float | None) -> float | None:
    """Put a number on the scale of effects; None where it has no place there."""
    found = None if value is None else metric.scaled(value)
    return found if found is not None and isfinite(found) else None


def _missing(sides: Contrast, key: Key, metric: Metric) -> Iterator[Caution]:
    """Say in how many runs there is no number that could be compared, and why."""
    for label, runs in ((sides.baseline, sides.before), (sides.candidate, sides.after)):
        # What was hidden for want of samples is told with the others that have too few.
        values = [run.values.get(key) for run in runs if run.values.get(key) is not None or key not in run.weak]
        among = f"of {counted(len(runs), 'run')} of {label}"
        if silent := sum(value is not None and isinf(value) for value in values):
            yield Caution(f"no answer in {silent} {among}: so many requests failed that {metric.name} falls among them")
        if absent := sum(value is None for value in values):
            yield Caution(f"not measured in {absent} {among}")
        if nothing := sum(value is not None and isfinite(value) and _scaled(metric, value) is None for value in values):
            yield Caution(f"zero in {nothing} {among}")


def _weak(sides: Contrast, key: Key) -> Iterator[Caution]:
    found = [run.weak[key] for run in sides.runs if key in run.weak]
    if found:
        # How many they are differs from row to row; the rule behind the semicolon does not.
        among = f"{len(found)} of {counted(len(sides.runs), 'run')}"
        yield Caution(f"too few samples to judge by in {among}", found[0].partition(";")[0])


def _drifting(sides: Contrast, key: Key, metric: Metric) -> Iterator[Caution]:
    """Tell a drift over the runs, which pairs take out of the effect but not out of its spread."""
    runs = [(run, False) for run in sides.before] + [(run, True) for run in sides.after]
    runs.sort(key=lambda found: (found[0].started, found[0].run_id))
    numbers = [(value, after) for run, after in runs if (value := _scaled(metric, run.values.get(key))) is not None]
    moved = drift(*zip(*numbers, strict=True)) if numbers else None
    if moved is None or moved.p > DRIFTING:
        return
    by = f"{moved.per_run * 100:+.2g} points" if metric.absolute else f"{np.expm1(moved.per_run) * 100:+.2g} %"
    yield Caution(
        "drifts whichever side it is, since the machine or the data changes", f"{by} a run, p = {moved.p:.2g}"
    )


def finished(found: Draft, adjusted: Adjusted | None, levels: Levels, barred: str) -> Row:
    """Give the row: a draft with its place among the others and the verdict that follows.

    Args:
        found: the draft.
        adjusted: its q and its share of alpha; None where it was not tested.
        levels: how sure is sure.
        barred: why no improvement of this operation may be claimed, beside what bars its sides.
    """
    metric, effect, sides = found.metric, found.effect, found.contrast
    ruling = rule(
        Case(
            effect=effect,
            adjusted=adjusted,
            margin=metric.limit,
            higher_is_better=metric.higher_is_better,
            runs=sides.count,
            gate=str(found.gate or ""),
            barred=sides.barred or barred,
        ),
        levels,
    )
    key = (found.operation, metric.name)
    before, after = _figure(sides.before, key, metric), _figure(sides.after, key, metric)
    interval = effect.interval(levels.alpha) if effect else None
    alone = len(sides.before) == len(sides.after) == 1
    return Row(
        operation=found.operation,
        metric=metric,
        baseline=sides.baseline,
        candidate=sides.candidate,
        before=before,
        after=after,
        change=metric.unscaled(effect.mean) if effect else _change(metric, before, after),
        interval=(metric.unscaled(interval[0]), metric.unscaled(interval[1])) if interval else None,
        effect=effect,
        p_flip=found.flip.p if found.flip else None,
        q=adjusted.q if adjusted else None,
        detectable=_detectable(metric, effect, levels),
        runs=sides.count,
        ruling=ruling,
        before_band=sides.before[0].bands.get(key) if alone else None,
        after_band=sides.after[0].bands.get(key) if alone else None,
        warnings=(
            *((found.gate,) if found.gate and ruling.reason != str(found.gate) else ()),
            *found.warnings,
            *_disagreeing(found, levels),
        ),
    )


def _figure(runs: Sequence[RunFigures], key: Key, metric: Metric) -> float | None:
    """Give a side's figure over its runs: infinity as soon as one has no answer, None when none was measured."""
    values = [value for run in runs if (value := run.values.get(key)) is not None]
    if not values:
        return None
    scaled = [number for value in values if (number := _scaled(metric, value)) is not None]
    # Where a run has no answer, or nothing at all, a mean that leaves it out would flatter the side.
    return metric.unscaled(float(np.mean(scaled))) if len(scaled) == len(values) else float(np.mean(values))


def _change(metric: Metric, before: float | None, after: float | None) -> float | None:
    one, two = _scaled(metric, before), _scaled(metric, after)
    return None if one is None or two is None else metric.unscaled(two - one)


def _detectable(metric: Metric, effect: Effect | None, levels: Levels) -> float | None:
    if effect is None:
        return None
    found = detectable(effect, levels.alpha)
    return found if metric.absolute else float(np.expm1(found))


def _disagreeing(found: Draft, levels: Levels) -> Iterator[Caution]:
    """Tell when the two tests differ, which a single pair far from the others brings about."""
    if found.effect is None or found.flip is None or not found.tested:
        return
    if (found.effect.p <= levels.alpha) != (found.flip.p <= levels.alpha):
        yield Caution(
            "the t-test and the sign-flip test differ, so look at the single pairs",
            f"p = {found.effect.p:.2g} and {found.flip.p:.2g}",
        )


def silenced(drafts: Sequence[Draft]) -> dict[tuple[str, str, str], str]:
    """Name the operations that may not claim an improvement, since their p50 or p95 has no answer any more.

    Whoever fails fast answers fewer requests, and those faster. p99 is left out: one request in a hundred fails in
    many a sound run, and the row of failures judges that.

    Returns:
        Why, by baseline, candidate and operation. What is said of one operation holds for the whole run too.
    """
    found: dict[tuple[str, str, str], str] = {}
    # By the runs and not by the rows: whichever metrics were asked for, the failures are there.
    for sides in {(one.contrast.baseline, one.contrast.candidate): one.contrast for one in drafts}.values():
        for name, metric in dict.fromkeys(key for run in sides.after for key in run.values):
            values = [run.values.get((name, metric)) for run in sides.after]
            if metric in _SILENCING and any(value is not None and isinf(value) for value in values):
                why = f"{name} {metric} has no answer, so many requests failed"
                for operation in (name, WHOLE):
                    found.setdefault((sides.baseline, sides.candidate, operation), why)
    return found
