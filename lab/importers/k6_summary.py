"""k6's `--summary-export`: figures without samples, kept as they are.

Two traps of this format. A threshold's `true` means that it was crossed, so not met. And a metric that never had a
sample shows zeros, on which k6 passes every threshold: here that is NO DATA. `passes` of `http_req_failed` are the
requests that did fail.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lab.errors import ConfigError
from lab.importers.figures import Table
from lab.importers.found import Found
from lab.importers.source import opened, shown
from lab.model.run import Totals
from lab.model.threshold import Outcome, ThresholdResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lab.importers.figures import Cell

FORM: Final = "summary export"
LARGEST: Final = 16 << 20
LARGEST_FIGURE: Final = 1e18
Metric = dict[str, Any]

_PHASES: Final = frozenset(
    f"http_req_{phase}" for phase in ("blocked", "connecting", "receiving", "sending", "tls_handshaking", "waiting")
)
"""Parts of a request, which may well take no time at all."""
_TIMES: Final = _PHASES | {"http_req_duration", "iteration_duration", "group_duration"}
_TITLES: Final = {
    "trend": "Trends (times in ms)",
    "rate": "Rates (for http_req_failed, a pass is a request that failed)",
    "counter": "Counters",
    "gauge": "Gauges",
}


def read(path: Path) -> Found:
    """Read the file.

    Raises:
        ConfigError: it is cut off, damaged, or no summary of k6.
    """
    raw = _load(path)
    metrics = {name: _metric(path, name, value) for name, value in raw["metrics"].items()}
    empty = frozenset(name for name, metric in metrics.items() if _without_samples(name, metric, metrics))
    seconds = _seconds(metrics)
    return Found(
        "k6",
        FORM,
        seconds,
        _peak(metrics),
        _totals(metrics, seconds),
        thresholds=tuple(_thresholds(path, metrics, empty)),
        tables=tuple(_tables(path, raw, metrics)),
        notes=tuple(_notes(metrics, empty, seconds)),
    )


def _load(path: Path) -> dict[str, Any]:
    with opened(path) as text:
        whole = text.read(LARGEST)
        if text.read(1):
            raise ConfigError(f"{path}: expected a summary of k6; found more than {LARGEST >> 20} MiB")
    try:
        raw = json.loads(whole, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{path}: expected the whole JSON of a k6 summary; found it cut off or damaged: {error}"
        ) from None
    if not isinstance(raw, dict) or not isinstance(raw.get("metrics"), dict) or not raw["metrics"]:
        raise ConfigError(f'{path}: expected "metrics" with the metrics of k6; found none')
    return raw


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no figure")


def _metric(path: Path, name: str, value: object) -> Metric:
    """Check that a metric is one of k6's four kinds, with figures and nothing else in it."""
    what = f'{path}: expected the figures of metric "{shown(name)}"'
    if not isinstance(value, dict) or not _kind(value):
        raise ConfigError(f"{what}; found {shown(json.dumps(value))}")
    for key, figure in value.items():
        if key == "thresholds":
            if not isinstance(figure, dict) or not all(isinstance(crossed, bool) for crossed in figure.values()):
                raise ConfigError(f"{what}, with true or false for each threshold; found {shown(json.dumps(figure))}")
        elif (
            not isinstance(figure, int | float)
            or isinstance(figure, bool)
            or not -LARGEST_FIGURE < figure < LARGEST_FIGURE
        ):
            raise ConfigError(f"{what}; found {shown(json.dumps(figure))} as its {shown(key)}")
    return value


def _kind(metric: Metric) -> str:
    """Tell a metric's kind by the figures that it has; empty for none."""
    for kind, needed in (
        ("rate", ("passes", "fails")),
        ("counter", ("count", "rate")),
        ("trend", ("avg",)),
        ("trend", ("med",)),
        ("gauge", ("value",)),
        ("trend", ("max",)),
    ):
        if all(key in metric for key in needed):
            return kind
    # --summary-trend-stats may leave nothing but percentiles.
    return "trend" if any(key.startswith("p(") for key in metric) else ""


def _figures(metric: Metric) -> Mapping[str, float]:
    return {key: value for key, value in metric.items() if key != "thresholds"}


def _without_samples(name: str, metric: Metric, metrics: Mapping[str, Metric]) -> bool:
    """Tell whether a metric never had a sample: all its figures are zero, where a sample would have left another."""
    # A request may have no TLS, and take no time for it.
    phase = name in _PHASES and metrics.get("http_reqs", {}).get("count", 0) > 0
    return not phase and not any(_figures(metric).values())


