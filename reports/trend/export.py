"""A trend as JSON: versioned, its schema in docs/trend.schema.json. Numbers are in base units.

`null` is a figure that was not measured or is hidden, and the text "no answer" one that falls among failures.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from reports.trend import words
from reports.trend.result import TREND_VERSION
from reports.units import NO_ANSWER

if TYPE_CHECKING:
    from reports.trend.result import Change, Point, Trend


def render(trend: Trend) -> str:
    """Write a trend as JSON; it ends with a line break."""
    text = json.dumps(as_dict(trend), indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def as_dict(trend: Trend) -> dict[str, Any]:
    """Give a trend as the values that JSON knows."""
    return {
        "version": TREND_VERSION,
        "headline": words.headline(trend),
        "exploratory": words.EXPLORATORY,
        "operation": trend.operation,
        "metric": trend.metric.name,
        "unit": str(trend.metric.unit),
        "better": "higher" if trend.metric.higher_is_better else "lower",
        "points": [_point(point) for point in trend.points],
        "changes": [_change(trend, change) for change in trend.changes],
        "searched": trend.searched,
        "left_out": list(trend.left_out),
        "notes": list(trend.notes),
        "same": dict(trend.setting),
        "method": words.method(trend),
    }


def _point(point: Point) -> dict[str, Any]:
    value = point.value
    return {
        "run": point.run_id,
        "started": point.started,
        "label": point.label,
        "profile": point.profile,
        "revision": point.revision,
        "validity": point.validity and str(point.validity),
        "value": value if value is None or isfinite(value) else NO_ANSWER,
        "weak": point.weak,
    }


def _change(trend: Trend, change: Change) -> dict[str, Any]:
    size = change.size(trend.metric)
    return {
        "run": change.run_id,
        "before": change.before,
        "after": change.after,
        "change": size if isfinite(size) else None,
        "change_is": "difference" if trend.metric.absolute else "ratio",
    }
