"""The HTML report is one file that runs nothing but its own script, whatever the run's texts are."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from math import log10
from typing import TYPE_CHECKING

import pytest

from lab.errors import RunError
from lab.model.histogram import bin_of
from lab.model.run import Status
from lab.model.sample import Tick, TrendKey
from reports import charts, frame, html
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE_SECONDS = synthetic.ticks(120, hostile=synthetic.HOSTILE)
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page's elements with their attributes, its visible text, and the content of its scripts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be of that tag."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather text."""
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif not self.open or self.open[-1] != "style":
            self.text += data

    def tags(self) -> set[str]:
        """Give the tags in use."""
        return {tag for tag, _ in self.elements}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Page]:
    """Give the report of a run whose every text is hostile."""
    run = synthetic.hostile_run(synthetic.tally(HOSTILE_SECONDS))
    path = html.write_html(synthetic.folder(tmp_path_factory.mktemp("hostile"), run, HOSTILE_SECONDS))
    source = path.read_text(encoding="utf-8")
    return source, Page(source)


def test_a_well_formed_page_is_written_into_the_run_folder(tmp_path: Path) -> None:
    """The report stands beside run.json, under 3 MB, and nothing else is left there."""
    seconds = synthetic.ticks()
    place = synthetic.folder(tmp_path, synthetic.run(synthetic.tally(seconds)), seconds)
    path = html.write_html(place)
    page = Page(path.read_text(encoding="utf-8"))
    assert path == place.report
    assert path.stat().st_size < 3_000_000
    assert page.open == []
    assert {file.name for file in tmp_path.iterdir()} == {
        "digest.npz",
        "run.json",
        "samples.parquet",
        "series.parquet",
        "report.html",
    }


def test_the_order_is_verdict_thresholds_integrity_and_then_figures(tmp_path: Path) -> None:
    """What a person must know first stands first."""
    seconds = synthetic.ticks(30)
    run = synthetic.run(synthetic.tally(seconds))
    text = Page(html.render(frame.load(synthetic.folder(tmp_path, run, seconds)))).text
    headings = ["PASSED", "Thresholds", "Integrity", "Requests and users over time", "Latency over time"]
    headings += ["Latency distribution", "Operations", "Failures by reason", "Checks", "How it was run"]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)


def test_hostile_texts_are_shown_and_make_no_element(hostile: tuple[str, Page]) -> None:
    """Names, reasons, labels and traces stand in the page's text, and no element or handler comes of them."""
    _, page = hostile
    for text in synthetic.HOSTILE[:3]:
        assert text in page.text
    assert not page.tags() & {"img", "b onload", "iframe", "object", "embed", "form", "base", "link", "svg"}
    assert not [attrs for _, attrs in page.elements if any(name.startswith("on") for name in attrs)]
    assert not [attrs for tag, attrs in page.elements if tag == "a" and attrs.get("href") != "#main"]
    assert page.open == []


def test_direction_and_control_characters_are_shown_as_codes(hostile: tuple[str, Page]) -> None:
    """Nothing in the page turns the reading direction or breaks a line of script."""
    source, _ = hostile
    assert not set(source) & set("\u2028\u2029\u202e\x1b\x00")


def test_the_policy_allows_only_the_files_own_scripts(hostile: tuple[str, Page]) -> None:
    """The two hashes of the policy are those of the page's script and of the plotly that it unpacks; no network."""
    _, page = hostile
    policy = next(attrs["content"] for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy is not None
    plotly = gzip.decompress(base64.b64decode(page.scripts[1])).decode()
    expected = [
        "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in (page.scripts[2], plotly)
    ]
    assert re.findall(r"'(sha256-[^']+)'", policy) == expected
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "unsafe-inline'; img-src" in policy
    assert "unsafe-eval" not in policy


def test_the_charts_data_cannot_end_its_script(hostile: tuple[str, Page]) -> None:
    """The figures are JSON without a character that HTML knows, and name operations as plotly shows them literally."""
    _, page = hostile
    figures = json.loads(page.scripts[0])
    assert not set(page.scripts[0]) & set("<>&")
    names = [trace["name"] for trace in figures["distribution"]["data"]]
    assert names
    assert not [name for name in names if "<" in name or ">" in name]
    assert [name for name in names if "&lt;" in name]


def test_nothing_is_fetched(hostile: tuple[str, Page]) -> None:
    """No element of the page has an address to load from."""
    _, page = hostile
    assert not [attrs for _, attrs in page.elements if "src" in attrs or "srcset" in attrs or "data-src" in attrs]


@pytest.mark.parametrize("status", [Status.RUNNING, Status.CRASHED, Status.STOPPED])
def test_a_run_without_a_verdict_says_so(tmp_path: Path, status: Status) -> None:
    """A run that goes on, or was killed, has a report of what there is."""
    seconds = synthetic.ticks(30)
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), status=status, ended="")
    page = Page(html.write_html(synthetic.folder(tmp_path, run, seconds, closed=False)).read_text(encoding="utf-8"))
    assert "No verdict" in page.text
    assert "not made" in page.text
    assert "Latency over time" in page.text


