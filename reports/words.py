"""What a run comes to, in words: the sentences that the terminal and the HTML report share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from math import isinf
from typing import TYPE_CHECKING, Final

from lab.model.run import Status
from lab.model.threshold import Outcome
from lab.model.verdict import Exit, Validity
from reports import units

if TYPE_CHECKING:
    from lab.model.run import Run
    from lab.model.threshold import ThresholdResult
    from lab.model.verdict import FlightDefect, Integrity, Verdict


class Mark(StrEnum):
    """How a line ended; its value is the sign in front of it, so that colour is never alone."""

    GOOD = "✓"
    BAD = "✗"
    WARN = "!"
    NONE = "–"


class Outlook(StrEnum):
    """The kind of headline, from which its colour follows."""

    PASSED = "passed"
    FAILED = "failed"
    SUSPECT = "suspect"
    INVALID = "invalid"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Headline:
    """A run in one word and one sentence."""

    outlook: Outlook
    mark: Mark
    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One figure of the audit in words."""

    mark: Mark
    metric: str
    figure: str
    sentence: str


_OPEN: Final = {
    Status.RUNNING: ("RUNNING", "No verdict yet: the run is going on, or it was killed. These are its figures so far."),
    Status.CRASHED: ("CRASHED", "No verdict: the load process died before the end. These are the figures up to then."),
    Status.STOPPED: ("STOPPED", "No verdict: the run was stopped before its end. These are the figures up to then."),
    Status.FINISHED: ("NO VERDICT", "The load came to its end, and was not judged."),
}


def headline(run: Run) -> Headline:
    """Say what came of a run; a run that nobody judged says so."""
    verdict = run.verdict
    if verdict is None:
        word, sentence = _OPEN[run.status]
        return Headline(Outlook.OPEN, Mark.NONE, word, sentence)
    outlook, mark, word = _outcome(verdict, run.status)
    return Headline(outlook, mark, word, units.plain(verdict.sentence, 600))


def _outcome(verdict: Verdict, status: Status) -> tuple[Outlook, Mark, str]:
    suspect = verdict.validity is Validity.SUSPECT
    rules = (
        (status is Status.CRASHED, (Outlook.FAILED, Mark.BAD, "CRASHED")),
        (verdict.validity is Validity.INVALID, (Outlook.INVALID, Mark.WARN, "INVALID")),
        (verdict.exit_code == Exit.SIGNAL, (Outlook.OPEN, Mark.NONE, "STOPPED")),
        (verdict.exit_code == Exit.SCRIPT, (Outlook.FAILED, Mark.BAD, "SCRIPT ERROR")),
        (not verdict.passed, (Outlook.FAILED, Mark.BAD, "FAILED")),
        (suspect, (Outlook.SUSPECT, Mark.WARN, "PASSED, BUT SUSPECT")),
        (True, (Outlook.PASSED, Mark.GOOD, "PASSED")),
    )
    return next(outcome for holds, outcome in rules if holds)


VALIDITY_WORDS: Final = {
    Validity.VALID: "these figures may be believed",
    Validity.SUSPECT: "these figures may mean something else than they seem to",
    Validity.INVALID: "do not use these figures",
}

LEVEL_MARKS: Final = {Validity.VALID: Mark.GOOD, Validity.SUSPECT: Mark.WARN, Validity.INVALID: Mark.BAD}

OUTCOME_MARKS: Final = {Outcome.PASS: Mark.GOOD, Outcome.FAIL: Mark.BAD, Outcome.NO_DATA: Mark.BAD}


def aggregation(expression: str) -> str:
    """Give what stands before the operator of a threshold: `p(95)` of `p(95)<2000`."""
    return re.split("[<>=!]", expression, maxsplit=1)[0].strip()


def actual(result: ThresholdResult) -> str:
    """Write what a threshold measured, in the unit that suits it."""
    value = result.actual
    if value is None:
        return "no data"
    if isinf(value):
        return units.NO_ANSWER
    if result.unit == "ms":
        return units.duration(value * units.US_PER_MS)
    if result.unit == "share":
        return units.percent(value)
    return units.trimmed(value) + result.unit


def note(result: ThresholdResult) -> str:
    """Give a threshold's note, without what its figure says already."""
    return units.plain(result.note.removeprefix(f"{units.NO_ANSWER}: "))


def integrity_lines(integrity: Integrity | None) -> list[AuditLine]:
    """Write the audit figure by figure; what was not checked is never shown as good."""
    if integrity is None:
        return [AuditLine(Mark.NONE, "audit", "not made", "whether what was sold is still true is not known")]
    if not integrity.checked:
        return [AuditLine(Mark.BAD, "audit", "nothing checked", "the audit could check nothing, so it proves nothing")]
    return [
        _oversold(integrity),
        _lost(integrity),
        _missing_bookings(integrity),
        _unexpected_bookings(integrity),
        _missing_notifications(integrity),
        _unexpected_notifications(integrity),
    ]


