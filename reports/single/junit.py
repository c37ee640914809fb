"""A run as JUnit XML, which CI servers read: a case for how it ended, per threshold, per gate and per audited figure.

It is green when the run's exit code is 0: an INVALID gate and a threshold that was not met, or had no data, fail. A
SUSPECT gate is skipped: such a run passes, and its figures may mean something else than they seem to.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from lab.model.run import Status
from lab.model.threshold import INTEGRITY_METRICS, Outcome
from lab.model.verdict import Exit, Validity
from reports import audit, junit, words
from reports.words import Mark

if TYPE_CHECKING:
    from lab.model.run import Run
    from reports.audit import AuditLine


def render(run: Run) -> str:
    """Write a run as JUnit XML; it ends with a line break."""
    root = junit.suites("airbourne-lab report")
    suite = junit.suite(root, f"{run.scenario.name} {run.id}")
    _ended(suite, run)
    for result in words.beyond_the_audit(run):
        case = junit.case(suite, _of(run, "thresholds"), f"{result.metric}: {result.expression}")
        note = words.note(run, result)
        _told(case, result.outcome, f"{words.actual(result)}{f' ({note})' if note else ''}")
    _gates(suite, run)
    for line in audit.lines(run.integrity):
        _audited(suite, run, line)
    return junit.written(root)


def _of(run: Run, kind: str) -> str:
    return f"{run.scenario.name}.{kind}"


def _ended(suite: ET.Element, run: Run) -> None:
    """Add the case of the run itself: it came to its end and was judged, and its own code raised nothing."""
    head, verdict = words.headline(run), run.verdict
    case = junit.case(suite, _of(run, "run"), "came to its end")
    raised = verdict is not None and verdict.exit_code == Exit.SCRIPT
    # One that a threshold ended is failed by that threshold, and by this: half a run is no whole one.
    if verdict is None or run.status is not Status.FINISHED or raised:
        _add(case, "failure", f"{head.word}: {head.sentence}", head.word)
    _out(case, head.sentence)


def _gates(suite: ET.Element, run: Run) -> None:
    seen: Counter[str] = Counter()
    for found in run.verdict.findings if run.verdict else ():
        seen[found.gate] += 1
        number = f" ({seen[found.gate]})" if seen[found.gate] > 1 else ""
        case = junit.case(suite, _of(run, "gates"), f"{found.gate}{number}")
        if found.level is Validity.INVALID:
            _add(case, "failure", found.sentence, found.level)
        elif found.level is Validity.SUSPECT:
            _add(case, "skipped", f"{found.level}: {found.sentence}")
        _out(case, found.sentence)


def _audited(suite: ET.Element, run: Run, line: AuditLine) -> None:
    """Add a figure of the audit; what judges it is its threshold, which a scenario may have changed or switched off."""
    case = junit.case(suite, _of(run, "audit"), line.metric)
    # Where nothing could be looked at there is one line for all figures.
    metrics = {line.metric} if line.metric in INTEGRITY_METRICS else {*INTEGRITY_METRICS}
    judged = [result for result in run.thresholds if result.metric in metrics]
    sentence = f"{line.metric} {line.figure}: {line.sentence}"
    worst = next((r.outcome for r in judged if r.outcome is not Outcome.PASS), Outcome.PASS if judged else None)
    if worst is not None:
        _told(case, worst, sentence)
        return
    if line.mark is not Mark.GOOD:
        _add(case, "skipped", f"nothing judges it: {sentence}")
    _out(case, sentence)


def _told(case: ET.Element, outcome: Outcome, sentence: str) -> None:
    if outcome is not Outcome.PASS:
        _add(case, "failure", f"{outcome}: {sentence}", outcome)
    _out(case, sentence)


def _add(case: ET.Element, tag: str, message: str, kind: str = "") -> None:
    found = ET.SubElement(case, tag, message=junit.plain(message))
    if kind:
        found.set("type", junit.plain(kind))


def _out(case: ET.Element, text: str) -> None:
    ET.SubElement(case, "system-out").text = junit.plain(text)
