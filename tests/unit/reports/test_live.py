"""The live view stays in place: one height, no wrapped line, and a terminal left as it was found."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import termios
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from lab.model.sample import SeriesKey, Tally, Tick, TrendKey
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold
from reports.echo import silent_controls
from reports.live import LiveView
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES = (Stage(30, 10), Stage(600, 1000), Stage(600, 1000), Stage(60, 0))


def drawn(seconds: int, each: int, users: int, width: int) -> list[str]:
    """Give the lines of the panel after so many seconds with so many requests each."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=24, _environ={}, color_system=None)
    plan = synthetic.scenario(
        stages=STAGES,
        thresholds=(
            parse_threshold("http_req_duration{operation:booking}", "p(95)<2000"),
            parse_threshold("checks", "rate>0.99"),
            parse_threshold("my_metric{of:" + "x" * 90 + "}", "p(95)<1"),
        ),
    )
    view, tally = LiveView(plan, "ramp · local", console), Tally()
    for second in range(seconds):
        tick = Tick(
            second,
            {TrendKey("http_req_duration", "GET /", ()): {2000 + second: each}},
            {SeriesKey("checks"): (each, each)},
            {},
            {SeriesKey("vus"): float(users)},
        )
        tally.add(tick)
        view.second(tally, tick)
    panel = view._panel(tally)  # noqa: SLF001 - what the view draws is timed by a thread
    console.print(panel)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_panel_keeps_its_height(width: int) -> None:
    """1, 10 or 1000 users, the first second or the third minute: as many lines, none wrapped, none too long."""
    panels = [drawn(*sizes, width) for sizes in ((1, 1, 1), (5, 40, 10), (180, 12345, 1000))]
    assert {len(lines) for lines in panels} == {12}
    assert {len(line) for lines in panels for line in lines} == {width}
    assert "users 1000 → 1,000 users (2/4)" in "\n".join(panels[2])


def test_a_percentile_of_few_requests_is_hidden() -> None:
    """Of 40 requests there is a median and no p95, in the window and in the whole run; what is slowest stays."""
    rows = [line for line in drawn(1, 40, 1, 80) if re.search("last 5 s|whole run", line)]
    assert [re.split(" {2,}", row.strip("│ ")) for row in rows] == [
        ["last 5 s", "2.00", "–", "–", "2.00"],
        ["whole run", "2.00", "–", "–", "2.00"],
    ]


def test_a_plain_line_hides_them_too() -> None:
    """Where there is no terminal the line every ten seconds follows the same rule."""
    out = io.StringIO()
    view, tally = LiveView(synthetic.scenario(), "ramp", Console(file=out, width=200)), Tally()
    for second in range(10):
        tick = Tick(second, {TrendKey("http_req_duration", "GET /", ()): {2000: 4}})
        tally.add(tick)
        view.second(tally, tick)
    assert "p50 2.00 p95 – p99 – ms" in out.getvalue()


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give a terminal of our own as standard input."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield theirs
    os.close(ours)


def shows_controls(terminal: int) -> bool:
    """Tell whether a terminal writes ^C for Ctrl-C."""
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHOCTL)


def test_ctrl_c_leaves_no_mark_in_the_panel(keyboard: int) -> None:
    """While the view is drawn the terminal does not write ^C; afterwards it does again, also after an error."""
    assert shows_controls(keyboard)
    view = LiveView(synthetic.scenario(), "ramp", Console(file=io.StringIO(), force_terminal=True))
    during = []

    def watch() -> None:
        with view:
            during.append(shows_controls(keyboard))
            raise KeyError

    with pytest.raises(KeyError):
        watch()
    assert during == [False]
    assert shows_controls(keyboard)


def test_without_a_keyboard_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input from a file or from nowhere is left alone."""
    for stdin in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        with silent_controls():
            pass
