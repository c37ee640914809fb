"""A comparison as JSON: versioned, its schema in docs/comparison.schema.json. Numbers are in base units.

`null` is what was not measured (or not known), and the text "no answer" a percentile that falls among failures.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any

from lab.model.server_timing import split
from reports.comparison import words
from reports.comparison.ledger import ledger
from reports.units import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.comparison.result import Cause, Comparison, Row, RunNote, SideNote


def render(found: Comparison) -> str:
    """Write a comparison as JSON; it ends with a line break."""
    text = json.dumps(as_dict(found), indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def as_dict(found: Comparison) -> dict[str, Any]:
    """Give a comparison as the values that JSON knows."""
    return {
        "version": found.version,
        "headline": found.headline,
        "method": words.method(found),
        "levels": {"alpha": found.levels.alpha, "equivalence": found.levels.equivalence},
        "forced": list(found.forced),
        "same": dict(found.same),
        "warnings": list(found.warnings),
        "baseline": _side(found.baseline),
        "candidates": [_side(side) for side in found.candidates],
        "rows": [_row(row) for row in found.rows],
        "steps": [_row(row) for row in found.steps],
        "ledger": [
            {
                "candidate": entry.candidate,
                "note": entry.note,
                "revision": entry.revision,
                "operation": entry.operation,
                "metric": entry.metric.name,
                "step": _brief(entry.step),
                "cumulative": _brief(entry.cumulative),
            }
            for entry in ledger(found)
        ],
        "because": [_cause(cause) for cause in found.because],
    }


def _side(side: SideNote) -> dict[str, Any]:
    return {
        "label": side.label,
        "note": side.note,
        "revision": side.revision,
        "runs": [_run(run) for run in side.runs],
    }


def _run(run: RunNote) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "started": run.started,
        "pair": run.pair or None,
        "validity": run.validity and str(run.validity),
        "findings": list(run.findings),
        "integrity": {"ok": run.integrity_ok, "sentence": run.integrity},
        "figures": [
            {"operation": operation, "metric": metric, "value": _figure(value)}
            for operation, metric, value in run.values
        ],
        "thresholds": [{"threshold": name, "outcome": str(outcome)} for name, outcome in run.thresholds],
    }


def _row(row: Row) -> dict[str, Any]:
    metric, effect = row.metric, row.effect
    return {
        "operation": row.operation,
        "metric": metric.name,
        "unit": str(metric.unit),
        "change_is": "difference" if metric.absolute else "ratio",
        "better": "higher" if metric.higher_is_better else "lower",
        "margin": metric.margin,
        "baseline": row.baseline,
        "candidate": row.candidate,
        "before": _figure(row.before),
        "after": _figure(row.after),
        **_brief(row),
        "p": effect.p if effect else None,
        "p_sign_flip": row.p_flip,
        "mde": row.detectable,
        "runs": row.runs,
        "paired": row.paired,
        "reason": row.ruling.reason,
        "runs_more": row.ruling.runs_more,
        "before_band": _ends(row.before_band),
        "after_band": _ends(row.after_band),
        "warnings": [str(warning) for warning in row.warnings],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    found = cause.difference
    return {
        "baseline": cause.baseline,
        "candidate": cause.candidate,
        "operation": cause.operation,
        "at": found.ranks.name,
        "ranks": [found.ranks.low, found.ranks.high],
        "before": found.before,
        "after": found.after,
        "change": found.us,
        "parts": [
            {**dict(zip(("hop", "kind"), split(part.label), strict=True)), "before": part.before, "after": part.after}
            | {"change": part.us}
            for part in found.parts
        ],
        "sentence": str(cause),
    }


def _brief(row: Row) -> dict[str, Any]:
    return {
        "change": row.change,
        "interval": _ends(row.interval),
        "q": row.q,
        "verdict": str(row.ruling.answer),
    }


def _ends(ends: Sequence[float] | None) -> list[float | str | None] | None:
    return None if ends is None else [_figure(end) for end in ends]


def _figure(value: float | None) -> float | str | None:
    return value if value is None or isfinite(value) else NO_ANSWER