def _line(metric: str, figure: int | None, good: str, bad: str) -> AuditLine:
    if figure is None:
        return AuditLine(Mark.BAD, metric, "not checked", "this could not be checked, so it proves nothing")
    return AuditLine(Mark.BAD if figure else Mark.GOOD, metric, units.whole(figure), bad if figure else good)


def _oversold(integrity: Integrity) -> AuditLine:
    figure = integrity.seats_oversold
    worst = sorted((d for d in integrity.defects if d.oversold > 0), key=lambda d: -d.oversold)
    return _line(
        "seats_oversold",
        figure,
        f"no seat was sold that does not exist, on {counted(integrity.flights_checked, 'flight')}",
        f"{counted(figure or 0, 'seat')} {_were(figure)} sold that did not exist{_example(worst)}",
    )


def _lost(integrity: Integrity) -> AuditLine:
    figure = integrity.seats_lost
    worst = sorted((d for d in integrity.defects if d.defect), key=lambda d: -abs(d.defect))
    return _line(
        "seats_lost",
        figure,
        f"seats left and seats booked add up, on {counted(integrity.flights_checked, 'flight')}",
        f"the flights' counters and their bookings disagree about {counted(figure or 0, 'seat')}{_example(worst)}",
    )


def _missing_bookings(integrity: Integrity) -> AuditLine:
    figure, unknown = integrity.bookings_missing, integrity.bookings_unknown
    lost = f"; {units.whole(unknown)} more had no answer and may stand or not" if unknown else ""
    return _line(
        "bookings_missing",
        figure,
        f"{_accepted(integrity.bookings_accepted)} found in the database{lost}",
        f"{counted(figure or 0, 'booking')} {_were(figure)} answered as booked, and not found as such "
        f"({units.whole(integrity.bookings_accepted)} accepted, {units.whole(integrity.bookings_found)} found{lost})",
    )


def _unexpected_bookings(integrity: Integrity) -> AuditLine:
    figure = integrity.bookings_unexpected
    return _line(
        "bookings_unexpected",
        figure,
        "the database holds no booking that was not asked for",
        f"{counted(figure or 0, 'booking')} in the database {_were(figure)} not asked for, or not with these seats "
        "or at this price",
    )


def _missing_notifications(integrity: Integrity) -> AuditLine:
    figure = integrity.notifications_missing
    drained = f"{units.clock(integrity.drain_seconds)} after the load ended"
    return _line(
        "notifications_missing",
        figure,
        f"every booking was notified ({counted(integrity.notifications_found, 'mail')}, {drained})",
        f"{counted(figure or 0, 'booking')} {_were(figure)} never notified "
        f"({counted(integrity.notifications_found, 'mail')} found, {drained})",
    )


def _unexpected_notifications(integrity: Integrity) -> AuditLine:
    figure = integrity.notifications_unexpected
    return _line(
        "notifications_unexpected",
        figure,
        "no booking was notified twice, and nobody else was",
        f"{counted(figure or 0, 'mail')} {_were(figure)} sent beyond one for each booking",
    )


def _accepted(number: int) -> str:
    if not number:
        return "no booking was accepted, and none was to be"
    return (
        "the one booking that was accepted was" if number == 1 else f"all {units.whole(number)} accepted bookings were"
    )


def _were(figure: int | None) -> str:
    return "was" if figure == 1 else "were"


def counted(number: int, noun: str) -> str:
    """Write a number of things: `1 flight`, `1,200 flights`."""
    return f"{units.whole(number)} {noun}{'' if number == 1 else 's'}"


def _example(defects: list[FlightDefect]) -> str:
    if not defects:
        return ""
    worst = defects[0]
    more = f"; and {counted(len(defects) - 1, 'other flight')}" if len(defects) > 1 else ""
    return (
        f" (flight {units.plain(worst.number, 40)}: capacity {units.whole(worst.capacity)}, "
        f"booked {units.whole(worst.booked)}, left {units.whole(worst.left)}{more})"
    )


def failed_reasons(run: Run) -> list[tuple[Validity, str, str]]:
    """Give the gates that did not hold: level, gate, sentence; the heaviest first."""
    if run.verdict is None:
        return []
    weight = {Validity.INVALID: 0, Validity.SUSPECT: 1}
    found = [f for f in run.verdict.findings if f.level in weight]
    return [(f.level, f.gate, f.sentence) for f in sorted(found, key=lambda f: weight[f.level])]
