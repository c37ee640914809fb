"""Rules on thresholds: those that no run can fail or meet, that have no data, too few samples, or a stronger twin."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from lab.lint.bounds import always, domain, never, stronger
from lab.model.lint import Remark, Severity
from lab.model.threshold import INTEGRITY_METRICS, METRICS, MetricKind
from lab.validity import FEWEST_BEYOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.plan import Plan
    from lab.model.threshold import Threshold

_REQUESTS: Final = ("http_reqs", "http_req_duration", "http_req_failed")
_WITHOUT_TAGS: Final = ("iterations", "dropped_iterations", "vus", "queue_depth", "notification_delay")
_OWN_TAGS: Final = {
    **dict.fromkeys(_REQUESTS, ("operation", "name")),
    "checks": ("operation", "check"),
    "iteration_duration": ("name",),
}


def cannot_fail(plan: Plan) -> Iterator[Remark]:
    """Whatever is measured meets it."""
    for threshold in plan.scenario.thresholds:
        low, high = domain(threshold)
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
        low, high = domain(threshold)
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


def no_data(plan: Plan) -> Iterator[Remark]:
    """No request of this scenario makes the metric, or carries the tag."""
    for threshold in plan.scenario.thresholds:
        why = _nothing(plan, threshold)
        if why:
            yield Remark(
                "threshold-no-data",
                Severity.ERROR,
                f"{threshold}: {why}; it would end as NO DATA, which fails the run",
                "name a metric and tags that this scenario's users make, or take it out",
            )


def _nothing(plan: Plan, threshold: Threshold) -> str:
    """Say why a threshold will see no sample, or nothing."""
    does, metric, tags = plan.does, threshold.selector.metric, dict(threshold.selector.tags)
    if metric not in METRICS:
        return "" if metric in does.metrics else f"the users make no metric {metric}"
    shared = {} if metric in _WITHOUT_TAGS or metric in INTEGRITY_METRICS else dict(plan.scenario.loads[0].tags)
    for key, value in tags.items():
        if key in _OWN_TAGS.get(metric, ()):
            known = {"operation": tuple(does.requests), "check": does.checks}.get(key)
            if known is not None and value not in known:
                return f'no {"check" if key == "check" else "request"} of this scenario has the {key} "{value}"'
        elif shared.get(key) != value:
            return f"nothing is tagged {key}:{value} here"
    idle = (
        (
            metric == "dropped_iterations" and "arrival-rate" not in plan.scenario.executor,
            "no iteration is dropped here",
        ),
        (metric == "checks" and not does.checks, "the users check nothing"),
        (plan.per_iteration(threshold.selector) == 0, "no request of this scenario makes it"),
    )
    return next((why for holds, why in idle if holds), "")


def few_samples(plan: Plan) -> Iterator[Remark]:
    """Fewer than ten samples lie beyond the percentile that is asked for."""
    for threshold in plan.scenario.thresholds:
        each = plan.per_iteration(threshold.selector)
        if METRICS.get(threshold.selector.metric) is not MetricKind.TREND or not each or threshold.argument is None:
            continue
        count = plan.iterations * each
        share = 1 - threshold.argument / 100
        beyond = round(count * share, 6)
        if beyond < FEWEST_BEYOND:
            needed = "no number of samples is enough" if share <= 0 else f"it takes {FEWEST_BEYOND / share:,.0f}"
            yield Remark(
                "few-samples",
                Severity.WARNING,
                f"{threshold}: {count:,.0f} samples × {share:.4g} = {beyond:.1f} lie beyond p({threshold.argument:g}); "
                f"at least {FEWEST_BEYOND} must, and {needed}",
                "run longer, ask for a lower percentile, or judge max",
            )


def out_of_reach(plan: Plan) -> Iterator[Remark]:
    """The users sleep so much that the rate or the count that a threshold asks for cannot come about."""
    scenario, does = plan.scenario, plan.does
    for threshold in scenario.thresholds:
        each = plan.per_iteration(threshold.selector)
        counts = METRICS.get(threshold.selector.metric) is MetricKind.COUNTER
        if not counts or not each or threshold.operator not in {">", ">="} or not does.idle:
            continue
        most = scenario.user_seconds / does.idle * each
        unit = ""
        if threshold.aggregation == "rate":
            most, unit = most / scenario.duration, "/s"
        if most < threshold.bound or (most == threshold.bound and threshold.operator == ">"):
            yield Remark(
                "sleep-caps-rate",
                Severity.ERROR,
                f"{threshold}: {scenario.user_seconds:,.0f} user-seconds ÷ {does.idle:g} s of sleep an iteration "
                f"× {each:g} is at most {most:,.1f}{unit}, however fast the platform is",
                "let the users sleep less, take more of them, or ask for less",
            )