@pytest.mark.parametrize(("log", "sent"), [(True, "1,207 = "), (False, "not known")])
def test_a_killed_run_counts_what_it_recorded(tmp_path: Path, log: bool, sent: str) -> None:  # noqa: FBT001 - a parameter
    """Requests come from the seconds that it left behind; without any they are not known, which is not 0."""
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), status=Status.RUNNING, pid=os.getpid(), ended="")
    place = synthetic.folder(tmp_path, run, synthetic.ticks(60) if log else (), closed=False)
    if not log:
        place.ticks.unlink()
    text = Page(html.render(frame.load(place))).text
    assert "KILLED" in text
    assert re.search(rf"Sent{sent}", text.replace("\n", ""))


@pytest.mark.parametrize("command", ["airbourne-lab run --scenario 'a b'", ""])
def test_the_command_line_is_the_one_that_was_typed(tmp_path: Path, command: str) -> None:
    """It is shown as it was typed; where it was not recorded, the page makes none up."""
    text = Page(html.render(frame.load(synthetic.folder(tmp_path, synthetic.run(command=command))))).text
    assert (command or "Its command line was not recorded.") in text.partition("Run it again")[2]


def test_a_run_without_samples_has_a_report(tmp_path: Path) -> None:
    """Nothing recorded gives a page that says so, and is small, since there is nothing to draw."""
    run = synthetic.run(verdict=None, integrity=None, thresholds=(), status=Status.CRASHED)
    path = html.write_html(synthetic.folder(tmp_path, run))
    assert "nothing to draw" in Page(path.read_text(encoding="utf-8")).text
    assert path.stat().st_size < 100_000


def test_metrics_that_are_missing_leave_the_rest(tmp_path: Path) -> None:
    """Seconds without a single request, and without gauges, still make a page."""
    bare = [type(tick)(tick.second) for tick in synthetic.ticks(5)]
    page = Page(
        html.write_html(synthetic.folder(tmp_path, synthetic.run(), bare, closed=False)).read_text(encoding="utf-8")
    )
    assert "No request was recorded" in page.text


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """An error of one sentence names the file."""
    place = synthetic.folder(tmp_path, synthetic.run())
    place.report.mkdir()
    with pytest.raises(RunError, match=r"cannot write the report .*report\.html"):
        html.write_html(place)


@pytest.mark.parametrize(("low", "high"), [(1900, 1927), (22_000, 26_000), (1000, 1000), (1, 60_000_000), (0, 3)])
def test_an_axis_of_ms_has_labels_wherever_the_latencies_lie(tmp_path: Path, low: int, high: int) -> None:
    """Latencies that are near each other, all equal, or far apart have three labels or more, and no two alike."""
    key = TrendKey("http_req_duration", "GET /", ())
    seconds = [Tick(0, {key: {bin_of(low): 20, bin_of(high): 20}})]
    run = synthetic.run(synthetic.tally(seconds))
    for chart in charts.charts(frame.load(synthetic.folder(tmp_path, run, seconds)))[1:]:
        assert chart.figure
        axis = chart.figure["layout"]["yaxis"]
        seen = [
            text
            for place, text in zip(axis["tickvals"], axis["ticktext"], strict=True)
            if axis["range"][0] <= log10(place) <= axis["range"][1]
        ]
        assert len(seen) >= 3
        assert len(set(seen)) == len(seen)


def test_charts_say_in_words_what_they_show(tmp_path: Path) -> None:
    """Each chart has a summary with its figures for who cannot see it."""
    seconds = synthetic.ticks()
    run = synthetic.run(synthetic.tally(seconds))
    drawn = charts.charts(frame.load(synthetic.folder(tmp_path, run, seconds)))
    assert [chart.id for chart in drawn] == ["load", "latency", "distribution"]
    assert all(re.search(r"\d", chart.summary) for chart in drawn)
    assert "with up to 100 users" in drawn[0].summary
