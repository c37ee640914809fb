"""What values a threshold's figure can have, and what follows from that for its bound."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from lab.model.sample import CLOCK, SERVICE
from lab.model.threshold import METRICS, MetricKind

if TYPE_CHECKING:
    from lab.model.threshold import Threshold

TIMEOUT_MS: Final = 60_000.0
"""When the load's client gives a request up: what takes longer is a failure and no time."""
_UPPER: Final = ("<", "<=")
_LOWER: Final = (">", ">=")
_RANKS: Final = {"min": 0.0, "med": 50.0, "max": 100.0}


def domain(threshold: Threshold, *, late: bool = False) -> tuple[float, float]:
    """Give the lowest and the highest value that can be measured.

    Args:
        threshold: on what, and which aggregation of it.
        late: whether iterations may begin later than they were meant to, as in an open load: what a user would have
            felt then has no end.
    """
    kind = METRICS.get(threshold.selector.metric)
    if kind is None:
        return -inf, inf
    if kind is MetricKind.RATE:
        return 0.0, 1.0
    request = threshold.selector.metric == "http_req_duration" and threshold.aggregation != "count"
    endless = late and dict(threshold.selector.tags).get(CLOCK) != SERVICE
    return 0.0, TIMEOUT_MS if request and not endless else inf


def always(threshold: Threshold, low: float, high: float) -> bool:
    """Tell whether every value of this span meets the bound."""
    bound = threshold.bound
    return {
        "<": high < bound or high == bound == TIMEOUT_MS,
        "<=": high <= bound,
        ">": low > bound,
        ">=": low >= bound,
        "!=": not low <= bound <= high,
        "==": low == high == bound,
    }[threshold.operator]


def never(threshold: Threshold, low: float, high: float) -> bool:
    """Tell whether no value of this span meets the bound."""
    bound = threshold.bound
    return {
        "<": low >= bound,
        "<=": low > bound,
        ">": high <= bound,
        ">=": high < bound,
        "==": not low <= bound <= high,
        "!=": low == high == bound,
    }[threshold.operator]


def stronger(one: Threshold, other: Threshold) -> bool:
    """Tell whether the first can only be met when the second is; each is as strong as itself."""
    if one.selector != other.selector:
        return False
    first, second = _rank(one), _rank(other)
    same = (one.aggregation, one.argument) == (other.aggregation, other.argument)
    if one.operator in _UPPER and other.operator in _UPPER:
        covers = same or (first is not None and second is not None and first >= second)
        return covers and (one.bound < other.bound or _no_looser(one, other, "<"))
    if one.operator in _LOWER and other.operator in _LOWER:
        covers = same or (first is not None and second is not None and first <= second)
        return covers and (one.bound > other.bound or _no_looser(one, other, ">"))
    return same and (one.operator, one.bound) == (other.operator, other.bound)


def _no_looser(one: Threshold, other: Threshold, strict: str) -> bool:
    return one.bound == other.bound and one.operator in {other.operator, strict}


def _rank(threshold: Threshold) -> float | None:
    """Give the percentile that a trend's aggregation is; None for an average or a count."""
    return threshold.argument if threshold.aggregation == "p" else _RANKS.get(threshold.aggregation)
