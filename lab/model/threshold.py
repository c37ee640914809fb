"""Thresholds with k6's grammar and one outcome more than k6 has: NO DATA, which fails.

`metric{tag:value,…}` names what is judged; `aggregation operator number` says how: `p(95)<2000`, `rate<0.01`.
Times are in ms.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class MetricKind(StrEnum):
    """k6's four kinds of metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    RATE = "rate"
    TREND = "trend"


AGGREGATIONS: Final[Mapping[MetricKind, tuple[str, ...]]] = {
    MetricKind.COUNTER: ("count", "rate"),
    MetricKind.GAUGE: ("value",),
    MetricKind.RATE: ("rate",),
    MetricKind.TREND: ("avg", "min", "med", "max", "p", "count"),
}

METRICS: Final[Mapping[str, MetricKind]] = {
    "http_reqs": MetricKind.COUNTER,
    "http_req_duration": MetricKind.TREND,
    "http_req_failed": MetricKind.RATE,
    "checks": MetricKind.RATE,
    "iterations": MetricKind.COUNTER,
    "iteration_duration": MetricKind.TREND,
    "dropped_iterations": MetricKind.COUNTER,
    "vus": MetricKind.GAUGE,
    "seats_oversold": MetricKind.GAUGE,
    "seats_lost": MetricKind.GAUGE,
    "bookings_missing": MetricKind.GAUGE,
    "bookings_unexpected": MetricKind.GAUGE,
    "notifications_missing": MetricKind.GAUGE,
    "notifications_unexpected": MetricKind.GAUGE,
    "notification_delay": MetricKind.TREND,
    "drain_time": MetricKind.GAUGE,
    "server_timing": MetricKind.TREND,
}
"""The metrics that every run has, by name."""

INTEGRITY_METRICS: Final = (
    "seats_oversold",
    "seats_lost",
    "bookings_missing",
    "bookings_unexpected",
    "notifications_missing",
    "notifications_unexpected",
)

NEAR_MISS: Final = 0.85
_EXPRESSION = re.compile(
    r"\s*(?P<name>[a-z]+)\s*(?:\(\s*(?P<argument>[^)\s]+)\s*\))?\s*(?P<op>[<>=!]+)\s*(?P<number>\S+)\s*"
)
_OPTION = re.compile(r"\s*(?P<metric>[^{}:\s]+(?:\{[^{}]*\})?)\s*[:\s]\s*(?P<expression>\S.*)")
_METRIC = re.compile(r"\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*(?:\{(?P<tags>[^{}]*)\})?\s*")


