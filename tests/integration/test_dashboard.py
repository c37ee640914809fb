"""The Grafana dashboard: its shape, and every query of it run on a real InfluxDB 1.x over the lab's own points."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from lab.asked import GAUGES, NOTIFICATIONS, OUTBOX
from lab.model.histogram import bin_of
from lab.model.sample import NO_CLOCK, OK, SeriesKey, Tick, TrendKey
from lab.model.server_timing import BLOCK_S, COUNTS, GAP, SUMS, split
from lab.model.threshold import Selector, parse_threshold
from lab.sinks import points
from tests import synthetic
from tests.influxdb import DATABASE, InfluxDB, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

GRAFANA: Final = Path(__file__).resolve().parents[2] / "docker" / "grafana"
DASHBOARD: Final[dict[str, Any]] = json.loads((GRAFANA / "dashboards" / "airbourne.json").read_text(encoding="utf-8"))
PANELS: Final[list[dict[str, Any]]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES: Final = {entry["name"]: entry for entry in DASHBOARD["templating"]["list"]}

Chosen = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up run of two minutes."""

    name: str
    label: str
    started: str
    seed: int

    @property
    def ticks(self) -> list[Tick]:
        """Its seconds, with all that the lab's probes measure."""
        return [measured(tick) for tick in synthetic.ticks(SECONDS, self.seed)]

    @property
    def lines(self) -> list[str]:
        """Its points, as the lab writes them."""
        whole = synthetic.tally(self.ticks)
        made = synthetic.run(whole, id=self.name, label=self.label, started=self.started, scenario=SCENARIO)
        return list(points.lines(made, self.ticks))


SECONDS: Final = 120
RUNS: Final = (
    Made("20261123-041500-ramp", "before", "2026-11-23T04:15:00+00:00", 1),
    Made("20261123-042500-ramp", "before", "2026-11-23T04:25:00+00:00", 2),
    Made("20261123-043500-ramp", "after [v2.1] / it's", "2026-11-23T04:35:00+00:00", 3),
)
"""Two of one label, and one of another that is no plain text to a regular expression."""
SHOWN_MS: Final = tuple(
    int(datetime.fromisoformat(f"2026-11-23T{time}+00:00").timestamp() * 1000) for time in ("04:00:00", "05:00:00")
)
OPERATIONS: Final = ("booking", "search", "signin")
PARTS: Final = {"auth.own": 30_000, "booking.db": 12_000, GAP: 500}
"""In µs of a request."""
SCENARIO: Final = synthetic.scenario(
    # One that holds, one that is crossed on the way, and one that never has data.
    thresholds=(
        parse_threshold("http_req_failed", "rate<0.05"),
        parse_threshold("http_req_duration{operation:booking}", "p(95)<60"),
        parse_threshold("http_req_duration{operation:nothing}", "p(95)<60"),
    )
)
MEASUREMENTS: Final = {
    "annotations", "checks", "cpu", "db_row_lock_waits", "db_slow_queries", "db_threads_running", "http_req_duration",
    "http_req_failed", "http_reqs", "iterations", "memory", "notification_delay", "pool_in_use", "pool_waiting",
    "queue_age", "queue_depth", "run_duration", "run_summary", "server_timing", "threads_busy", "thresholds", "vus",
}  # fmt: skip


def measured(tick: Tick) -> Tick:
    """Add what the probes and the audit note of a second."""
    gauges = {
        **{SeriesKey(gauge.metric, (gauge.tag or ("service", "booking"),)): 2.0 for gauge in GAUGES.values()},
        **{SeriesKey("queue_depth", (queue,)): float(tick.second % 9) for queue in (NOTIFICATIONS, OUTBOX)},
        **{SeriesKey("cpu", (("process", name),)): 0.25 for name in ("gateway", "auth", "load")},
        **{SeriesKey("memory", (("process", name),)): 90e6 for name in ("gateway", "auth", "load")},
    }
    delays = {TrendKey("notification_delay", "mail", ()): {bin_of(250_000 + tick.second): 3}}
    trends = {**tick.trends, **delays, **(told() if tick.second % BLOCK_S == BLOCK_S - 1 else {})}
    return replace(tick, gauges={**tick.gauges, **gauges}, trends=trends)


