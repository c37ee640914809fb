"""Files with samples (k6's streams, JMeter's results): counted request by request, in the lab's histograms."""

from __future__ import annotations

import gzip
import io
import json
import random
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import ConfigError
from lab.importers import figures
from lab.importers.bring import bring, tally
from lab.importers.filling import MOST_SERIES, OTHER, Filling
from lab.model.histogram import Histogram, bin_of
from lab.model.run import Origin
from lab.model.sample import FAIL, OK, SeriesKey, TrendKey
from lab.model.threshold import Outcome, Selector
from reports.comparison.reading import figures_of
from reports.html import write_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lab.store import RunFolder

BEGIN = 1_790_000_000
BLOCKED = '{"metric":"http_req_blocked","type":"Point","data":{"time":"2026-11-23T04:15:00Z","value":1,"tags":null}}'
ALL = Selector("http_req_duration")
JTL = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,failureMessage,bytes,sentBytes,allThreads"
)


def _point(metric: str, at: float, value: float, **tags: str) -> str:
    minute, second = divmod(at, 60)
    time = f"2026-11-23T04:{15 + int(minute):02}:{second:012.9f}+02:00"
    return json.dumps({"metric": metric, "type": "Point", "data": {"time": time, "value": value, "tags": tags or None}})


def _declared(metric: str, kind: str, contains: str = "default", thresholds: Sequence[str] = ()) -> str:
    data = {"name": metric, "type": kind, "contains": contains, "thresholds": list(thresholds), "submetrics": None}
    return json.dumps({"type": "Metric", "data": data, "metric": metric})


def _stream(values: Sequence[float]) -> list[str]:
    lines = [
        _declared("http_req_duration", "trend", "time", ["p(95)<500", "p(50)<1", "rate>1"]),
        _declared("basket", "trend"),
    ]
    for number, value in enumerate(values):
        at = number * 0.1
        answer = {"expected_response": "true", "status": "200"}
        tags = {"method": "POST", "name": "/book", "operation": "booking", "url": f"/book/{number}", **answer}
        lines += [
            _point("http_reqs", at, 1, **tags),
            _point("http_req_duration", at, value, **tags),
            _point("http_req_waiting", at, value / 2, **tags),
            BLOCKED,
            _point("checks", at, number % 2, check="booked", operation="booking"),
            _point("basket", at, 2.5),
        ]
    lines += [
        _point("http_req_duration", 1.5, 9.0, method="GET", name="/x", expected_response="false", status="503"),
        _point("iterations", 1.5, 1, scenario="default"),
        _point("iteration_duration", 1.5, 1000.5, scenario="default"),
        _point("vus", 1.0, 12),
        _point("data_received", 1.0, 4096),
    ]
    return lines


def _file(folder: Path, lines: Iterable[str], name: str = "own.json") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _bins(folder: RunFolder) -> dict[TrendKey, dict[int, int]]:
    return {key: dict(histogram.bins) for key, histogram in tally(folder).trends.items()}


def test_k6s_stream_is_counted_request_by_request(tmp_path: Path) -> None:
    """Histograms, checks, iterations, users and thresholds are those of the file's samples."""
    rng = random.Random(3)
    values = [round(rng.lognormvariate(3, 1), 6) for _ in range(300)]
    folder = bring(_file(tmp_path, _stream(values)), "k6", tmp_path / "runs", label="own")
    run, found = folder.load(), tally(folder)
    expected = Histogram()
    for value in values:
        expected.add(round(value * 1000))
    assert found.histogram(ALL).bins == expected.bins
    assert found.trends[TrendKey("http_req_duration", "GET /x", (), FAIL)].count == 1
    assert found.counters[SeriesKey("failures", (("name", "GET /x"), ("reason", "HTTP 503")))] == 1
    assert found.rate(Selector("checks", (("check", "booked"),))) == (150, 300)
    assert found.counter("data_received") == 4096
    basket = found.histogram(Selector("basket"), OK, None)
    assert basket.bins == {bin_of(2500): 300}
    assert (run.totals.sent, run.totals.ok, run.totals.failed, run.totals.iterations) == (301, 300, 1, 1)
    assert (run.totals.seconds, run.scenario.peak, run.label) == (30, 12, "own")
    assert run.started == "2026-11-23T02:15:00.000+00:00"
    assert [result.outcome for result in run.thresholds] == [Outcome.PASS, Outcome.FAIL]
    kept = figures.load(folder)
    assert kept is not None
    assert any("rate>1" in note for note in kept.notes)  # a trend has no rate: said, and not judged
    assert run.source == Origin("k6", "JSON samples", samples=True)
    assert 'id="operations"' in write_html(folder).read_text(encoding="utf-8")
    assert figures_of(folder).values["booking", "p50"] == found.histogram(ALL).percentile(0.5)


