"""JUnit XML as CI servers read it: cases in suites, each counted, and no character that XML forbids."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

from reports import units

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST: Final = 600


def suites(name: str) -> ET.Element:
    """Begin a file."""
    return ET.Element("testsuites", name=plain(name))


def suite(root: ET.Element, name: str) -> ET.Element:
    """Add a suite to a file."""
    return ET.SubElement(root, "testsuite", name=plain(name))


def case(within: ET.Element, of: str, name: str) -> ET.Element:
    """Add a case to a suite; it passed as long as nothing is added to it."""
    return ET.SubElement(within, "testcase", classname=plain(of), name=plain(name), time="0")


def written(root: ET.Element) -> str:
    """Count what a file and its suites hold, and write it; it ends with a line break."""
    for element in (root, *root):
        _count(element)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def plain(text: str) -> str:
    """Give a text as it may stand in XML: on one line, bounded, and without what XML forbids."""
    return _FORBIDDEN.sub("\ufffd", units.plain(text, _LONGEST))


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    element.set("failures", str(len(element.findall(".//failure"))))
    element.set("errors", "0")
    if element.tag == "testsuite":  # of a whole file Jenkins knows no such count
        element.set("skipped", str(len(element.findall(".//skipped"))))
