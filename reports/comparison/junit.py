"""A comparison as JUnit XML, which CI servers read: a test case per row, and per threshold of the candidates' runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from lab.model.threshold import Outcome
from lab.model.words import counted
from reports import units
from reports.comparison import words
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from reports.comparison.result import Comparison, Row, SideNote

SKIPPED: Final = (Answer.INCONCLUSIVE, Answer.NO_VERDICT)
"""What could not be answered neither passed nor failed."""
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(found: Comparison) -> str:
    """Write a comparison as JUnit XML; it ends with a line break."""
    root = ET.Element("testsuites", name="airbourne-lab compare")
    for side in found.candidates:
        suite = ET.SubElement(root, "testsuite", name=f"{_text(side.label)} against {_text(found.baseline.label)}")
        for row in found.rows:
            if row.candidate == side.label:
                _row(suite, row)
        _thresholds(suite, side)
        _count(suite)
    _count(root)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _row(suite: ET.Element, row: Row) -> None:
    answer = row.ruling.answer
    case = _case(suite, f"{row.candidate}.{row.operation}", words.name(row.metric))
    figures = "; ".join(
        f"{name} {cell}"
        for name, cell in zip(
            ("baseline", "candidate", "change", "q", "MDE", "pairs", "verdict"), words.cells(row)[1:], strict=True
        )
    )
    if answer is Answer.REGRESSED:
        ET.SubElement(case, "failure", message=_text(f"{words.subject(row)} is {words.movement(row)}"), type=answer)
    elif answer in SKIPPED:
        ET.SubElement(case, "skipped", message=_text(words.verdict(row)))
    ET.SubElement(case, "system-out").text = _text(figures)


def _thresholds(suite: ET.Element, side: SideNote) -> None:
    """Add the thresholds of a side; one that failed in any of its runs failed."""
    outcomes: dict[str, list[Outcome]] = {}
    for run in side.runs:
        for name, outcome in run.thresholds:
            outcomes.setdefault(name, []).append(outcome)
    for name, found in outcomes.items():
        case = _case(suite, f"{side.label}.thresholds", name)
        bad = [outcome for outcome in found if outcome is not Outcome.PASS]
        if bad:
            kinds = " and ".join(sorted({str(outcome) for outcome in bad}))
            ET.SubElement(
                case, "failure", message=f"{kinds} in {len(bad)} of {counted(len(found), 'run')}", type="threshold"
            )


def _case(suite: ET.Element, of: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_text(of), name=_text(name), time="0")


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    for attribute, tag in (("failures", "failure"), ("skipped", "skipped")):
        element.set(attribute, str(len(element.findall(f".//{tag}"))))
    element.set("errors", "0")


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", units.plain(text, 600))
