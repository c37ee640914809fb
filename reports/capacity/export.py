"""A capacity as JSON: versioned, numbers in base units (µs, requests a second, shares, cores).

`null` is what was not measured or not claimed; the text "no answer" is a percentile that falls among failures, and
"infinity" the end of an interval that has none.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from reports.capacity import words
from reports.capacity.result import VERSION
from reports.full import by_tag
from reports.units import NO_ANSWER

if TYPE_CHECKING:
    from reports.capacity.result import Break, Capacity, Measured
    from reports.stats.usl import Span


def render(found: Capacity) -> str:
    """Write it as JSON; it ends with a line break."""
    text = json.dumps(as_dict(found), indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def as_dict(found: Capacity) -> dict[str, Any]:
    """Give it as the values that JSON knows."""
    law = found.law
    return {
        "version": VERSION,
        "run": found.run.id,
        "profile": found.run.profile,
        "backend": found.run.backend,
        "scenario": found.run.scenario.name,
        "headline": words.headline(found),
        "caution": words.caution(found),
        "method": words.METHOD,
        "steps": [_step(step) for step in found.steps],
        "most": _point(found.most),
        "plateau": None if found.plateau is None else _point(found.plateau),
        "law": None
        if law is None
        else {
            "lambda": _span(law.one),
            "sigma": _span(law.contention),
            "kappa": _span(law.crosstalk),
            "misfit": law.misfit,
        },
        "no_law": found.no_law,
        "peak": None if law is None or found.no_peak else {"users": _span(law.peak), "rate": law.rate(law.peak.value)},
        "no_peak": found.no_peak,
        "knee": found.knee,
        "full": [{"what": each.what, "share": each.share} for each in found.full],
        "not_looked_at": list(found.unseen),
        "generator_limited_from": None if found.limited is None else found.limited.users,
        "thresholds": [_break(each) for each in found.breaks],
    }


def _step(step: Measured) -> dict[str, Any]:
    level = step.level
    return {
        **_point(step),
        "seconds": level.seconds,
        "rate_error": level.error if isfinite(level.error) else None,
        "median": level.median,
        "p95": level.p95 if level.p95 is None or isfinite(level.p95) else NO_ANSWER,
        "failed": level.failed,
        "cpu": by_tag(level.gauges, "cpu", "process"),
        "generator": step.generator,
    }


def _point(step: Measured) -> dict[str, Any]:
    return {"users": step.users, "rate": step.level.rate}


def _span(found: Span) -> dict[str, Any]:
    return {name: value if isfinite(value) else "infinity" for name, value in found._asdict().items()}


def _break(found: Break) -> dict[str, Any]:
    return {
        "threshold": found.threshold,
        "held": None if found.held is None else _point(found.held),
        "broke": None if found.broke is None else _point(found.broke) | {"figure": found.figure},
        "held_again": found.again,
        "not_judged": list(found.unjudged),
    }
