"""Rules on what thresholds will see: no data, too few samples, or fewer than they ask for."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from lab.errors import nearest
from lab.gates.limits import FEWEST_BEYOND
from lab.lint.part import PER_REQUEST, SCENARIO
from lab.model.lint import Remark, Severity
from lab.model.metrics import OWN
from lab.model.sample import CLOCK
from lab.model.threshold import METRICS, MetricKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.part import Part
    from lab.lint.plan import Plan
    from lab.model.threshold import Selector, Threshold


def no_data(plan: Plan) -> Iterator[Remark]:
    """No request of this scenario makes the metric, or carries the tag."""
    for threshold in plan.scenario.thresholds:
        why = _nothing(plan, threshold.selector)
        if why:
            yield Remark(
                "threshold-no-data",
                Severity.ERROR,
                f"{threshold}: {why}; it would end as NO DATA, which fails the run",
                "name a metric and tags that this scenario's users make, or take it out",
            )


def _nothing(plan: Plan, selector: Selector) -> str:
    """Say why a selector will see no sample, or nothing."""
    metric, makers = selector.metric, plan.parts
    if metric not in METRICS:
        if metric in OWN:
            return ""  # the lab's own, such as group_duration: what makes it stands in no routine
        makers = tuple(part for part in makers if metric in part.does.metrics)
        if not makers:
            return f"the users make no metric {metric}"
    for key, value in selector.tags:
        if all(part.carries(metric, key, value) is False for part in makers):
            return _unknown(plan, metric, key, value)
    left = [part for part in makers if not any(part.carries(metric, *tag) is False for tag in selector.tags)]
    if not left:
        return "no load of this scenario carries all of these tags at once"
    idle = (
        (metric == "dropped_iterations" and not any(part.load.open for part in left), "no iteration is dropped here"),
        (metric == "checks" and not any(part.does.checks for part in left), "the users check nothing"),
        (plan.samples(selector) == 0, "no request of this scenario makes it"),
    )
    return next((why for holds, why in idle if holds), "")


def _unknown(plan: Plan, metric: str, key: str, value: str) -> str:
    """Say that nothing carries a tag."""
    names = [part.load.name for part in plan.parts if part.load.name]
    if key == SCENARIO and names and value not in names:
        return f'no load of this scenario is called "{value}"{nearest(value, names)}'
    if key == CLOCK:
        return f'only requests of an open model have the clock "{value}"' if value == "response" else _no_clock(value)
    if key == "operation" and metric in {*PER_REQUEST, "checks"}:
        return f'no request of this scenario has the operation "{value}"'
    if key == "check" and metric == "checks":
        return f'no check of this scenario has the check "{value}"'
    return f"nothing is tagged {key}:{value} here"


def _no_clock(value: str) -> str:
    return f'there is no clock "{value}"{nearest(value, ("service", "response"))}'


def few_samples(plan: Plan) -> Iterator[Remark]:
    """Fewer than ten samples lie beyond the percentile that is asked for."""
    warmup = plan.scenario.warmup
    for threshold in plan.scenario.thresholds:
        if METRICS.get(threshold.selector.metric) is not MetricKind.TREND or threshold.argument is None:
            continue
        count = plan.samples(threshold.selector, warmup)
        if not count:
            continue
        share = 1 - threshold.argument / 100
        beyond = round(count * share, 6)
        if beyond < FEWEST_BEYOND:
            needed = "no number of samples is enough" if share <= 0 else f"it takes {FEWEST_BEYOND / share:,.0f}"
            after = f" after the warm-up of {warmup:g} s" if warmup else ""
            yield Remark(
                "few-samples",
                Severity.WARNING,
                f"{threshold}: {count:,.0f} samples{after} × {share:.4g} = {beyond:.1f} lie beyond "
                f"p({threshold.argument:g}); at least {FEWEST_BEYOND} must, and {needed}",
                "run longer, ask for a lower percentile, or judge max",
            )


def out_of_reach(plan: Plan) -> Iterator[Remark]:
    """The users sleep so much, or begin so seldom, that the rate or count that a threshold asks for cannot come."""
    for threshold in plan.scenario.thresholds:
        counts = METRICS.get(threshold.selector.metric) is MetricKind.COUNTER
        if not counts or threshold.operator not in {">", ">="}:
            continue
        most, unit = _most(plan, threshold)
        if most < threshold.bound or (most == threshold.bound and threshold.operator == ">"):
            words = " + ".join(_words(part, threshold) for part in plan.parts if part.per_iteration(threshold.selector))
            yield Remark(
                "sleep-caps-rate",
                Severity.ERROR,
                f"{threshold}: {words} is at most {most:,.1f}{unit}, however fast the platform is",
                "let the users sleep less, take more of them or a higher rate, or ask for less",
            )


def _most(plan: Plan, threshold: Threshold) -> tuple[float, str]:
    """Give the most that a counter can come to, as a threshold sees it, and its unit."""
    most = plan.most_samples(threshold.selector)
    if not most:  # nothing at all is another rule's affair
        return inf, ""
    if threshold.aggregation != "rate":
        return most, ""
    return (most / plan.earliest_end if plan.earliest_end else inf), "/s"


def _words(part: Part, threshold: Threshold) -> str:
    load, each = part.load, part.per_iteration(threshold.selector) or 0.0
    if load.open or (load.bounded and part.most_iterations() == load.total):
        return f"{part.mark}{part.iterations_words} × {each:g}"
    area = load.user_seconds or load.top * load.length
    return f"{part.mark}{area:,.0f} user-seconds ÷ {part.does.idle:g} s of sleep an iteration × {each:g}"
