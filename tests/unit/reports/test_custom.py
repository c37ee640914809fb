"""Metrics of user code in the summary and on the page: the same rows, from a tally and from a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.model.histogram import bin_of
from lab.model.sample import NO_CLOCK, OK, SeriesKey, Tick, TrendKey
from lab.model.threshold import MetricKind
from reports import custom, frame, html, tables, text
from tests import goldens, synthetic

if TYPE_CHECKING:
    from pathlib import Path

GOLD, TIN = (("tier", "gold"),), (("tier", "tin"),)


def seconds(series: int = 0) -> list[Tick]:
    """Make two seconds with every kind of metric beside the lab's own, and so many counters more."""
    hits = {bin_of(12_500): 150, bin_of(20_000): 100}
    return [
        Tick(
            number,
            {
                TrendKey("http_req_duration", "GET /", (("operation", "search"),)): {1000: 5},
                TrendKey("hits", "", GOLD, OK, NO_CLOCK): hits,
                TrendKey("render", "", ()): {bin_of(3_000_000): 40},
                TrendKey("group_duration", "", (("group", "::checkout"),)): {bin_of(9000): 4},
                TrendKey("group_duration", "", (("group", "::checkout::pay"),)): {bin_of(4000): 4},
            },
            {SeriesKey("upgraded", GOLD): (1, 4), SeriesKey("upgraded", TIN): (0, 2), SeriesKey("checks"): (1, 1)},
            {SeriesKey("seats_sold", GOLD): 2, SeriesKey("seats_sold"): 1, SeriesKey("sent"): 5}
            | {SeriesKey("many", (("id", f"{n:04}"),)): 1 for n in range(series)},
            {SeriesKey("cart", GOLD): 5.0 - number, SeriesKey("vus"): 1.0},
        )
        for number in range(2)
    ]


def test_the_rows_of_every_kind() -> None:
    """Each with the figures of its kind; what several series come to stands before them, but not for nested groups."""
    found = custom.rows(synthetic.tally(seconds()))

    assert [(row.metric, row.kind, row.tags, row.whole) for row in found] == [
        ("cart", MetricKind.GAUGE, "tier:gold", False),
        ("group_duration", MetricKind.TREND, "group:::checkout", False),
        ("group_duration", MetricKind.TREND, "group:::checkout::pay", False),
        ("hits", MetricKind.TREND, "tier:gold", False),
        ("render", MetricKind.TREND, "", False),
        ("seats_sold", MetricKind.COUNTER, "", True),
        ("seats_sold", MetricKind.COUNTER, "", False),
        ("seats_sold", MetricKind.COUNTER, "tier:gold", False),
        ("upgraded", MetricKind.RATE, "", True),
        ("upgraded", MetricKind.RATE, "tier:gold", False),
        ("upgraded", MetricKind.RATE, "tier:tin", False),
    ]
    figures = {(row.metric, row.tags, row.whole): row.figures for row in found}
    assert figures["cart", "tier:gold", False] == ("4", "max=5")
    assert figures["seats_sold", "", True] == ("6", "3/s")
    assert figures["upgraded", "", True] == ("16.67%", "2 out of 12")
    assert figures["hits", "tier:gold", False][2:] == (
        "med=12.5", "max=20.008", "p(90)=20.008", "p(95)=20.008", "p(99)=–", "count=500",
    )  # fmt: skip
    assert figures["render", "", False][2] == "med=3s"


def test_the_summary_of_custom_metrics() -> None:
    """The block as it stands at the end of the results."""
    tally = synthetic.tally(seconds())
    for width in (80, 120):
        block = (
            text.summary(synthetic.run(tally), tally, width).partition("    CUSTOM METRICS\n")[2].partition("\n\n")[0]
        )
        goldens.check(f"custom-{width}.txt", block + "\n")


def test_a_run_folder_holds_the_same_rows(tmp_path: Path) -> None:
    """Read back from a live log and from a closed run, they are those of the tally."""
    ticks = seconds()
    expected = custom.rows(synthetic.tally(ticks))
    for closed in (True, False):
        run = synthetic.run(synthetic.tally(ticks))
        data = frame.load(synthetic.folder(tmp_path / str(closed), run, ticks, closed=closed))
        assert custom.rows(data.custom) == expected


def test_the_page_lists_them_and_what_it_leaves_out(tmp_path: Path) -> None:
    """A table with every row up to a limit; a run without any has no such section."""
    ticks = seconds(300)
    place = synthetic.folder(tmp_path / "a", synthetic.run(synthetic.tally(ticks)), ticks)
    page = html.render(frame.load(place))
    assert 'id="custom"' in page
    assert "group:::checkout::pay" in page
    assert "all together" in page
    rows = 11 + 301
    assert f"{rows - tables.TOP_CUSTOM} more rows are not listed." in page

    plain = synthetic.ticks(5)
    page = html.render(frame.load(synthetic.folder(tmp_path / "b", synthetic.run(synthetic.tally(plain)), plain)))
    assert 'id="custom"' not in page


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    """A tag's value from a server is neither markup on the page nor a command to the terminal."""
    counters = {SeriesKey("sold", ((HOSTILE, HOSTILE),)): 1}
    ticks = [Tick(0, counters=counters)]
    run = synthetic.run(synthetic.tally(ticks))
    page = html.render(frame.load(synthetic.folder(tmp_path, run, ticks)))
    shown = text.summary(run, synthetic.tally(ticks), 120)
    assert "<script>window" not in page
    assert "\x1b" not in shown + page


HOSTILE = "</td><script>window.stolen=1</script>\x1b[31m"