def told() -> dict[TrendKey, dict[int, int]]:
    """Make up what the target told of a block of seconds: of a part in two groups of latencies, 10 and 20 requests."""
    found: dict[TrendKey, dict[int, int]] = {}
    for operation in OPERATIONS:
        mine = ("operation", operation)
        found[TrendKey(COUNTS, "", (mine,), OK, NO_CLOCK)] = {100: 10, 101: 20}
        for label, us in PARTS.items():
            hop, kind = split(label)
            tags = (("hop", hop), ("kind", kind), mine)
            found[TrendKey(SUMS, "", tags, OK, NO_CLOCK)] = {100: 10 * us, 101: 20 * us}
    return found


QUERIES: Final = [
    pytest.param(panel, target, id=f"{panel['id']}{target['refId']} {panel['title']}")
    for panel in PANELS
    for target in panel["targets"]
]


def test_the_dashboard_is_what_its_source_says() -> None:
    """The JSON that Grafana reads is the one that build.py makes of dashboard.toml now."""
    done = subprocess.run(
        [sys.executable, str(GRAFANA / "build.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_panels_lie_side_by_side() -> None:
    """Each panel has an id of its own and a place within the 24 columns that no other one overlaps."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
        assert place["h"] > 0
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


def test_every_panel_says_what_it_shows() -> None:
    """Each panel has a description, a unit or columns with units, words for no data, and names for its lines."""
    for panel in PANELS:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["noValue"], panel["title"]
        assert "unit" in defaults or panel["type"] == "table", panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters), panel["title"]
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert all(target["alias"] for target in panel["targets"]), panel["title"]


def test_everything_asks_the_data_source_that_is_chosen() -> None:
    """No panel, variable or annotation is tied to one Grafana's data source."""
    chosen = {"type": "influxdb", "uid": "${datasource}"}
    asked = [*PANELS, *(target for panel in PANELS for target in panel["targets"]), *DASHBOARD["annotations"]["list"]]
    asked += [entry for entry in VARIABLES.values() if entry["type"] == "query"]
    assert all(entry["datasource"] == chosen for entry in asked)


@pytest.mark.parametrize(("panel", "target"), QUERIES)
def test_percentiles_are_never_averaged(panel: dict[str, Any], target: dict[str, Any]) -> None:
    """A percentile is taken as it is, or as the worst of several; no query makes a mean or a sum of one."""
    assert not re.search(r'(mean|sum|median|percentile)\("?(p\d\d|min|max|mean)"?', target["query"]), panel["title"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """Give a server that holds three runs with two labels, as the lab writes them."""
    with InfluxDB(tmp_path_factory.mktemp("influxdb")) as server:
        server.query(f"CREATE DATABASE {DATABASE}")
        for run in RUNS:
            server.write(run.lines)
        yield server


def asked(query: str, chosen: Chosen, interval_s: int = 1) -> str:
    """Fill a query in as Grafana does: the time that is shown, a point's time, and the variables' values."""
    query = query.replace("$timeFilter", f"time >= {SHOWN_MS[0]}ms and time <= {SHOWN_MS[1]}ms")
    query = query.replace("$__interval_ms", str(interval_s * 1000)).replace("$__interval", f"{interval_s}s")

    def value(match: re.Match[str]) -> str:
        name, _, form = match.group(1).partition(":")
        values = chosen[name]
        if values == ["$__all"]:
            return str(VARIABLES[name]["allValue"])
        if form == "regex":
            values = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", value) for value in values]
        return values[0] if len(values) == 1 else f"({'|'.join(values)})"

    query = re.sub(r"\$\{([^}]+)\}", value, query)
    assert "$__" not in query, query
    return query


ALL: Final[Chosen] = {
    "run": [run.name for run in RUNS],
    "operation": ["$__all"],
    "clock": ["service"],
    "label_a": [RUNS[0].label],
    "label_b": [RUNS[2].label],
}


@pytest.mark.parametrize(
    ("choice", "interval_s"),
    [({}, 1), ({"run": ALL["run"][:1], "operation": ["booking"]}, 1), ({}, 10)],
    ids=["all runs", "one run, one operation", "zoomed out"],
)
@pytest.mark.parametrize(("panel", "target"), QUERIES)
def test_every_query_of_a_panel_gives_rows(
    panel: dict[str, Any], target: dict[str, Any], choice: Chosen, interval_s: int, shown: InfluxDB
) -> None:
    """On a real server, over the lab's points, each query gives rows with a value, however runs are chosen."""
    found = rows(shown.query(asked(target["query"], ALL | choice, interval_s)))
    values = [entry for entry in found if any(isinstance(entry[key], (int, float)) for key in entry if key != "time")]
    assert values or any(entry.get("last") for entry in found), panel["title"]


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel["type"] in {"table", "barchart"}])
def test_columns_are_those_of_the_query(panel: dict[str, Any], shown: InfluxDB) -> None:
    """A column that a panel names, hides, or joins by is one that its queries give."""
    columns = {"Time"}
    for target in panel["targets"]:
        for entry in rows(shown.query(asked(target["query"], ALL))):
            columns |= set(entry) - {"time"}
    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    for change in panel["transformations"]:
        options = change["options"]
        named |= {options.get("byField", "Time"), *options.get("excludeByName", {})}
        named |= set(options.get("include", {}).get("names", ()))
    assert named <= columns
    assert columns - named <= {"Time"}


def test_variables_offer_what_is_there(shown: InfluxDB) -> None:
    """The lists hold the runs, the newest first, their operations and their labels."""
    offered = {}
    for name, entry in VARIABLES.items():
        if entry["type"] == "query":
            found = [row["value"] for row in rows(shown.query(asked(entry["query"]["query"], ALL)))]
            offered[name] = sorted(found, reverse=entry["sort"] == 2)
    assert offered["run"] == [run.name for run in reversed(RUNS)]
    assert offered["operation"] == sorted(OPERATIONS)
    assert offered["label_a"] == sorted({run.label for run in RUNS})
    assert offered["label_b"] == offered["label_a"][::-1]
    assert VARIABLES["clock"]["query"].split(",") == ["service", "response"]


def test_annotations_mark_the_run(shown: InfluxDB) -> None:
    """Start, stages, thresholds and end of the chosen run are marked, with a title, a text and their kind."""
    (entry,) = DASHBOARD["annotations"]["list"]
    target = entry["target"]
    found = rows(shown.query(asked(target["query"], ALL | {"run": [RUNS[0].name]})))
    kinds = [row[target["tagsColumn"]] for row in found]
    assert set(kinds) == {"start", "stage", "threshold", "end"}
    assert (kinds[0], kinds[-1]) == ("start", "end")
    assert all(row[target["titleColumn"]] and row[target["textColumn"]] for row in found)


def test_the_server_holds_every_measurement_of_the_schema(shown: InfluxDB) -> None:
    """The points that the queries are tried on are of every kind that the lab writes."""
    assert {row["name"] for row in rows(shown.query("SHOW MEASUREMENTS"))} == MEASUREMENTS


def panel_named(title: str, kind: str) -> dict[str, Any]:
    """Give a panel."""
    (found,) = (number for number, panel in enumerate(PANELS) if (panel["title"], panel["type"]) == (title, kind))
    return PANELS[found]


def first_value(panel: dict[str, Any], server: InfluxDB) -> float | str:
    """Give the one number or word that a panel shows."""
    (row,) = rows(server.query(asked(panel["targets"][0]["query"], ALL)))
    value: float | str
    (value,) = [value for key, value in row.items() if key != "time"]
    return value


def test_single_numbers_are_those_of_the_runs(shown: InfluxDB) -> None:
    """What the dashboard counts is what the runs' own totals say."""
    totals = [synthetic.totals(synthetic.tally(run.ticks)) for run in RUNS]
    requests = sum(total.ok + total.failed for total in totals)
    checks = sum(total.checks_passed + total.checks_failed for total in totals)
    assert first_value(panel_named("Requests", "stat"), shown) == requests
    assert first_value(panel_named("Iterations", "stat"), shown) == sum(total.iterations for total in totals)
    assert first_value(panel_named("Failed", "stat"), shown) == sum(total.failed for total in totals) / requests
    passed = sum(total.checks_passed for total in totals) / checks
    assert first_value(panel_named("Checks passed", "stat"), shown) == pytest.approx(passed)
    assert first_value(panel_named("Verdict", "stat"), shown) == "VALID, passed"


def test_a_rate_is_per_second_however_far_one_zooms_out(shown: InfluxDB) -> None:
    """A point of ten seconds shows the requests of one second, and all points together the requests that there were."""
    (target,) = panel_named("Requests a second", "timeseries")["targets"]
    expected = synthetic.totals(synthetic.tally(RUNS[0].ticks))
    for interval in (1, 10):
        found = rows(shown.query(asked(target["query"], ALL | {"run": [RUNS[0].name]}, interval)))
        counted = sum(row["sum"] for row in found if row["sum"] is not None) * interval
        assert counted == pytest.approx(expected.ok + expected.failed)


@pytest.mark.parametrize("title", ["p95 of the newest run of each", "Rate of the newest run of each"])
def test_labels_are_compared_by_the_exact_figures_of_their_newest_runs(title: str, shown: InfluxDB) -> None:
    """The two labels' bars are the newest run's own figures over its whole length, whatever time is shown."""
    panel = panel_named(title, "barchart")
    for target, column, run in zip(panel["targets"], ("a", "b"), RUNS[1:], strict=True):
        found = rows(shown.query(asked(target["query"], ALL)))
        whole = synthetic.tally(run.ticks)
        for row in found:
            selector = Selector("http_req_duration", (("operation", row["operation"]),))
            histogram = whole.histogram(selector, OK)
            p95 = histogram.percentile(0.95)
            assert p95 is not None
            expected = p95 / 1000 if title.startswith("p95") else histogram.count / SECONDS
            assert row[column] == pytest.approx(expected)
        assert {row["operation"] for row in found} == set(OPERATIONS)


def test_thresholds_show_all_three_states(shown: InfluxDB) -> None:
    """One threshold holds, one is crossed on the way, and one without data is neither."""
    (target,) = panel_named("Value and state", "table")["targets"]
    found = rows(shown.query(asked(target["query"], ALL | {"run": [RUNS[0].name]})))
    states = {(row["metric"], row["threshold"]): (row["state"], row["value"] is not None) for row in found}
    assert states["http_req_failed", "rate<0.05"] == (1, True)
    assert states["http_req_duration{operation:booking}", "p(95)<60"] == (0, True)
    assert states["http_req_duration{operation:nothing}", "p(95)<60"] == (-1, False)


@pytest.mark.parametrize("interval_s", [5, 10])
def test_parts_are_those_of_a_request_and_add_up_to_the_requests_under_way(interval_s: int, shown: InfluxDB) -> None:
    """Each part's mean is that of the requests, and 30 requests of three operations every 5 s are so many at a time."""
    for title, expected in (
        ("Time of a request by part", {"auth": 30.0, "booking.db": 12.0, "gap": 0.5}),
        ("Requests in each part", {"auth": 0.54, "booking.db": 0.216, "gap": 0.009}),
    ):
        (target,) = panel_named(title, "timeseries")["targets"]
        found = rows(shown.query(asked(target["query"], ALL | {"run": [RUNS[0].name]}, interval_s)))
        values: dict[str, set[float]] = {}
        for row in found:
            value = next(row[key] for key in row if key not in {"time", "operation", "part"})
            if value is not None:
                values.setdefault(row["part"], set()).add(round(value, 6))
        assert values == {part: {figure} for part, figure in expected.items()}
