"""What the Lab page shows, as JSON: a run's figures so far. Pure; texts are as they came, and the page escapes them."""

from __future__ import annotations

from math import isfinite, isinf
from typing import TYPE_CHECKING, Any, Final

from lab import judge
from lab.gates.limits import CPU_LIMIT, FEWEST_BEYOND, LATE_LIMIT_MS
from lab.model.sample import FAIL, OK, RESPONSE, US_PER_MS
from lab.model.threshold import INTEGRITY_METRICS, Outcome, Selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.engine.webui.seen import Seen
    from lab.model.histogram import Histogram
    from lab.model.sample import Tally
    from lab.model.scenario import Scenario

REQUESTS: Final = "http_req_duration"
SHARES: Final = (0.5, 0.95, 0.99)
POINTS: Final = 240
"""The most points of a drawn line."""
MOST_ROWS: Final = 100
NO_ANSWER: Final = "no answer"
Json = dict[str, Any]


def figures(seen: Seen) -> Json:
    """Give everything that is known of a run."""
    run, scenario, tally = seen.run, seen.run.scenario, seen.tally
    return {
        "run": {
            "id": run.id,
            "scenario": scenario.name,
            "description": scenario.description,
            "label": run.label,
            "target": run.target.name,
            "profile": run.profile,
            "processes": run.workers,
            "open": scenario.open,
            "duration": scenario.duration,
            "seconds": tally.seconds,
        },
        "now": _now(seen),
        "plan": plan(scenario),
        "line": _line(seen),
        "clock": _clock(tally),
        "operations": operations(tally),
        "thresholds": thresholds(seen),
        "integrity": _integrity(seen),
        "generator": _generator(seen),
        "services": _services(tally),
        "queues": [
            {"name": dict(key.tags).get("queue", ""), "depth": value}
            for key, value in sorted(tally.gauges.items())
            if key.metric == "queue_depth"
        ],
        "dropped": tally.counter("dropped_iterations"),
        "verdict": _verdict(seen),
    }


def _now(seen: Seen) -> Json:
    tally, scenario = seen.tally, seen.run.scenario
    last = seen.moments.get(tally.seconds - 1) or seen.moments.get(tally.seconds - 2)
    hits, checks = tally.rate(Selector("checks"))
    sent = tally.requests(Selector(REQUESTS), OK) + tally.requests(Selector(REQUESTS), FAIL)
    return {
        "users": tally.gauge(Selector("vus")) or 0,
        "wanted": tally.gauge(Selector("vus_target")) or 0,
        "planned_users": scenario.users_at(tally.seconds),
        "planned_rate": scenario.rate_at(tally.seconds),
        "planned_level": scenario.loads[0].level_at(tally.seconds),
        "rate": last.requests if last else 0,
        "iterations": last.iterations if last else 0,
        "failing": last.failed if last else 0,
        "in_flight": tally.gauge(Selector("in_flight")) or 0,
        "requests": sent,
        "failed": tally.requests(Selector(REQUESTS), FAIL),
        "checks": hits / checks if checks else None,
        "errors": tally.counter("iteration_errors"),
    }


def plan(scenario: Scenario) -> Json:
    """Give the planned curve, users or (in an open model) iterations a second, and its bands."""
    edges = sorted({0.0, scenario.duration, *(edge for band in scenario.bands for edge in (band.begin, band.end))})
    step = scenario.duration / POINTS
    moments = sorted({*edges, *(min(edge + 0.001, scenario.duration) for edge in edges[:-1])} | _between(edges, step))
    level = scenario.rate_at if scenario.open else scenario.users_at
    return {
        "unit": "iterations/s" if scenario.open else "users",
        "bands": [{"begin": band.begin, "end": band.end, "words": band.words} for band in scenario.bands],
        # A plan is over at its end, and its line is drawn to there.
        "curve": [[moment, level(min(moment, scenario.duration - 0.001))] for moment in moments],
    }


def _between(edges: list[float], step: float) -> set[float]:
    return {edges[0] + number * step for number in range(1, POINTS)} if step > 0 else set()


