"""A run as JSON: versioned, its schema in docs/run-report.schema.json. Numbers are in base units.

`null` is what was not measured, not known, or hidden (too few samples), and the text "no answer" a percentile that
falls among failures.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from lab.model.server_timing import split
from reports import audit, tables, words
from reports.attribution.operation import SHOWN, leading
from reports.units import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.importers.figures import Figures
    from lab.model.run import Run
    from reports.attribution.operation import Operation
    from reports.frame import RunData
    from reports.tables import Figure, OperationRow, Table

REPORT_VERSION: Final = 1
_AUDITED: Final = ("flights_checked", "bookings_accepted", "bookings_found", "seats_accepted", "notifications_found")


def render(data: RunData, figures: Figures | None = None, told: Sequence[Operation] = ()) -> str:
    """Write a run as JSON; it ends with a line break.

    Args:
        data: the run.
        figures: those of the file that it was imported from.
        told: where the time of its operations' requests went.
    """
    text = json.dumps(as_dict(data, figures, told), indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def as_dict(data: RunData, figures: Figures | None = None, told: Sequence[Operation] = ()) -> dict[str, Any]:
    """Give a run as the values that JSON knows; arguments as for `render`."""
    run, head = data.run, words.headline(data.run)
    operations, failures, checks = tables.operations(data), tables.failures(data), tables.checks(data)
    return {
        "version": REPORT_VERSION,
        "headline": {"word": head.word, "sentence": head.sentence},
        "run": _run(data),
        "validity": run.verdict and str(run.verdict.validity),
        "passed": run.verdict and run.verdict.passed,
        "exit_code": run.verdict and run.verdict.exit_code,
        "findings": [
            {"gate": found.gate, "level": str(found.level), "sentence": found.sentence}
            for found in (run.verdict.findings if run.verdict else ())
        ],
        "thresholds": [
            {
                "metric": result.metric,
                "expression": result.expression,
                "outcome": str(result.outcome),
                "actual": _number(result.actual),
                "unit": result.unit,
                "note": words.note(run, result),
            }
            for result in run.thresholds
        ],
        "operations": [_operation(row) for row in operations.rows],
        "failures": [asdict(row) for row in failures.rows],
        "checks": [asdict(row) for row in checks.rows],
        "left_out": {"operations": _rest(operations), "failures": _rest(failures), "checks": _rest(checks)},
        "where_time_goes": [_parts(operation) for operation in leading(told)],
        "audit": _audit(run),
        "script_errors": [{"count": error.count, "message": error.message} for error in run.script_errors],
        "imported": figures and {"file": figures.file, "notes": list(figures.notes), "tables": _tables(figures)},
    }


def _run(data: RunData) -> dict[str, Any]:
    run = data.run
    return {
        "id": run.id,
        "scenario": run.scenario.name,
        "label": run.label,
        "note": run.note,
        "profile": run.profile,
        "backend": run.backend,
        "target": run.target.name,
        "started": run.started,
        "ended": run.ended or None,
        "status": str(run.status),
        "seconds": data.seconds,
        "warm_up_seconds": run.warmup,
        "seed": run.seed,
        "time_scale": run.time_scale,
        "load_processes": run.workers,
        "revision": run.revision and {"commit": run.revision.commit, "dirty": run.revision.dirty},
        "experiment": run.pairing
        and {"id": run.pairing.experiment, "pair": run.pairing.pair, "side": run.pairing.side},
        "imported_from": str(run.source) if run.source else None,
        "machine": f"{run.machine.host}: {run.machine.processor}",
        "command": run.command,
    }


def _operation(row: OperationRow) -> dict[str, Any]:
    percentiles = {
        tables.share_name(share): figure for share, figure in zip(tables.SHARES, row.percentiles, strict=True)
    }
    return {
        "operation": row.operation,
        "whole": row.whole,
        "clock": row.clock or None,
        "requests": row.count,
        "per_second": row.rate,
        "failed": row.failed,
        "failed_share": row.failed_share if row.count else None,
        "dropped": row.dropped,
        "min": _value(row.minimum),
        **{name: _value(figure) for name, figure in percentiles.items()},
        "max": _value(row.maximum),
        "p95_of_all": _value(row.with_failures),
        "notes": {name: figure.note for name, figure in percentiles.items() if figure.note},
    }


def _parts(operation: Operation) -> dict[str, Any]:
    bands = [band for band in map(operation.band, SHOWN) if band is not None]
    return {
        "operation": operation.name,
        "requests": operation.requests,
        "bands": [
            {
                "at": band.ranks.name,
                "ranks": [band.ranks.low, band.ranks.high],
                "waited": band.us,
                "parts": [
                    {**dict(zip(("hop", "kind"), split(label), strict=True)), "mean": us}
                    for label, us in band.parts.items()
                ],
            }
            for band in bands
        ],
    }


def _audit(run: Run) -> dict[str, Any]:
    found = run.integrity
    return {
        "made": found is not None and found.checked,
        "figures": [
            {"metric": line.metric, "value": getattr(found, line.metric), "sentence": line.sentence}
            for line in (audit.lines(found) if found and found.checked else ())
        ],
        "seen": {name: getattr(found, name) for name in _AUDITED} if found and found.checked else None,
        "notes": list(found.notes) if found else [],
    }


def _tables(figures: Figures) -> list[dict[str, Any]]:
    return [
        {
            "title": table.title,
            "columns": list(table.columns),
            "rows": [[_number(value) if isinstance(value, float) else value for value in row] for row in table.rows],
        }
        for table in figures.tables
    ]


def _rest(table: Table[Any]) -> dict[str, int]:
    return {"rows": table.left_out, "count": table.left_out_count}


def _value(figure: Figure) -> float | str | None:
    return _number(figure.value)


def _number(value: float | None) -> float | str | None:
    return value if value is None or isfinite(value) else NO_ANSWER
