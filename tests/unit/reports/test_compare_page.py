"""The comparison's page: one file that says the answer first, shows every run, and obeys nothing that runs bring."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import RunError
from lab.model.verdict import Validity
from reports.compare import Options, compare
from reports.comparison import page
from reports.comparison.reading import figures_of
from reports.comparison.sides import sides
from reports.stats.ruling import Answer
from tests import goldens, synthetic
from tests.unit.reports.test_compare import AFTER, BEFORE, changed, side

if TYPE_CHECKING:
    from pathlib import Path

    from lab.store import RunFolder
    from reports.comparison.result import Comparison

HOSTILE = '<img src=x onerror="window.stolen=1"></script><b>bold</b>\u202e'
HEADINGS = (
    "What changed", "How much, and how sure", "Booking p95 over time", "Booking latency distribution", "Every run",
    "In the order of time", "Gates and integrity", "What was the same, and what differed", "How it was worked out",
)  # fmt: skip
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page's elements with their attributes, its text in order, and its scripts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.pieces: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        """Give what a reader sees, on one line."""
        return " ".join(" ".join(self.pieces).split())

    @property
    def figures(self) -> Any:  # noqa: ANN401 - JSON of plotly
        """Give the charts' data."""
        return json.loads(self.scripts[0])

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
            self.pieces.append(data)


def shown(found: Comparison, *runs: RunFolder) -> Page:
    """Read the page of a comparison."""
    return Page(page.render(found, runs))