def _seconds(metrics: Mapping[str, Metric]) -> float:
    """Give how long the run took: what k6 divided its counts by, of the largest count."""
    counters = [metric for metric in metrics.values() if _kind(metric) == "counter" and metric["rate"] > 0]
    if not counters:
        return 0.0
    largest = max(counters, key=lambda metric: float(metric["count"]))
    return float(largest["count"] / largest["rate"])


def _peak(metrics: Mapping[str, Metric]) -> int:
    vus = metrics.get("vus") or {}
    users: float = vus.get("max") or vus.get("value") or 0
    return max(round(users), 0)


def _totals(metrics: Mapping[str, Metric], seconds: float) -> Totals:
    checks = metrics.get("checks", {})
    failed = round(metrics.get("http_req_failed", {}).get("passes", 0))
    sent = round(metrics.get("http_reqs", {}).get("count", 0))
    return Totals(
        sent=sent,
        ok=max(sent - failed, 0),
        failed=failed,
        iterations=round(metrics.get("iterations", {}).get("count", 0)),
        checks_passed=round(checks.get("passes", 0)),
        checks_failed=round(checks.get("fails", 0)),
        seconds=round(seconds),
    )


def _thresholds(path: Path, metrics: Mapping[str, Metric], empty: frozenset[str]) -> Iterator[ThresholdResult]:
    for name, metric in metrics.items():
        for expression, crossed in metric.get("thresholds", {}).items():
            if name in empty:
                note = f"{path.name} shows zeros, on which k6 {'failed' if crossed else 'passed'} it"
                yield ThresholdResult(name, expression, Outcome.NO_DATA, None, note=note)
                continue
            actual, unit = _actual(name, metric, expression)
            outcome = Outcome.FAIL if crossed else Outcome.PASS
            note = "as k6 judged it; its figure is not in the file" if actual is None else ""
            yield ThresholdResult(name, expression, outcome, actual, unit, note)


def _actual(name: str, metric: Metric, expression: str) -> tuple[float | None, str]:
    """Find the figure that a threshold judged, where the file has it, and its unit."""
    aggregation = re.split("[<>=!]", expression, maxsplit=1)[0].strip()
    kind = _kind(metric)
    if kind == "rate":
        return (float(metric["value"]), "share") if "value" in metric else (None, "")
    value = metric.get(aggregation)
    if kind == "counter":
        return value, "/s" if aggregation == "rate" else ""
    return value, "ms" if kind == "trend" and name.partition("{")[0] in _TIMES else ""


def _tables(path: Path, raw: Mapping[str, Any], metrics: Mapping[str, Metric]) -> Iterator[Table]:
    for kind, title in _TITLES.items():
        its = {name: _figures(metric) for name, metric in metrics.items() if _kind(metric) == kind}
        columns = tuple(dict.fromkeys(key for figures in its.values() for key in figures))
        if its:
            rows = tuple((name, *(figures.get(key) for key in columns)) for name, figures in its.items())
            yield Table(title, ("metric", *columns), rows)
    checks = tuple(_checks(path, raw.get("root_group", {})))
    if checks:
        yield Table("Checks", ("check", "passes", "fails"), checks)


def _checks(path: Path, group: object) -> Iterator[tuple[Cell, ...]]:
    """Give the checks of a group and of the groups in it."""
    try:
        for check in group.get("checks", {}).values():  # type: ignore[attr-defined]  # else an AttributeError
            yield str(check["path"]).removeprefix("::"), int(check["passes"]), int(check["fails"])
        for inner in group.get("groups", {}).values():  # type: ignore[attr-defined]  # as above
            yield from _checks(path, inner)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ConfigError(
            f'{path}: expected "root_group" with path, passes and fails of each check; found {shown(json.dumps(group))}'
        ) from None


def _notes(metrics: Mapping[str, Metric], empty: frozenset[str], seconds: float) -> Iterator[str]:
    yield "its percentiles and averages are k6's own, over successes and failures alike, and cannot be checked"
    if not seconds:
        yield "how long the run took is not in the file"
    if empty:
        judged = [name for name in metrics if name in empty and metrics[name].get("thresholds")]
        names = ", ".join(shown(name) for name in metrics if name in empty)
        passed = "; k6 passes thresholds on it, here they fail" if judged else ""
        yield f"NO DATA: nothing was measured of {names}: its zeros mean that there was no sample{passed}"