def test_a_packed_stream_is_the_same_run(tmp_path: Path) -> None:
    """A file that gzip packed gives the same samples; one that is cut off is refused."""
    plain = _file(tmp_path, _stream([5.0] * 50))
    packed = tmp_path / "own.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    first, second = (bring(path, "k6", tmp_path / "runs") for path in (plain, packed))
    assert _bins(first) == _bins(second)
    assert first.load().scenario.name == second.load().scenario.name == "own"
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ConfigError, match="expected a whole file packed by gzip"):
        bring(packed, "k6", tmp_path / "runs")


def test_k6s_csv_is_read_and_says_what_it_cannot_tell(tmp_path: Path) -> None:
    """The CSV's samples are counted by name and the script's own tags; its own metrics are left out by name."""
    header = "metric_name,timestamp,metric_value,check,error,expected_response,method,name,scenario,status,extra_tags"
    rows = [f"http_req_duration,{BEGIN + n},{n}.5,,,true,GET,/a,default,200,operation=search" for n in range(1, 11)]
    more = [f"checks,{BEGIN + 1},1,up,,,,,default,,", f"basket,{BEGIN + 1},3,,,,,,default,,", f"vus,{BEGIN},4,,,,,,,,"]
    folder = bring(_file(tmp_path, [header, *rows, *more], "own.csv"), "k6", tmp_path / "runs")
    found, kept = tally(folder), figures.load(folder)
    key = TrendKey("http_req_duration", "GET /a", (("operation", "search"),))
    assert found.trends[key].bins == {bin_of(n * 1000 + 500): 1 for n in range(1, 11)}
    assert found.histogram(ALL).count == 10
    assert found.seconds == 11
    assert kept is not None
    assert any(note.endswith("of what kind they are: basket") for note in kept.notes)


def test_jmeters_rows_are_counted_in_the_second_in_which_they_ended(tmp_path: Path) -> None:
    """Samples, failures with their reason, users and bytes; a transaction controller's row is no request."""
    rows = [
        f"{BEGIN}000,250,book,200,OK,t-1,true,,1200,300,2",
        f"{BEGIN}900,1500,book,503,Unavailable,t-2,false,,80,300,3",
        f'{BEGIN}100,10,"find, quick",200,OK,t-1,false,"expected ""seats""",80,300,3',
        f'{BEGIN}000,2400,tx,,"Number of samples in transaction : 3, number of failing samples : 2",t-1,false,,0,0,3',
    ]
    folder = bring(_file(tmp_path, [JTL, *rows], "own.jtl"), "jmeter", tmp_path / "runs")
    run, found = folder.load(), tally(folder)
    assert found.histogram(ALL).bins == {bin_of(250_000): 1}
    assert (run.totals.sent, run.totals.ok, run.totals.failed, run.totals.seconds) == (3, 1, 2, 3)
    assert run.scenario.peak == 3
    reasons = {dict(key.tags)["reason"]: count for key, count in found.counters.items() if key.metric == "failures"}
    assert reasons == {"503 Unavailable": 1, 'expected "seats"': 1}
    assert found.counter("data_received") == 1360
    assert found.histogram(Selector("group_duration", (("group", "tx"),))).count == 1