def table(found: Comparison) -> str:
    """Give the tables of a comparison's page as lines of text, a cell each after a bar."""
    source = page.render(found, ())
    rows = re.findall(
        r"<tr.*?</tr>", "".join(re.findall(r'<table class="compared">.*?</table>', source, re.DOTALL)), re.DOTALL
    )
    cells = [
        [re.sub(r"<[^>]+>", " ", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in rows
    ]
    notes = re.findall(r'<p class="note">(\([a-z]+\).*?)</p>', source)
    return "\n".join([*(" | ".join(" ".join(unescape(cell).split()) for cell in row) for row in cells), *notes]) + "\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[RunFolder]]:
    """Write two runs, each with a label of its own."""
    out = tmp_path_factory.mktemp("runs")
    made = []
    for number, (label, profile) in enumerate((("before", "as-found"), ("after", "safe"))):
        seconds = synthetic.ticks(120, number + 1)
        run = synthetic.run(
            synthetic.tally(seconds),
            id=f"r{number}",
            label=label,
            profile=profile,
            started=f"2026-11-23T0{number}:00:00Z",
        )
        made.append(synthetic.folder(out / run.id, run, seconds))
    return out, made


def test_the_answer_comes_first_and_the_rest_in_order() -> None:
    """The sentence, then the table, the plots, the runs, and last how it was worked out."""
    text = shown(compare(BEFORE, [AFTER])).text
    places = [text.index(part) for part in ("IMPROVED Booking p95 is 23 % lower [", *HEADINGS)]
    assert places == sorted(places)
    assert "Before you believe it" not in text
    assert "Iterations" not in text


def test_the_table_is_as_expected() -> None:
    """Every row with its figures and its verdict in a word and a mark, and reasons below by their letters."""
    gated = changed(side("worse", {("search", "p95"): 1.4}, place=1), 3, weak={("booking", "p95"): "31 lie beyond p95"})
    goldens.check("comparison-table.txt", table(compare(BEFORE, [AFTER])) + table(compare(BEFORE, [gated])))


def test_two_single_runs_show_bands_and_no_colour_that_says_win(pair: tuple[Path, list[RunFolder]]) -> None:
    """No green, no red, no check mark at a figure, and the lines of both runs."""
    out, runs = pair
    baseline, candidate = sides(["before", "after"], out)
    source = page.render(compare(baseline, [candidate]), runs)
    answer, rows = source.partition("Gates and integrity")[0], Page(source)
    assert 'class="verdict open"' in answer
    assert not re.findall(r'class="(?:good|bad|warn)"', answer.partition('id="rows"')[2].partition("To be known")[0])
    assert "One run each: no verdict." in rows.text
    assert re.search(r'class="band">[\d.]+m?s to [\d.]+m?s<', answer)
    assert [len(rows.figures[chart]["data"]) for chart in ("over-time", "curves")] == [2, 2]


def test_what_stands_against_it_stands_directly_below() -> None:
    """What was forced, runs that failed a gate, and what an audit found, before any figure."""
    other = replace(AFTER, runs=tuple(replace(run, setting={**run.setting, "seed": "2"}) for run in AFTER.runs))
    bad = changed(other, 1, validity=Validity.INVALID, findings=("the load process was too slow",))
    bad = changed(bad, 2, integrity_ok=False, integrity="seats_lost 37")
    text = shown(compare(BEFORE, [bad], Options(force=True))).text
    assert "FORCED: INCONCLUSIVE" in text
    start, end = text.index("Before you believe it"), text.index("What changed")
    for part in ("seed differs", "safe-1 (safe) is INVALID: the load process was too slow", "seats_lost 37"):
        assert start < text.index(part) < end
    gated = shown(compare(BEFORE, [changed(AFTER, 1, validity=None)])).text
    assert (
        gated.index("Before you believe it") < gated.index("safe-1 (safe) was not judged") < gated.index("What changed")
    )


def test_every_run_is_listed_with_its_gates_and_its_audit(pair: tuple[Path, list[RunFolder]]) -> None:
    """Id, side, pair, start, what a gate found and what the audit says; what differed is told by side."""
    out, runs = pair
    baseline, candidate = sides(["before", "after"], out)
    text = shown(compare(baseline, [candidate]), *runs).text
    listed = text.partition("Gates and integrity")[2]
    assert re.search(r"1 r0 before – 2026-11-23 00:00:00 UTC ✓ VALID ✓ clean 2 r1 after", listed)
    assert "profile as-found safe" in listed


def test_runs_that_are_gone_have_no_lines_and_that_is_said(pair: tuple[Path, list[RunFolder]]) -> None:
    """The figures stay; the two charts over requests lack a line, and the page says whose and why."""
    out, runs = pair
    baseline, candidate = sides(["before", "after"], out)
    found = shown(compare(baseline, [candidate]), runs[0])
    assert [trace["text"] for trace in found.figures["over-time"]["data"]] == ["run 1, r0"]
    assert "r1 (its samples are gone)" in found.text
    assert "Booking p95 over time" in found.text
    assert "Nothing differs" in found.text


def test_runs_with_few_requests_show_their_median_over_time(tmp_path: Path) -> None:
    """Where no window has the requests that p95 needs, p50 is drawn, and the page says so."""
    seconds = synthetic.ticks(30)
    for label in ("before", "after"):
        run = synthetic.run(synthetic.tally(seconds), id=label, label=label)
        synthetic.folder(tmp_path / label, run, seconds)
    baseline, candidate = sides(["before", "after"], tmp_path)
    found = shown(compare(baseline, [candidate]), *page.folders(compare(baseline, [candidate]), tmp_path))
    assert "Booking p50 over time" in found.text
    assert "for p95 there were too few" in found.text
    assert len(found.figures["over-time"]["data"]) == 2


def test_several_candidates_make_a_ledger_and_a_waterfall() -> None:
    """Step and effect from the start of each, its hypothesis, and a bar from where the one before it stood."""
    first = replace(side("pool", {("booking", "p95"): 0.8}, place=1, of=3), note="a larger pool", revision="abc")
    second = replace(side("index", {("booking", "p95"): 0.5}, place=2, of=3), note="an index")
    found = shown(compare(side("as-found", of=3), [first, second]))
    assert "1. pool a larger pool abc" in found.text
    bars = [trace for trace in found.figures["waterfall"]["data"] if trace["type"] == "bar"]
    assert [trace["name"] for trace in bars] == ["baseline", "✓ IMPROVED"]
    (start,), ends = bars[0]["y"], bars[1]
    assert ends["base"] == [start, pytest.approx(start * 0.8, rel=0.03)]
    assert ends["y"][1] == pytest.approx(start * -0.3, rel=0.1)


def test_the_waterfall_is_of_the_median_where_there_are_verdicts_on_that_alone() -> None:
    """Short runs cannot judge p95; what they can judge is drawn, and the ledger shows both."""
    found = compare(side("as-found", of=3), [side("pool", place=1, of=3), side("index", place=2, of=3)])
    rows = tuple(
        replace(row, ruling=replace(row.ruling, answer=Answer.INCONCLUSIVE)) if row.metric.name == "p95" else row
        for row in found.rows
    )
    page = shown(replace(found, rows=rows))
    assert "Booking p50 from the start" in page.text
    assert "Booking p95 from the start" in shown(found).text


def test_each_run_is_a_dot_by_side_and_by_time() -> None:
    """As many dots as runs, lines that join pairs, a hollow dot for a run that failed a gate."""
    suspect = changed(AFTER, 1, validity=Validity.SUSPECT, findings=("short",))
    found = shown(compare(BEFORE, [changed(suspect, 0, validity=Validity.INVALID, findings=("slow",))]))
    lines, before, after = found.figures["dots-p95"]["data"]
    assert lines["x"] == [0, 1, None] * 8
    assert [len(trace["y"]) for trace in (before, after)] == [8, 8]
    assert before["marker"]["symbol"] == ["circle"] * 8
    assert after["marker"]["symbol"].count("circle-open") == 1
    places = [place for trace in found.figures["order-p95"]["data"] for place in trace["x"]]
    assert sorted(places) == list(range(1, 17))
    assert "Hollow dots" in found.text


def test_the_figures_to_check_are_those_of_the_test() -> None:
    """The mean, its error and t of a row give the interval and the ratio that stand in the table."""
    found = compare(BEFORE, [AFTER])
    row = next(row for row in found.rows if (row.operation, row.metric.name) == ("booking", "p95"))
    assert row.effect is not None
    text = shown(found).text.partition("The figures of 5 rows")[2]
    assert f"booking p95 8 {row.effect.mean:+.5f}" in text
    assert f"{row.effect.error:.5f} 7 2.365 {row.effect.mean / row.effect.error:+.2f} <0.001" in text


def test_hostile_texts_are_shown_and_make_no_element() -> None:
    """Labels, notes, findings, operations and revisions stand there letter by letter."""
    runs = tuple(
        replace(
            run,
            run_id=f"{HOSTILE}{number}",
            pair="",
            values={
                (HOSTILE, metric): value for (operation, metric), value in run.values.items() if operation != "search"
            },
            validity=None if number else Validity.VALID,
            findings=(HOSTILE,),
            integrity_ok=False,
            integrity=HOSTILE,
            setting={**run.setting, HOSTILE: HOSTILE},
        )
        for number, run in enumerate(AFTER.runs)
    )
    base = replace(
        BEFORE,
        runs=tuple(
            replace(run, run_id=f"b{at}", values=runs[at].values, pair="") for at, run in enumerate(BEFORE.runs)
        ),
    )
    hostile = [
        replace(AFTER, label=f"{HOSTILE}{at}", note=HOSTILE, revision=HOSTILE, runs=mine)
        for at, mine in enumerate((runs, tuple(replace(run, run_id=f"c{run.run_id}") for run in runs)))
    ]
    source = page.render(compare(base, hostile, Options(force=True)), ())
    found = Page(source)
    tags = {tag for tag, _ in found.elements}
    assert not tags & {"img", "iframe", "object", "embed", "form", "base", "link", "svg"}
    assert not [attrs for _, attrs in found.elements if any(name.startswith("on") for name in attrs)]
    assert [attrs.get("href") for tag, attrs in found.elements if tag == "a"] == ["#main"]
    assert '<img src=x onerror="window.stolen=1">' in found.text
    assert "\u202e" not in source
    assert not set(found.scripts[0]) & set("<>&")
    labels = [trace["name"] for trace in found.figures["dots-p95"]["data"] if "name" in trace]
    assert labels[1].startswith("&lt;img src=x onerror")
    assert not [text for trace in found.figures["dots-p95"]["data"] for text in trace.get("text", ()) if "<" in text]


def test_it_stays_small_and_readable_with_many_rows_and_runs() -> None:
    """Eighty rows of twenty runs: a row each in table and plot, three times smaller than a browser may be given."""
    keys = [
        (f"operation {number}", metric)
        for number in range(16)
        for metric in ("p50", "p95", "p99", "throughput", "failures")
    ]
    wide = [
        replace(
            one,
            runs=tuple(
                replace(
                    run,
                    values=dict.fromkeys(keys, 0.01)
                    | {key: run.values["booking", "p95"] for key in keys if key[1][0] == "p"},
                )
                for run in one.runs
            ),
        )
        for one in (side("a", pairs=10), side("b", pairs=10, place=1))
    ]
    source = page.render(compare(wide[0], [wide[1]]), ())
    assert source.count('<td class="said">') == 80
    assert source.count('<div class="line">') == 80
    assert len(source) < 3_000_000


def test_a_place_that_takes_no_file_is_a_sentence(tmp_path: Path) -> None:
    """The folder is made; what cannot be written is named."""
    found = compare(BEFORE, [AFTER])
    page.write_html(found, (), tmp_path / "new" / "c.html")
    assert (tmp_path / "new" / "c.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(RunError, match="cannot be written"):
        page.write_html(found, (), tmp_path / "new")


def test_folders_are_found_where_runs_are_and_where_a_path_leads(
    tmp_path: Path, pair: tuple[Path, list[RunFolder]]
) -> None:
    """Runs in the folder of runs by their ids, others by the path that was typed, labels not at all."""
    out, runs = pair
    baseline, candidate = sides(["before", "after"], out)
    found = compare(baseline, [candidate])
    assert [folder.path for folder in page.folders(found, out, ["before", "after"])] == [run.path for run in runs]
    elsewhere = page.folders(found, tmp_path, ["before", str(runs[1].path)])
    assert [folder.path for folder in elsewhere] == [runs[1].path]
    assert figures_of(elsewhere[0]).run_id == "r1"
