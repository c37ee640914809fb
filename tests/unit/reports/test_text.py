"""The summary at the end of a run: k6's layout, the lab's verdict first, and nothing that a terminal would obey."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from lab.model.run import ScriptTrace, SinkSummary, Status, Totals
from lab.model.sample import Tally
from reports import text, units
from tests import goldens, synthetic

SECONDS = synthetic.ticks()
TALLY = synthetic.tally(SECONDS)


@pytest.mark.parametrize("width", [80, 120])
def test_the_summary_of_a_passed_run(width: int) -> None:
    """The whole text, at both widths."""
    goldens.check(f"summary-passed-{width}.txt", text.summary(synthetic.run(TALLY), TALLY, width))


def test_the_summary_of_a_failed_run() -> None:
    """The verdict, the seats that were sold twice, the failed thresholds and the failed check are all there."""
    run = synthetic.run(TALLY, integrity=synthetic.OVERSOLD, verdict=synthetic.FAILED)
    goldens.check("summary-failed-100.txt", text.summary(run, TALLY))


def test_the_summary_of_a_run_that_nobody_judged() -> None:
    """A run that crashed before its first second has a summary that says so and makes up no figure."""
    run = synthetic.run(
        verdict=None, integrity=None, thresholds=(), status=Status.CRASHED, totals=Totals(sent=3, unfinished=3)
    )
    goldens.check("summary-empty-100.txt", text.summary(run, Tally()))


def test_an_invalid_run_says_so_before_any_figure() -> None:
    """INVALID and its reason stand above the thresholds and the results."""
    shown = text.summary(synthetic.run(TALLY, verdict=synthetic.INVALID), TALLY)
    assert shown.index("INVALID") < shown.index("97 % of a core") < shown.index("THRESHOLDS")
    assert "PASSED" not in shown


@pytest.mark.parametrize("width", [20, 80, 100, 120, 400])
def test_lines_keep_to_the_width(width: int) -> None:
    """No line is longer than the terminal, from 60 to 120 columns, whatever the names are."""
    tally = synthetic.tally(synthetic.ticks(30, hostile=synthetic.HOSTILE))
    shown = text.summary(synthetic.hostile_run(tally), tally, width)
    assert max(units.cells(line) for line in shown.splitlines()) <= min(max(width, 60), 120)


def test_hostile_names_reach_the_terminal_as_plain_text() -> None:
    """Escape sequences, direction marks and Rich's own markup are shown letter by letter."""
    tally = synthetic.tally(synthetic.ticks(30, hostile=(*synthetic.HOSTILE, "[red]markup[/red]")))
    out = io.StringIO()
    text.show(
        synthetic.hostile_run(tally), tally, Console(file=out, force_terminal=True, width=100, color_system="standard")
    )
    shown = out.getvalue()
    assert "\\x1b[31mred" in shown
    assert "\\u202egnihton" in shown
    assert "[red]markup[/red]" in shown
    assert not set(shown) & set("\u202e\u2028\x07")


def test_colour_is_for_terminals_alone() -> None:
    """A console that is no terminal gets the same words as a file does, and no escape sequence."""
    run = synthetic.run(TALLY)
    outputs = []
    for terminal in (True, False):
        out = io.StringIO()
        environment = {"TERM": "xterm-256color"}
        text.show(run, TALLY, Console(file=out, force_terminal=terminal, width=100, _environ=environment))
        outputs.append(out.getvalue())
    assert "\x1b[" in outputs[0]
    assert outputs[1] == text.summary(run, TALLY, 100)


def test_failures_take_their_share_of_the_percentiles() -> None:
    """Past 5 % failures the line with failures says "no answer" for p95, where the ok-only one has a figure."""
    tally = Tally()
    for tick in synthetic.ticks(60, hostile=[f"x{n}" for n in range(30)]):
        tally.add(tick)
    line = next(line for line in text.summary(synthetic.run(tally), tally, 120).splitlines() if "with failures" in line)
    assert "p(95)=no answer" in line


def test_unfinished_requests_are_told() -> None:
    """Requests that had no answer by the end are no failures, and not forgotten."""
    run = synthetic.run(TALLY)
    run = replace(run, totals=replace(run.totals, unfinished=2))
    assert "2 sent, and not answered by the end" in text.summary(run, TALLY)


TRACE = """Traceback (most recent call last):
  File "/x/lib/locust/user/task.py", line 341, in run
    self.execute_next_task()
  File "/srv/x/own/users.py", line 8, in go
    seats(None)
  File "/srv/x/own/users.py", line 3, in seats
    return json.loads(None)
  File "/usr/lib/python3.11/json/__init__.py", line 339, in loads
    raise TypeError(s)
TypeError: no text
"""


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("/srv/x/own/users.py", "own/users.py, line 3, in seats"),
        ("/elsewhere/users.py", "json/__init__.py, line 339, in loads"),
    ],
)
def test_a_script_error_says_where_it_was_raised(file: str, place: str) -> None:
    """Below the message stands the last place in the user's own file, then a blank line before what follows."""
    run = synthetic.run(
        TALLY,
        scenario=synthetic.scenario(users_file=file),
        script_errors=(ScriptTrace(3, "TypeError: no text", TRACE),),
    )
    shown = text.summary(run, TALLY)
    assert (
        f"\n\n  █ ERRORS IN THE SCENARIO'S CODE\n\n    ✗ 3 × TypeError: no text\n      ↳ {place}\n\n  ✓ PASSED" in shown
    )
    assert "\n\n\n" not in shown


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"verdict": replace(synthetic.FAILED, sentence="ramp failed: 1 seat was sold twice. 5 requests in 2 s.")},
            "  ✗ FAILED (exit 99): 1 seat was sold twice",
        ),
        (
            {
                "verdict": replace(synthetic.VALID, exit_code=105, sentence="ramp was stopped after 12 s. The audit."),
                "status": Status.STOPPED,
            },
            "  – STOPPED (exit 105): stopped after 12 s",
        ),
        ({"verdict": None, "status": Status.CRASHED}, "  – CRASHED: No verdict: the load process died before the end."),
    ],
)
def test_the_last_line_repeats_the_verdict(changes: dict[str, Any], line: str) -> None:
    """It is on the screen when the summary has scrolled by; the scenario's name is not said once more."""
    assert text.summary(synthetic.run(TALLY, **changes), TALLY).splitlines()[-1] == line


def test_points_that_wait_name_the_command_that_sends_them() -> None:
    """The command is whole, as a shell takes it: where they were meant to go stood on a command line that is over."""
    sink = SinkSummary("http://10.0.0.9:8086", 3, 2, "the connection was refused", "my org", "load-tests")
    shown = " ".join(text.summary(synthetic.run(TALLY, sink=sink), TALLY, 120).split())
    assert (
        f"airbourne-lab export {synthetic.run(TALLY).id} --influx http://10.0.0.9:8086 "
        "--influx-org 'my org' --influx-bucket load-tests"
    ) in shown


def test_the_summary_needs_no_heavy_package() -> None:
    """Importing the text report loads neither pandas nor plotly nor Rich."""
    code = (
        "import sys; import reports.text; print([m for m in ('pandas', 'numpy', 'plotly', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
