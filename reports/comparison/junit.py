"""A comparison as JUnit XML, which CI servers read: a test case per row, and per threshold of the candidates' runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from lab.model.threshold import Outcome
from lab.model.words import counted
from reports import junit
from reports.comparison import words
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from reports.comparison.result import Comparison, Row, SideNote

SKIPPED: Final = (Answer.INCONCLUSIVE, Answer.NO_VERDICT)
"""What could not be answered neither passed nor failed."""


def render(found: Comparison) -> str:
    """Write a comparison as JUnit XML; it ends with a line break."""
    root = junit.suites("airbourne-lab compare")
    for side in found.candidates:
        suite = junit.suite(root, f"{side.label} against {found.baseline.label}")
        for row in found.rows:
            if row.candidate == side.label:
                _row(suite, row)
        _thresholds(suite, side)
    return junit.written(root)


def _row(suite: ET.Element, row: Row) -> None:
    answer = row.ruling.answer
    case = junit.case(suite, f"{row.candidate}.{row.operation}", words.name(row.metric))
    figures = "; ".join(
        f"{name} {cell}"
        for name, cell in zip(
            ("baseline", "candidate", "change", "q", "MDE", "pairs", "verdict"), words.cells(row)[1:], strict=True
        )
    )
    if answer is Answer.REGRESSED:
        ET.SubElement(
            case, "failure", message=junit.plain(f"{words.subject(row)} is {words.movement(row)}"), type=answer
        )
    elif answer in SKIPPED:
        ET.SubElement(case, "skipped", message=junit.plain(words.verdict(row)))
    ET.SubElement(case, "system-out").text = junit.plain(figures)


def _thresholds(suite: ET.Element, side: SideNote) -> None:
    """Add the thresholds of a side; one that failed in any of its runs failed."""
    outcomes: dict[str, list[Outcome]] = {}
    for run in side.runs:
        for name, outcome in run.thresholds:
            outcomes.setdefault(name, []).append(outcome)
    for name, found in outcomes.items():
        case = junit.case(suite, f"{side.label}.thresholds", name)
        bad = [outcome for outcome in found if outcome is not Outcome.PASS]
        if bad:
            kinds = " and ".join(sorted({str(outcome) for outcome in bad}))
            ET.SubElement(
                case, "failure", message=f"{kinds} in {len(bad)} of {counted(len(found), 'run')}", type="threshold"
            )
