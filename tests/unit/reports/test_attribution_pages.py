"""Where the time goes and how long mails take, as a run folder tells it, and as the summary and the page show it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest

from lab.model.histogram import bin_of
from lab.model.sample import NO_CLOCK, OK, Tick, TrendKey
from lab.model.server_timing import BLOCK_S, COUNTS, SUMS, TIMING
from reports import html, text
from reports.attribution import charts
from reports.attribution.looks import Looks
from reports.attribution.operation import ALL, MEDIAN, P95, Operation, leading
from reports.attribution.reading import Attribution, load, operations
from reports.attribution.shares import shares
from reports.attribution.told import line
from reports.comparison import export, files, markdown, metrics, page
from reports.comparison import text as comparison
from reports.single.make import Wanted, make
from tests import synthetic

if TYPE_CHECKING:
    from reports.comparison.result import Comparison

PARTS = {COUNTS, SUMS, TIMING}
MS = 1000
OF_A_RUN = Path(__file__).parents[3] / "docs" / "run-report.schema.json"
SCHEMA = Path(__file__).parents[3] / "docs" / "comparison.schema.json"
HOSTILE = "<b>book</b>"


def ticks(operation: str = "booking", blocks: int = 6, count: int = 40) -> list[Tick]:
    """Make up seconds whose blocks get slower: the first takes 11 ms a request, and each later one 10 ms more."""
    told = ("operation", operation)
    seconds = synthetic.ticks(blocks * BLOCK_S)
    for block in range(blocks):
        group = 100 + block
        sums = {("auth", "own"): 10 * MS * (block + 1), ("booking", "db"): MS, ("client", "gap"): 0}
        trends = {TrendKey(COUNTS, "", (told,), OK, NO_CLOCK): {group: count}}
        for (hop, kind), us in sums.items():
            tags = (("hop", hop), ("kind", kind), told)
            trends[TrendKey(SUMS, "", tags, OK, NO_CLOCK)] = {group: us * count}
            trends[TrendKey(TIMING, "", tags)] = {bin_of(us): count}
        last = (block + 1) * BLOCK_S - 1
        seconds[last] = replace(seconds[last], trends={**seconds[last].trends, **trends})
    return seconds


@pytest.mark.parametrize("closed", [True, False])
def test_a_run_folder_tells_where_the_time_went(tmp_path: Path, closed: bool) -> None:  # noqa: FBT001 - parametrized
    """From a run that is closed and from one that was killed: by operation, and by block of seconds."""
    seconds = ticks()
    folder = synthetic.folder(tmp_path, synthetic.run(synthetic.tally(seconds)), seconds, closed=closed)
    found = load(folder, 0)
    assert [one.name for one in found.operations] == ["booking"]
    whole = found.operations[0].band(ALL)
    assert whole is not None
    assert whole.parts == pytest.approx({"auth.own": 35 * MS, "booking.db": MS, "client.gap": 0})
    first = found.blocks[(found.blocks["begin"] == 0) & (found.blocks["label"] == "auth.own")]
    assert first["value"].tolist() == [400 * MS]


def test_of_the_warm_up_nothing_is_judged_and_all_is_shown(tmp_path: Path) -> None:
    """The page and what compares runs judge by the same requests: those of blocks that ended after the warm-up."""
    seconds = ticks()
    run = synthetic.run(synthetic.tally(seconds), warmup=BLOCK_S)
    folder = synthetic.folder(tmp_path, run, seconds)
    found = load(folder, BLOCK_S)
    assert found.operations[0].requests == 5 * 40
    (compared,) = operations(folder)
    assert (compared.counts, compared.us) == (found.operations[0].counts, found.operations[0].us)
    assert sorted(set(found.blocks["begin"])) == [block * BLOCK_S for block in range(6)]


def test_a_run_whose_target_tells_nothing_has_no_charts_of_it(tmp_path: Path) -> None:
    """Nothing is read, drawn or said."""
    seconds = synthetic.ticks(5)
    folder = synthetic.folder(tmp_path, synthetic.run(synthetic.tally(seconds)), seconds)
    found = load(folder, 0)
    assert found.operations == ()
    assert charts.charts(found, 5) == []
    assert 'id="attribution"' not in html.write_html(folder).read_text(encoding="utf-8")


def test_the_bars_parts_add_up_to_the_whole_and_are_safe(tmp_path: Path) -> None:
    """Each bar is 100 %, its row names operation and ranks, and a name from elsewhere is shown letter by letter."""
    seconds = ticks(HOSTILE)
    folder = synthetic.folder(tmp_path, synthetic.run(synthetic.tally(seconds)), seconds)
    bars, time = charts.charts(load(folder, 0), len(seconds))
    assert bars.figure is not None
    assert time.figure is not None
    rows = bars.figure["data"]
    assert [trace["name"] for trace in rows] == ["auth", "booking.db"]
    assert sum(trace["x"][0] for trace in rows) == pytest.approx(100)
    assert rows[0]["y"][0].startswith("&lt;b&gt;book&lt;/b&gt;, median: ")
    assert [trace["y"][0] for trace in time.figure["data"]] == pytest.approx([10, 1])
    assert "auth" in bars.summary
    # The last window goes on to its end.
    assert time.figure["data"][0]["y"][-2:] == pytest.approx([60, 60])
    assert time.figure["data"][0]["x"][-1] - time.figure["data"][0]["x"][-2] == BLOCK_S * MS


def test_a_part_looks_the_same_in_every_chart_and_run(tmp_path: Path) -> None:
    """A service has its colour and a kind of work its pattern; of names that are not known no two look alike."""
    seconds = ticks()
    bars, time = charts.charts(load(synthetic.folder(tmp_path, synthetic.run(), seconds), 0), len(seconds))
    assert bars.figure is not None
    assert time.figure is not None
    looks = [
        {
            trace["name"]: (trace["meta"]["colour"], trace["marker"]["pattern"]["shape"])
            for trace in bars.figure["data"]
        },
        {trace["name"]: (trace["meta"]["colour"], trace["fillpattern"]["shape"]) for trace in time.figure["data"]},
    ]
    assert looks[0] == looks[1] == {"auth": ("series-2", ""), "booking.db": ("series-3", "/")}
    foreign = [f"server.{kind}" for kind in ("app", "cache", "db", "render")]
    known = Looks(foreign)
    assert len({known.pattern(label)["shape"] for label in foreign}) == 4
    mixed = Looks(["gateway.own", "cdn.own", "edge.own"])
    assert mixed.colour("gateway.own") == "series-1"
    assert len({mixed.colour(f"{hop}.own") for hop in ("gateway", "cdn", "edge")}) == 3


def test_the_tables_hold_what_the_bars_show_and_add_up(tmp_path: Path) -> None:
    """For who cannot see the bars: ms by part and band, each column with its whole; the gap stands there if any is."""
    parts = {"auth.own": 12.34, "booking.db": 4.56, "x.own": 0.01, "client.gap": 0.05}
    sums = {label: {30: round(ms * MS) * 1000} for label, ms in parts.items()}
    (found,) = shares([Operation(HOSTILE, {30: 1000}, sums)])
    assert found.bands == ("median", "p95", "slowest 1 %")
    assert [(name, cells[0]) for name, cells in found.rows] == [
        ("auth", "12.3"),
        ("booking.db", "4.6"),
        ("gap", "0.1"),
        ("waited in all", "17.0"),
    ]
    seconds = ticks(HOSTILE)
    shown = html.write_html(synthetic.folder(tmp_path, synthetic.run(), seconds)).read_text(encoding="utf-8")
    assert HOSTILE not in shown
    assert re.search(r'<th scope="row">auth</th><td class="n">\d+\.\d</td>', shown)


def test_bookings_come_first_where_a_target_has_any() -> None:
    """Whatever takes more time in all: the platform is there for them."""
    rare = Operation("booking", {30: 20}, {"auth.own": {30: 20}})
    often = Operation("login", {30: 900}, {"auth.own": {30: 900_000}})
    assert leading([often, rare]) == [rare, often]
    assert line([often, rare]).startswith("booking at median")


def test_too_few_requests_are_said_and_not_drawn(tmp_path: Path) -> None:
    """Below what a median needs there is a sentence in the chart's place."""
    seconds = ticks(blocks=1, count=MEDIAN.needs - 1)
    folder = synthetic.folder(tmp_path, synthetic.run(synthetic.tally(seconds)), seconds)
    (chart,) = charts.charts(load(folder, 0), len(seconds))
    assert chart.figure is None
    assert "Too few requests" in chart.summary
    assert charts.charts(Attribution(), 5) == []


