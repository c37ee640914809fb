"""The sentences about a run say what was found, and never call good what was not checked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lab.model.run import Status
from lab.model.threshold import judge, parse_threshold
from lab.model.verdict import Exit, FlightDefect, Integrity, Validity, Verdict
from reports import audit, words
from reports.words import Mark, Outlook
from tests import synthetic


def verdict(validity: Validity = Validity.VALID, *, passed: bool = True, code: Exit = Exit.PASSED) -> Verdict:
    """Make up a verdict."""
    return Verdict(validity, passed, int(code), "A sentence.")


@pytest.mark.parametrize(
    ("found", "status", "outlook", "word"),
    [
        (verdict(), Status.FINISHED, Outlook.PASSED, "PASSED"),
        (verdict(Validity.SUSPECT), Status.FINISHED, Outlook.SUSPECT, "PASSED, BUT SUSPECT"),
        (verdict(passed=False, code=Exit.THRESHOLDS), Status.FINISHED, Outlook.FAILED, "FAILED"),
        (verdict(Validity.INVALID, code=Exit.INVALID), Status.FINISHED, Outlook.INVALID, "INVALID"),
        (verdict(Validity.INVALID, passed=False, code=Exit.INVALID), Status.FINISHED, Outlook.INVALID, "INVALID"),
        (verdict(code=Exit.SIGNAL), Status.STOPPED, Outlook.OPEN, "STOPPED"),
        (verdict(passed=False, code=Exit.SCRIPT), Status.FINISHED, Outlook.FAILED, "SCRIPT ERROR"),
        (verdict(Validity.INVALID, passed=False, code=Exit.THRESHOLDS), Status.FINISHED, Outlook.FAILED, "FAILED"),
        (verdict(Validity.INVALID, passed=False, code=Exit.SCRIPT), Status.FINISHED, Outlook.FAILED, "SCRIPT ERROR"),
        (verdict(Validity.INVALID, passed=False, code=Exit.SIGNAL), Status.STOPPED, Outlook.OPEN, "STOPPED"),
        (verdict(Validity.INVALID, passed=False, code=Exit.ERROR), Status.CRASHED, Outlook.FAILED, "CRASHED"),
        (None, Status.RUNNING, Outlook.OPEN, "RUNNING"),
        (None, Status.CRASHED, Outlook.OPEN, "CRASHED"),
        (None, Status.FINISHED, Outlook.OPEN, "NO VERDICT"),
    ],
)
def test_the_headline_follows_from_the_verdict(
    found: Verdict | None, status: Status, outlook: Outlook, word: str
) -> None:
    """Word and exit code say the same, also of a run that cannot be believed; a run without a verdict says so."""
    head = words.headline(synthetic.run(verdict=found, status=status))
    assert (head.outlook, head.word) == (outlook, word)
    assert head.sentence


def test_overselling_is_told_with_its_worst_flight() -> None:
    """The audit's line names the figure and the flight that shows it best."""
    more = FlightDefect("18", "AB102", 200, 0, 201, -1, 1)
    integrity = replace(synthetic.OVERSOLD, defects=(more, *synthetic.OVERSOLD.defects))
    line = audit.lines(integrity)[0]
    assert (line.mark, line.figure) == (Mark.BAD, "345")
    assert line.sentence == (
        "345 seats were sold that did not exist (flight AB101: capacity 222, booked 567, left 12; and 1 other flight)"
    )


@pytest.mark.parametrize("integrity", [None, Integrity(checked=False), Integrity(checked=True)])
def test_what_was_not_checked_is_never_good(integrity: Integrity | None) -> None:
    """No audit, an audit of nothing, and figures that could not be had all lack the good mark."""
    assert Mark.GOOD not in {line.mark for line in audit.lines(integrity)}


def test_a_sound_audit_is_good_throughout() -> None:
    """Six figures, all 0, each with its sentence."""
    lines = audit.lines(synthetic.SOUND)
    assert [(line.mark, line.figure) for line in lines] == [(Mark.GOOD, "0")] * 6


@pytest.mark.parametrize("figure", [1, 2])
def test_one_is_written_in_the_singular(figure: int) -> None:
    """One seat was sold, two seats were."""
    line = audit.lines(Integrity(checked=True, seats_oversold=figure))[0]
    assert re.match(r"1 seat was " if figure == 1 else r"2 seats were ", line.sentence)


@pytest.mark.parametrize(
    ("metric", "expression", "value", "unit", "text"),
    [
        ("http_req_duration", "p(95)<2000", 142.66, "ms", "142.66ms"),
        ("http_req_duration", "p(95)<2000", float("inf"), "ms", "no answer"),
        ("http_req_failed", "rate<0.05", 0.0072, "share", "0.72%"),
        ("http_reqs", "rate>5", 38.4333, "/s", "38.43/s"),
        ("seats_lost", "value==0", None, "", "no data"),
    ],
)
def test_what_a_threshold_measured_is_in_its_unit(
    metric: str, expression: str, value: float | None, unit: str, text: str
) -> None:
    """Times, shares, rates and missing data are each written as such."""
    assert words.actual(judge(parse_threshold(metric, expression), value, unit)) == text