def _line(seen: Seen) -> Json:
    """Give what ran, second by second, thinned to what can be drawn: the highest of each piece."""
    seconds = sorted(seen.moments)
    each = max(-(-len(seconds) // POINTS), 1)
    pieces = [seconds[begin : begin + each] for begin in range(0, len(seconds), each)]
    of = [(piece[-1] + 1, [seen.moments[second] for second in piece]) for piece in pieces]
    return {
        "level": [
            [at, max(m.iterations if seen.run.scenario.open else m.users for m in moments)] for at, moments in of
        ],
        "requests": [[at, sum(m.requests for m in moments) / len(moments)] for at, moments in of],
    }


def _clock(tally: Tally) -> str:
    return RESPONSE if any(key.metric == REQUESTS and key.clock == RESPONSE for key in tally.trends) else "service"


def operations(tally: Tally) -> list[Json]:
    """Give a row for all requests, then one for each operation, the most frequent first."""
    names = {dict(key.tags).get("operation", "") for key in tally.trends if key.metric == REQUESTS} - {""}
    rows = [_operation(tally, name, Selector(REQUESTS, (("operation", name),))) for name in names]
    rows.sort(key=lambda row: (-row["requests"], row["name"]))
    return [_operation(tally, "all", Selector(REQUESTS)), *rows[:MOST_ROWS]]


def _operation(tally: Tally, name: str, selector: Selector) -> Json:
    ok, failed = tally.histogram(selector, OK, None), tally.requests(selector, FAIL)
    lost = failed + tally.dropped(selector)
    return {
        "name": name,
        "requests": tally.requests(selector, OK) + failed,
        "failed": failed,
        "percentiles": [_percentile(ok, share, lost) for share in SHARES],
        "max": None if ok.maximum is None else ok.maximum / US_PER_MS,
    }


def _percentile(ok: Histogram, share: float, lost: int) -> float | str | None:
    """Give a percentile in ms in which a failure is an answer that never came; None where too few lie beyond it."""
    value = ok.percentile_with_failures(share, lost)
    if value is not None and isinf(value):
        return NO_ANSWER
    if value is None or round((ok.count + lost) * (1 - share), 6) < FEWEST_BEYOND:
        return None
    return value / US_PER_MS


def thresholds(seen: Seen) -> list[Json]:
    """Hold every threshold against what there is; the verdict's own results once there is one."""
    run = seen.run
    results = run.thresholds if run.verdict else judge.judge_all(run.scenario.thresholds, seen.tally)
    return [
        {
            "metric": result.metric,
            "expression": result.expression,
            "outcome": result.outcome.value,
            "actual": _finite(result.actual),
            "unit": result.unit,
            # What is counted against the target's own books has no value before the audit.
            "later": result.metric in INTEGRITY_METRICS and result.outcome is Outcome.NO_DATA and not run.verdict,
        }
        for result in results
    ]


def _finite(value: float | None) -> float | str | None:
    """Give what JSON can hold: a gauge of user code may be anything."""
    if value is None or isfinite(value):
        return value
    return NO_ANSWER if isinf(value) else "not a number"


def _integrity(seen: Seen) -> Json:
    found, outcomes = seen.run.integrity, seen.sold.outcomes
    return {
        "seats": seen.sold.seats,
        "stock": seen.run.dataset.seats if seen.run.dataset else None,
        "accepted": outcomes["accepted"],
        "refused": outcomes["refused"],
        "unknown": outcomes["unknown"],
        "open": outcomes["tried"] - outcomes["accepted"] - outcomes["refused"] - outcomes["unknown"],
        "withdrawn": outcomes["withdrawn"],
        "audited": None
        if found is None
        else [{"name": metric, "value": getattr(found, metric)} for metric in INTEGRITY_METRICS],
    }


def _generator(seen: Seen) -> list[Json]:
    return [
        {
            "process": name,
            "cpu": process.cpu,
            "worst_cpu": process.worst_cpu,
            "lag": process.lag,
            "worst_lag": process.worst_lag,
            "memory": process.memory,
            "busy": process.cpu > CPU_LIMIT,
            "late": process.lag > LATE_LIMIT_MS,
        }
        for name, process in sorted(seen.processes.items())
    ]


def _services(tally: Tally) -> list[Json]:
    parts: dict[str, Json] = {}
    for key, value in tally.gauges.items():
        if key.metric in {"cpu", "memory"}:
            parts.setdefault(dict(key.tags).get("process", ""), {})[key.metric] = value
    return [{"name": name, **_of(parts[name])} for name in sorted(parts, key=lambda n: -_of(parts[n])["cpu"])]


def _of(part: Mapping[str, float]) -> dict[str, float]:
    return {"cpu": part.get("cpu", 0.0), "memory": part.get("memory", 0.0)}


def _verdict(seen: Seen) -> Json | None:
    verdict = seen.run.verdict
    if verdict is None:
        return None
    return {
        "sentence": verdict.sentence,
        "validity": verdict.validity.value,
        "passed": verdict.passed,
        "exit_code": verdict.exit_code,
        "reasons": [f"{f.gate}: {f.sentence}" for f in verdict.findings if f.level.value != "VALID"],
    }
