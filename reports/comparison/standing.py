"""A comparison in one word, with its colour, and what stands against believing it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.model.verdict import Validity
from lab.model.words import counted
from reports import units
from reports.comparison.headline import leading
from reports.comparison.members import every_side, members
from reports.stats.ruling import Answer
from reports.words import Mark, Outlook

if TYPE_CHECKING:
    from reports.comparison.result import Comparison


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest candidate comes to: the kind of headline, its mark, a word, and how many rows say what."""

    outlook: Outlook
    mark: Mark
    word: str
    tally: str


def standing(found: Comparison) -> Standing:
    """Say in a word what the newest candidate comes to; no colour says win where nothing may be concluded."""
    label = found.candidates[-1].label if found.candidates else ""
    rows = [row for row in found.rows if row.candidate == label]
    answers = Counter(row.ruling.answer for row in rows)
    outlook, mark, word = _word(answers, {row.ruling.answer for row in leading(rows)[:1]})
    if found.forced:
        outlook, mark, word = Outlook.SUSPECT, Mark.WARN, f"FORCED: {word}"
    total = sum(answers.values())
    tally = ", ".join(f"{answers[answer]} {answer.lower()}" for answer in Answer if answers[answer])
    return Standing(outlook, mark, word, f"{counted(total, 'row')}: {tally}" if total else "no rows")


def _word(answers: Counter[Answer], lead: set[Answer]) -> tuple[Outlook, Mark, str]:
    """Choose the word: by the row that a reader asks about first, and by anything that got worse."""
    better, worse = answers[Answer.IMPROVED], answers[Answer.REGRESSED]
    if worse:
        word = "BETTER AND WORSE" if better else "REGRESSED" if Answer.REGRESSED in lead else "REGRESSED IN PART"
        return Outlook.FAILED, Mark.BAD, word
    if better:
        whole = Answer.IMPROVED in lead
        return (Outlook.PASSED if whole else Outlook.OPEN), Mark.GOOD, "IMPROVED" if whole else "IMPROVED IN PART"
    if answers[Answer.EQUIVALENT] and answers[Answer.EQUIVALENT] == answers.total():
        return Outlook.OPEN, Mark.GOOD, str(Answer.EQUIVALENT)
    if not answers or answers[Answer.NO_VERDICT]:
        return Outlook.OPEN, Mark.NONE, str(Answer.NO_VERDICT)
    return Outlook.SUSPECT, Mark.WARN, str(Answer.INCONCLUSIVE)


def against(found: Comparison) -> list[tuple[str, str]]:
    """Name the runs that cannot be believed, and the sides whose audit found something or was not made.

    Returns:
        GATE or AUDIT, and a sentence.
    """
    said = []
    for member in members(found):
        run = member.run
        if run.validity in {Validity.INVALID, None}:
            level = "was not judged" if run.validity is None else "is INVALID"
            why = f": {'; '.join(run.findings)}" if run.findings else ""
            said.append(("GATE", units.plain(f"{run.run_id} ({member.side.label}) {level}{why}", 600)))
    for side in every_side(found):
        bad = [run for run in side.runs if not run.integrity_ok]
        if bad:
            what = next((run.integrity for run in bad if run.integrity), "the audit could not look")
            among = f"{len(bad)} of {counted(len(side.runs), 'run')}"
            said.append(("AUDIT", units.plain(f"{side.label}: integrity in {among}: {what}", 600)))
    return said
