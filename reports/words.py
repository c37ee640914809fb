"""What a run comes to, in words: the sentences that the terminal and the HTML report share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab import living
from lab.model.run import Status
from lab.model.threshold import INTEGRITY_METRICS, Outcome
from lab.model.verdict import Exit, Validity
from reports import units

if TYPE_CHECKING:
    from lab.model.run import Run, ScriptTrace
    from lab.model.scenario import Scenario
    from lab.model.threshold import ThresholdResult
    from lab.model.verdict import Verdict


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


_OPEN: Final = {
    Status.RUNNING: ("RUNNING", "No verdict yet: the run is going on. These are its figures so far."),
    Status.CRASHED: ("CRASHED", "No verdict: the load process died before the end. These are the figures up to then."),
    Status.STOPPED: ("STOPPED", "No verdict: the run was stopped before its end. These are the figures up to then."),
    Status.ABORTED: ("ABORTED", "No verdict: a threshold ended the run. These are the figures up to then."),
    Status.FINISHED: ("NO VERDICT", "The load came to its end, and was not judged."),
}
_KILLED: Final = ("KILLED", "No verdict: the run was killed before its end. These are the figures up to then.")
_FRAME: Final = re.compile(r'^  File "(.+)", line (\d+), in (.+)$', re.MULTILINE)


def headline(run: Run) -> Headline:
    """Say what came of a run; a run that nobody judged says so."""
    verdict = run.verdict
    if verdict is None:
        word, sentence = _KILLED if living.gone(run) else _OPEN[run.status]
        return Headline(Outlook.OPEN, Mark.NONE, word, sentence)
    outlook, mark, word = _outcome(verdict, run.status)
    return Headline(outlook, mark, word, units.plain(verdict.sentence, 600))


def short(run: Run) -> str:
    """Give a headline's first sentence for where its word stands before it: without that and the scenario's name."""
    first, dot, _ = headline(run).sentence.partition(". ")
    rest = first.removeprefix(units.plain(run.scenario.name, 600)) if run.verdict else first
    if rest == first:
        return first + dot.rstrip()
    for start in (" failed: ", " held: ", " did not pass: ", ": ", " was ", " "):
        if rest.startswith(start):
            return rest.removeprefix(start).removesuffix(".")
    return first


def raised_at(run: Run, error: ScriptTrace) -> str:
    """Give the last place in the user's own file that a trace went through: `own/users.py, line 8, in go`."""
    frames = _FRAME.findall(error.trace)
    own = [frame for frame in frames if frame[0] == run.scenario.users_file] or frames
    if not own:
        return ""
    file, line, function = own[-1]
    return units.plain(f"{'/'.join(Path(file).parts[-2:])}, line {line}, in {function}")


def _outcome(verdict: Verdict, status: Status) -> tuple[Outlook, Mark, str]:
    suspect = verdict.validity is Validity.SUSPECT
    # In the order of the exit codes, so that word, sentence and code say the same.
    rules = (
        (status is Status.CRASHED, (Outlook.FAILED, Mark.BAD, "CRASHED")),
        (verdict.exit_code == Exit.SIGNAL, (Outlook.OPEN, Mark.NONE, "STOPPED")),
        (verdict.exit_code == Exit.SCRIPT, (Outlook.FAILED, Mark.BAD, "SCRIPT ERROR")),
        (status is Status.ABORTED and verdict.exit_code == Exit.THRESHOLDS, (Outlook.FAILED, Mark.BAD, "ABORTED")),
        (verdict.exit_code == Exit.THRESHOLDS, (Outlook.FAILED, Mark.BAD, "FAILED")),
        (verdict.validity is Validity.INVALID, (Outlook.INVALID, Mark.WARN, "INVALID")),
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


def beyond_the_audit(run: Run) -> list[ThresholdResult]:
    """Give the thresholds without those that only repeat the audit: each of its figures `== 0`."""
    return [r for r in run.thresholds if not (r.metric in INTEGRITY_METRICS and r.expression == "value==0")]


def actual(result: ThresholdResult) -> str:
    """Write what a threshold measured, in the unit that suits it."""
    value = result.actual
    if value is None:
        # Another tool may have judged it by a figure that it did not write down.
        return "no data" if result.outcome is Outcome.NO_DATA else "not in the file"
    if isinf(value):
        return units.NO_ANSWER
    if result.unit == "ms":
        return units.duration(value * units.US_PER_MS)
    if result.unit == "share":
        return units.percent(value)
    return units.trimmed(value) + result.unit


def note(run: Run, result: ThresholdResult) -> str:
    """Give a threshold's note without what its figure says already, and whether it rests on too few samples."""
    own = units.plain(result.note.removeprefix(f"{units.NO_ANSWER}: "))
    return "; ".join(part for part in (own, few(run, result)) if part)


def few(run: Run, result: ThresholdResult) -> str:
    """Give what the gate for samples says of a threshold ("rests on 0.4 of 8 samples"), or nothing where it held."""
    about = f"{result.metric} {aggregation(result.expression)} rests on "
    for finding in run.verdict.findings if run.verdict else ():
        if finding.gate == "samples" and finding.sentence.startswith(about):
            return "rests on " + finding.sentence.removeprefix(about).partition(" (")[0]
    return ""


def clocks(scenario: Scenario) -> str:
    """Say what a latency means here, and which clock thresholds judge."""
    service = "service time, from sending a request to its whole answer"
    response = "response time, from when a request was meant to be sent"
    if not scenario.open:
        return f"closed model: {service}; users wait for it, so a server that stalls is asked less often meanwhile"
    if all(load.open for load in scenario.loads):
        return f"open model: thresholds judge the {response}; beside it stands the {service}"
    return f"open and closed loads: thresholds judge the {response}, where arrivals are planned, else the {service}"


def warm_up(run: Run) -> str:
    """Say what of a run was warm-up; nothing where there was none."""
    return f"the first {units.clock(run.warmup)} were warm-up: shown in the charts, not judged" if run.warmup else ""


def failed_reasons(run: Run) -> list[tuple[Validity, str, str]]:
    """Give the gates that did not hold: level, gate, sentence; the heaviest first."""
    if run.verdict is None:
        return []
    weight = {Validity.INVALID: 0, Validity.SUSPECT: 1}
    found = [f for f in run.verdict.findings if f.level in weight]
    return [(f.level, f.gate, f.sentence) for f in sorted(found, key=lambda f: weight[f.level])]
