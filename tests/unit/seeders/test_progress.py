"""How progress is shown."""

from __future__ import annotations

import io
import re

from rich.console import Console

from seeders import Progress
from seeders.progress import ProgressView

EVENTS = [
    Progress("cities", 0, 20),
    Progress("cities", 1, 20, 0, 1),
    Progress("cities", 20, 20, 19, 1),
    Progress("users", 0, 1200),
    Progress("users", 1200, 1200, 1200, 0),
]


def show(*, terminal: bool, events: list[Progress]) -> str:
    """Give what is written for some events."""
    out = io.StringIO()
    with ProgressView(Console(file=out, force_terminal=terminal, width=100)) as view:
        for event in events:
            view(event)
    return out.getvalue()


def test_without_a_terminal_each_kind_is_one_line() -> None:
    """Logs get a line when a kind is done, and one when users begin, without control characters."""
    text = show(terminal=False, events=EVENTS)
    assert re.fullmatch(
        r"cities: 20 of 20 \(19 created, 1 found\) in \d\.\d s\n"
        r"users: 0 of 1,200\n"
        r"users: 1,200 of 1,200 \(1,200 created, 0 found\) in \d\.\d s\n",
        text,
    )


def test_what_is_slow_says_every_five_seconds_how_far_it_is() -> None:
    """With an event a second there is a line every fifth, with the rate so far and the time that is left."""
    now = [0.0]
    out = io.StringIO()
    with ProgressView(Console(file=out, width=100), lambda: now[0]) as view:
        for second in range(13):
            now[0] = float(second)
            view(Progress("users", second * 6, 200, second * 6))
    assert out.getvalue().splitlines() == [
        "users: 0 of 200",
        "users: 30 of 200, 6/s, 28 s left",
        "users: 60 of 200, 6/s, 23 s left",
    ]


def test_a_kind_that_did_not_finish_has_no_line() -> None:
    """Nothing is claimed for a kind that stopped midway."""
    assert show(terminal=False, events=EVENTS[:2]) == ""


def test_a_terminal_gets_a_bar_per_kind() -> None:
    """Both kinds stand there at the end, with their counts."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", show(terminal=True, events=EVENTS))
    last = text.splitlines()[-2:]
    assert re.search(r"cities +\S+ +20/20 .*19 created, 1 found", last[0])
    assert re.search(r"users +\S+ +1200/1200 .*1,200 created, 0 found", last[1])