@pytest.mark.parametrize(
    ("tool", "lines", "said"),
    [
        ("k6", [*_stream([1.0]), '{"metric":"http_req_du'], "line 14: expected a JSON object"),
        ("k6", [*_stream([1.0]), BLOCKED[:-1]], "line 14: expected a JSON object"),
        (
            "k6",
            [_point("http_req_duration", 1, 2).replace("2026-11-23", "yesterday")],
            "line 1: expected a JSON object",
        ),
        ("k6", [_point("http_req_duration", 1, 2).replace('"value": 2', '"value": true')], "line 1: expected"),
        ("k6", [_declared("http_req_duration", "trend")], "expected the samples of at least one request; found none"),
        (
            "k6",
            ["metric_name,timestamp,metric_value", f"http_req_duration,{BEGIN}"],
            "line 2: expected 3 fields; found 2",
        ),
        ("k6", ["metric_name,timestamp,metric_value", f"http_req_duration,{BEGIN},soon"], "line 2: expected a time"),
        ("k6", [_point("vus", 1, 2), _point("vus", 2, 2).replace("2026", "2025")], "more than a week apart"),
        ("jmeter", [JTL, f"{BEGIN}000,2"], "line 2: expected 11 fields; found 2: is it cut off?"),
        ("jmeter", [JTL, "2026/11/23 04:15:00,250,book,200,OK,t,true,,1,1,2"], "line 2: expected ms since 1970"),
        ("jmeter", [JTL, f"{BEGIN}000,2,book,200,OK,t,true,,{10**30},1,2"], "line 2: expected bytes and threads"),
        ("jmeter", [JTL, f"{BEGIN}000,2,book,200,OK,t,true,,-1,1,2"], "line 2: expected bytes and threads"),
        ("jmeter", [JTL, f"{BEGIN}000,2,book,200,OK,t,true,,1,1,inf"], "found 1, 1, inf"),
        ("jmeter", [JTL, f"{BEGIN}000,2,book,200,OK,t,true,,1,1,nan"], "found 1, 1, nan"),
        ("jmeter", ["timeStamp,elapsed,label", "1,2,x"], "found no success"),
        ("jmeter", ['<?xml version="1.0"?>'], "output_format=csv"),
        ("jmeter", ['{"metrics": {"vus": {"value": 1}}}'], "airbourne-lab import k6"),
    ],
)
def test_a_cut_off_or_foreign_file_leaves_nothing(tmp_path: Path, tool: str, lines: list[str], said: str) -> None:
    """One sentence names the file, the line, what was expected and what was found; no half run is left."""
    with pytest.raises(ConfigError) as error:
        bring(_file(tmp_path, lines), tool, tmp_path / "runs")
    assert said in str(error.value)
    assert "own.json" in str(error.value)
    assert not list((tmp_path / "runs").glob("*"))


def test_samples_out_of_order_are_all_counted() -> None:
    """What comes late stands in its own second; what lies before all that was written, in the first, and is said."""
    log = io.StringIO()
    filling = Filling(log)
    moments = [100, 103, 101, 99, 400, 102, 50, 398]
    for at in moments:
        filling.request(BEGIN + at, "GET /", (), 1000, None)
    whole = filling.close()
    seconds = [json.loads(line)["second"] for line in log.getvalue().splitlines()]
    assert sorted(seconds) == [0, 0, 1, 2, 3, 4, 299, 301]
    assert (whole.counter("sent"), filling.early, filling.began) == (len(moments), 1, BEGIN + 99)


def test_memory_does_not_grow_with_the_requests_and_names_are_bounded() -> None:
    """Ten times as many requests take no more memory; names beyond the bound are counted together."""

    class Nowhere(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

    def peak(requests: int) -> int:
        filling = Filling(Nowhere())
        tracemalloc.start()
        for number in range(requests):
            filling.request(BEGIN + number * 600 / requests, "GET /", (), 1000 + number % 5, None)
        filling.close()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(60_000) < 1.5 * peak(6_000)
    many = Filling(Nowhere())
    for number in range(MOST_SERIES + 5):
        many.request(BEGIN, f"GET /{number}", (), 1000, None)
    found: dict[Any, Histogram] = many.close().trends
    assert found[TrendKey("http_req_duration", OTHER, ())].count == many.other == 5