def test_the_page_and_the_summary_say_where_the_time_goes_and_how_long_mails_take(tmp_path: Path) -> None:
    """Both have the parts, the delay's percentiles, and how long the queue took to drain."""
    delay = Tick(7, {TrendKey("notification_delay", "mail", ()): {bin_of(250 * MS): 300}})
    seconds = [*ticks(), delay]
    run = synthetic.run(synthetic.tally(seconds))
    page = html.write_html(synthetic.folder(tmp_path, run, seconds)).read_text(encoding="utf-8")
    assert 'id="attribution"' in page
    assert 'id="attribution-time"' in page
    assert "300 mails came after their booking: half of them within 250" in page
    summary = text.summary(run, synthetic.tally(seconds))
    assert "server_timing.................: booking at p95 61ms: auth 60ms, others 1ms" in summary
    assert "notification_delay............: avg=250" in summary
    assert "drain_time....................: 3.4s after the load ended" in summary


def test_every_report_that_is_asked_for_says_where_the_time_goes(tmp_path: Path) -> None:
    """The page that is written elsewhere as the run's own one, the Markdown, and the JSON, which keeps its schema."""
    seconds = ticks(count=400)
    folder = synthetic.folder(tmp_path / "run", synthetic.run(synthetic.tally(seconds)), seconds)
    wanted = Wanted(html=tmp_path / "a.html", md=tmp_path / "a.md", json=tmp_path / "a.json")
    make(folder, wanted, {})
    assert 'id="attribution"' in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "**Where the time goes:** booking at p95 61ms: auth 60ms" in (tmp_path / "a.md").read_text(encoding="utf-8")
    values = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(json.loads(OF_A_RUN.read_text(encoding="utf-8"))).validate(values)
    (found,) = values["where_time_goes"]
    assert (found["operation"], found["requests"]) == ("booking", 2400)
    assert [band["at"] for band in found["bands"]] == ["median", "p95", "slowest 1 %"]
    for band in found["bands"]:
        assert sum(part["mean"] for part in band["parts"]) == pytest.approx(band["waited"])