class Outcome(StrEnum):
    """What became of a threshold."""

    PASS = "PASS"  # noqa: S105 - an outcome's name, no password
    FAIL = "FAIL"
    NO_DATA = "NO DATA"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric's name and the tags that its samples must carry."""

    metric: str
    tags: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Write it the way k6 does."""
        inner = ",".join(f"{key}:{value}" for key, value in self.tags)
        return f"{self.metric}{{{inner}}}" if inner else self.metric

    def matches(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a sample with these tags is meant."""
        return all(tags.get(key) == value for key, value in self.tags)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One expression on one metric; `bound` is in ms for times; `argument` is N of p(N), in percent.

    With `abort` the run ends when it is not met, from `delay` seconds on.
    """

    selector: Selector
    aggregation: str
    operator: str
    bound: float
    argument: float | None = None
    abort: bool = False
    delay: float = 0.0

    @property
    def expression(self) -> str:
        """Write the expression without blanks: `p(95)<2000`."""
        name = self.aggregation if self.argument is None else f"{self.aggregation}({_figure(self.argument)})"
        return f"{name}{self.operator}{_figure(self.bound)}"

    def __str__(self) -> str:
        """Write metric and expression."""
        return f"{self.selector} {self.expression}"


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """A threshold, what was measured (None: no data; inf: no answer, since too many failed) and the outcome."""

    metric: str
    expression: str
    outcome: Outcome
    actual: float | None
    unit: str = ""
    note: str = ""


def parse_selector(text: str) -> Selector:
    """Read `metric{tag:value,…}`.

    Raises:
        ConfigError: the text has another form, or the metric is a known one with a typing error in it.
    """
    found = _METRIC.fullmatch(text)
    if not found:
        raise ConfigError(
            f'"{text}" is no metric; write it like http_req_duration or http_req_duration{{operation:booking}}'
        )
    name = found["name"]
    # A metric of the user's own is let through; a near miss would only be found out after the run, as NO DATA.
    if name not in METRICS and get_close_matches(name, METRICS, n=1, cutoff=NEAR_MISS):
        raise ConfigError(f'unknown metric "{name}"{nearest(name, METRICS)}')
    tags = []
    for part in (found["tags"] or "").split(","):
        if not part.strip():
            continue
        key, colon, value = part.partition(":")
        if not colon or not key.strip() or not value.strip():
            raise ConfigError(f'"{text}": "{part.strip()}" is no tag filter; write it like {{operation:booking}}')
        tags.append((key.strip(), value.strip()))
    return Selector(name, tuple(sorted(tags)))


def parse_option(text: str) -> Threshold:
    """Read a threshold from the command line: `METRIC:EXPRESSION`, or with a blank instead of the colon.

    Raises:
        ConfigError: as `parse_threshold`.
    """
    found = _OPTION.fullmatch(text)
    if not found:
        raise ConfigError(f'--threshold "{text}": write METRIC:EXPRESSION, like "http_req_duration:p(95)<500"')
    return parse_threshold(found["metric"], found["expression"])


def parse_threshold(metric: str, expression: str, *, abort: bool = False, delay: float = 0.0) -> Threshold:
    """Read one threshold.

    Args:
        metric: `name` or `name{tag:value}`.
        expression: `aggregation operator number`.
        abort: whether the run ends when it is not met.
        delay: from which second on.

    Raises:
        ConfigError: grammar, an aggregation that the metric's kind does not have, or a percentile beyond 0–100.
    """
    selector = parse_selector(metric)
    where = f'threshold "{expression}" on {selector}'
    found = _EXPRESSION.fullmatch(expression)
    if not found:
        raise ConfigError(f"{where}: write AGGREGATION OPERATOR NUMBER, like p(95)<2000 or rate<0.01")
    name, argument, sign = found["name"], found["argument"], found["op"]
    if sign not in OPERATORS:
        raise ConfigError(f'{where}: "{sign}" is no operator{nearest(sign, OPERATORS)}')
    kind = METRICS.get(selector.metric)
    known = AGGREGATIONS[kind] if kind else tuple(dict.fromkeys(a for names in AGGREGATIONS.values() for a in names))
    if name not in known:
        what = f"a {kind} like {selector.metric} has no" if kind else "there is no"
        raise ConfigError(f'{where}: {what} "{name}"{nearest(name, known)}')
    if (name == "p") != (argument is not None):
        raise ConfigError(f"{where}: " + ("write p(N), like p(95)" if name == "p" else f"{name} takes no argument"))
    share = _number(argument, where) if argument is not None else None
    if share is not None and not 0 <= share <= 100:  # noqa: PLR2004 - percent
        raise ConfigError(f"{where}: p({argument}) is no percentile between 0 and 100")
    return Threshold(selector, name, sign, _number(found["number"], where), share, abort, delay)


def _figure(number: float) -> str:
    """Write a number as a person would, but never another number: 2000, 0.05, 99.99999."""
    short = f"{number:.15g}"
    return short if float(short) == number else repr(number)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN is what differs from itself
        raise ConfigError(f'{where}: "{text}" is no number')
    return value


def judge(threshold: Threshold, actual: float | None, unit: str = "", note: str = "") -> ThresholdResult:
    """Hold what was measured against a threshold; None is NO DATA and `inf` no answer, never a pass."""
    if actual is None:
        outcome = Outcome.NO_DATA
    else:
        # No answer is above every bound, and no reason to pass one that asks for more than so much.
        held = isfinite(actual) and OPERATORS[threshold.operator](actual, threshold.bound)
        outcome = Outcome.PASS if held else Outcome.FAIL
    return ThresholdResult(str(threshold.selector), threshold.expression, outcome, actual, unit, note)
