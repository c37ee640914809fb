"""Rules on thresholds as they are written: those that no run can fail or meet, or that have a stronger twin."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from lab.lint.bounds import always, domain, never, stronger
from lab.model.lint import Remark, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.plan import Plan


def cannot_fail(plan: Plan) -> Iterator[Remark]:
    """Whatever is measured meets it."""
    for threshold in plan.scenario.thresholds:
        low, high = domain(threshold, late=plan.scenario.open)
        if always(threshold, low, high):
            top = "" if high == inf else f" and at most {high:,.6g}"
            yield Remark(
                "threshold-cannot-fail",
                Severity.WARNING,
                f"{threshold}: the value is at least {low:g}{top}, so that every run meets it",
                "give it a bound that a bad run would miss, or take it out",
            )


def cannot_pass(plan: Plan) -> Iterator[Remark]:
    """Whatever is measured misses it."""
    for threshold in plan.scenario.thresholds:
        low, high = domain(threshold, late=plan.scenario.open)
        if never(threshold, low, high):
            top = "" if high == inf else f" and at most {high:,.6g}"
            yield Remark(
                "threshold-cannot-pass",
                Severity.ERROR,
                f"{threshold}: the value is at least {low:g}{top}, so that no run meets it",
                "give it a bound that a good run meets (a share is written 0.05, a time in ms)",
            )


def moot(plan: Plan) -> Iterator[Remark]:
    """Another threshold on the same metric is met only when this one is met too."""
    thresholds = plan.scenario.thresholds
    for number, threshold in enumerate(thresholds):
        others = [other for place, other in enumerate(thresholds) if place != number]
        by = next((other for other in others if stronger(other, threshold)), None)
        if by is not None and not (stronger(threshold, by) and thresholds.index(threshold) == number):
            yield Remark(
                "threshold-moot",
                Severity.WARNING,
                f"{threshold}: {by.expression} on the same metric is never met without it, so that it decides nothing",
                f"keep {by.expression} alone",
            )