def sides(out: Path, *names: tuple[str, int]) -> Comparison:
    """Compare single runs, each with a label and as slow as so many blocks make it; 0 tell nothing."""
    for name, blocks in names:
        seconds = ticks(blocks=blocks, count=400) if blocks else synthetic.ticks(BLOCK_S)
        run = synthetic.run(synthetic.tally(seconds), id=name, label=name)
        synthetic.folder(out / name, run, seconds)
    return files.compared([name for name, _ in names], out, metrics.asked(None, None), 0.05, force=True)


def test_a_comparison_says_what_explains_the_difference(tmp_path: Path) -> None:
    """Of runs whose target told, the sentence names the part that moved, for the median and for p95."""
    found = sides(tmp_path, ("before", 1), ("after", 3))
    assert [(cause.baseline, cause.candidate, str(cause)) for cause in found.because] == [
        ("before", "after", "booking median +10 ms: auth +10"),
        ("before", "after", "booking p95 +20 ms: auth +20"),
    ]
    shown = comparison.summary(found)
    assert "where the difference comes from" in shown
    assert "booking p95 +20 ms: auth +20" in shown
    shown = markdown.render(found).replace("\\", "")
    assert "- booking p95 +20 ms: auth +20" in shown
    assert "| auth | 10.0 | 30.0 | +20.0 |" in shown
    shown = page.render(found, ())
    assert "<caption>booking p95 +20 ms: auth +20</caption>" in shown
    cells = '<th scope="row">auth</th><td class="n">10.0</td><td class="n">30.0</td><td class="n">+20.0</td>'
    assert cells in shown


