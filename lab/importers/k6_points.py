"""k6's samples, whichever file they came from: each becomes what the lab would have recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lab.errors import ConfigError
from lab.judge import judge_all
from lab.model.metrics import GROUP_DURATION
from lab.model.sample import NO_CLOCK, OK, SERVICE, US_PER_MS, SeriesKey, TrendKey
from lab.model.threshold import METRICS, MetricKind, ThresholdResult, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.importers.filling import Filling
    from lab.model.sample import Tags, Tally

LEFT_OUT: Final = frozenset(
    {
        "http_reqs",
        "http_req_failed",
        "http_req_blocked",
        "http_req_connecting",
        "http_req_receiving",
        "http_req_sending",
        "http_req_tls_handshaking",
        "http_req_waiting",
        "vus_max",
    }
)
"""What is counted with the requests themselves, and the parts of a request, which the lab has no place for."""
_OF_REQUESTS: Final = frozenset(
    [
        "check",
        "error",
        "error_code",
        "expected_response",
        "group",
        "ip",
        "iter",
        "method",
        "name",
        "ocsp_status",
        "proto",
        "rpc_type",
        "service",
        "status",
        "subproto",
        "tls_version",
        "url",
        "vu",
    ]
)
"""k6's own tags; the others are the script's, and are kept."""
_DEFAULT: Final = {"scenario": "default"}
_BUILT_IN: Final = {
    "data_received": MetricKind.COUNTER,
    "data_sent": MetricKind.COUNTER,
    GROUP_DURATION: MetricKind.TREND,
}
_OK_STATUS: Final = range(200, 400)


class Point(NamedTuple):
    """One sample: when (seconds since 1970), of what, how much, and its tags."""

    at: float
    metric: str
    value: float
    tags: Mapping[str, str]


class Points:
    """Fills a run with k6's samples. Metrics of the script have a kind only if the file says so (`declare`)."""

    def __init__(self, filling: Filling) -> None:
        self.unknown: set[str] = set()
        self._filling = filling
        self._kinds: dict[str, tuple[MetricKind, bool]] = {
            name: (kind, kind is MetricKind.TREND) for name, kind in {**METRICS, **_BUILT_IN}.items()
        }
        self._thresholds: dict[str, list[str]] = {}

    def declare(self, name: str, kind: str, *, time: bool, thresholds: list[str]) -> None:
        """Take note of a metric's kind and thresholds.

        Raises:
            ValueError: there is no such kind.
        """
        self._kinds[name] = (MetricKind(kind), time)
        self._thresholds[name] = thresholds

    def add(self, point: Point) -> None:
        """Count a sample."""
        metric = point.metric
        if metric in LEFT_OUT:
            return
        if metric == "http_req_duration":
            self._request(point)
            return
        kind, time = self._kinds.get(metric, (None, False))
        tags = _tags(point)
        if kind is MetricKind.RATE:
            tags = (("check", point.tags.get("check", "")), *tags) if metric == "checks" else tags
            self._filling.rate(point.at, SeriesKey(metric, tags), hit=bool(point.value))
        elif kind is MetricKind.COUNTER:
            self._filling.count(point.at, SeriesKey(metric, tags), round(point.value))
        elif kind is MetricKind.GAUGE:
            self._filling.gauge(point.at, SeriesKey(metric, tags), point.value)
        elif kind is MetricKind.TREND:
            name = point.tags.get("scenario", "") if metric == "iteration_duration" else ""
            key = TrendKey(metric, name, tags, OK, SERVICE if time else NO_CLOCK)
            self._filling.trend(point.at, key, round(point.value * US_PER_MS))
        else:
            self.unknown.add(metric)

    def judged(self, tally: Tally) -> tuple[tuple[ThresholdResult, ...], list[str]]:
        """Judge the file's thresholds by its samples; gives them, and those that the lab cannot read."""
        known, strange = [], []
        for metric, expressions in self._thresholds.items():
            for expression in expressions:
                try:
                    known.append(parse_threshold(metric, expression))
                except ConfigError:
                    strange.append(f"{metric}: {expression}")
        return judge_all(known, tally), strange

    def _request(self, point: Point) -> None:
        tags = point.tags
        name = " ".join(part for part in (tags.get("method"), tags.get("name") or tags.get("url")) if part)
        self._filling.request(point.at, name, _tags(point), round(point.value * US_PER_MS), _reason(tags))


def _tags(point: Point) -> Tags:
    kept = {key: value for key, value in point.tags.items() if key not in _OF_REQUESTS and _DEFAULT.get(key) != value}
    if group := point.tags.get("group"):
        kept["group"] = group.removeprefix("::")
    return tuple(sorted(kept.items()))


def _reason(tags: Mapping[str, str]) -> str | None:
    """Say why a request failed: what the script expected goes before what the status says."""
    status = tags.get("status", "")
    expected = tags.get("expected_response")
    if expected == "true" or (not expected and status.isdecimal() and int(status) in _OK_STATUS):
        return None
    return tags.get("error") or (f"HTTP {status}" if status not in {"", "0"} else "no answer")