def test_each_iteration_is_explained_from_the_start_and_from_the_one_before(tmp_path: Path) -> None:
    """Three sides give three explanations, in the text, the Markdown, the page and the JSON, which keeps its schema."""
    found = sides(tmp_path, ("first", 1), ("second", 3), ("third", 5))
    p95 = [(one.baseline, one.candidate, str(one)) for one in found.because if one.difference.ranks is P95]
    assert p95 == [
        ("first", "second", "booking p95 +20 ms: auth +20"),
        ("first", "third", "booking p95 +40 ms: auth +40"),
        ("second", "third", "booking p95 +20 ms: auth +20"),
    ]
    for shown in (comparison.summary(found), markdown.render(found).replace("\\", "")):
        assert "against second: booking p95 +20 ms: auth +20" in shown
    assert page.render(found, ()).count('<table class="because">') == 6
    values = json.loads(export.render(found))
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(values)
    assert len(values["because"]) == 6
    for one in values["because"]:
        assert sum(part["change"] for part in one["parts"]) == pytest.approx(one["change"])
        assert one["after"] - one["before"] == pytest.approx(one["change"])


def test_nothing_is_claimed_of_a_side_that_told_nothing(tmp_path: Path) -> None:
    """There is no explanation, and a note says of which side it is not known."""
    found = sides(tmp_path, ("silent", 0), ("after", 3))
    assert found.because == ()
    assert 'where the time of "silent" went is not known: its target sent no Server-Timing' in found.warnings
    assert 'id="because"' not in page.render(found, ())
    assert sides(tmp_path / "both", ("one", 0), ("two", 0)).warnings == ()


def test_a_part_of_the_requests_is_no_more_than_that(tmp_path: Path) -> None:
    """Where a tenth of the bookings told nothing, that is said; where all told, nothing is."""
    booked = TrendKey("http_req_duration", "POST /b", (("operation", "booking"),), OK)
    for name, told_ok, blocks in (("before", 400, 1), ("after", 450, 3)):
        # All of a block in its last second, which is where the sums stand.
        seconds = [
            replace(tick, trends={**{key: bins for key, bins in tick.trends.items() if key.metric in PARTS}, **more})
            for tick in ticks(blocks=blocks, count=400)
            for more in [{booked: {1000: told_ok}} if tick.second % BLOCK_S == BLOCK_S - 1 else {}]
        ]
        run = synthetic.run(synthetic.tally(seconds), id=name, label=name)
        synthetic.folder(tmp_path / name, run, seconds)
    found = files.compared(["before", "after"], tmp_path, metrics.asked(None, None), 0.05, force=True)
    assert len(found.because) == 2
    notes = [text for text in found.warnings if "where the time" in text]
    assert notes == ['where the time of booking in "after" went is known of 1,200 of 1,350 requests only']


def test_runs_that_were_named_by_their_path_are_explained_too(tmp_path: Path) -> None:
    """Where runs are is no matter; of those that are gone it is said."""
    sides(tmp_path, ("before", 1), ("after", 3))
    paths = [str(tmp_path / name) for name in ("before", "after")]
    found = files.compared(paths, tmp_path / "elsewhere", metrics.asked(None, None), 0.05, force=True)
    assert len(found.because) == 2
    lost = files.explained(replace(found, because=()), tmp_path / "elsewhere", paths[:1])
    assert lost.because == ()
    assert 'where the time of "after" went is not known: the samples of its 1 run cannot be read' in lost.warnings
