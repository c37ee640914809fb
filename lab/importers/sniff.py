"""Which tool wrote a file, told from how the file begins."""

from __future__ import annotations

import csv
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError
from lab.importers.source import opened, shown

if TYPE_CHECKING:
    from pathlib import Path

HEAD: Final = 64 * 1024


class Form(StrEnum):
    """The files that are known, in words."""

    K6_SUMMARY = "k6's summary (--summary-export)"
    K6_JSON = "k6's samples (--out json)"
    K6_CSV = "k6's samples (--out csv)"
    K6_HANDLED = "the data of k6's handleSummary"
    LOCUST_STATS = "Locust's …_stats.csv"
    LOCUST_HISTORY = "Locust's …_stats_history.csv"
    JMETER_CSV = "JMeter's samples (.jtl as CSV)"
    JMETER_XML = "JMeter's samples as XML"


COMMANDS: Final = {
    "k6": (Form.K6_SUMMARY, Form.K6_JSON, Form.K6_CSV),
    "locust": (Form.LOCUST_STATS,),
    "jmeter": (Form.JMETER_CSV,),
}
"""What each command imports."""

_HEADERS: Final = (
    (Form.K6_CSV, {"metric_name", "timestamp", "metric_value"}),
    (Form.LOCUST_HISTORY, {"Timestamp", "User Count", "Total Request Count"}),
    (Form.LOCUST_STATS, {"Type", "Name", "Request Count"}),
    (Form.JMETER_CSV, {"timeStamp", "elapsed", "label"}),
)
_REMEDIES: Final = {
    Form.K6_HANDLED: "; let k6 write its own with --summary-export FILE, or its samples with --out json=FILE",
    Form.LOCUST_HISTORY: "; give …_stats.csv first, and this one after it",
    Form.JMETER_XML: "; let JMeter write CSV: jmeter.save.saveservice.output_format=csv",
}


def expect(path: Path, *forms: Form) -> Form:
    """Tell which of these forms a file has.

    Raises:
        ConfigError: it has none of them, or cannot be read; what was expected, what was found and the remedy.
    """
    form, found = _look(path)
    if form in forms:
        return form
    remedy = _REMEDIES.get(form, "") if form else ""
    for command, its in COMMANDS.items():
        if form in its:
            remedy = f"; import it with: airbourne-lab import {command} {path}"
    raise ConfigError(f"{path}: expected {' or '.join(forms)}; found {found}{remedy}")


def _look(path: Path) -> tuple[Form | None, str]:
    with opened(path) as text:
        head = text.read(HEAD).lstrip()
    form = _form(head)
    if form:
        return form, str(form)
    if not head:
        return None, "an empty file"
    return None, f'one that begins with "{shown(head.splitlines()[0])}"'


def _form(head: str) -> Form | None:
    first = head.split("\n", 1)[0]
    if head.startswith("{"):
        return _json(head, first)
    if head.startswith(("<?xml", "<testResults")):
        return Form.JMETER_XML
    try:
        header = set(next(csv.reader([first]), []))
    except csv.Error:
        return None
    return next((form for form, needed in _HEADERS if needed <= {name.strip() for name in header}), None)


def _json(head: str, first: str) -> Form | None:
    try:
        whole = json.loads(first)
        if isinstance(whole, dict) and whole.get("type") in {"Metric", "Point"}:
            return Form.K6_JSON
    except (ValueError, RecursionError):  # a whole that takes several lines, or is cut off
        pass
    start = head[:100].replace(" ", "")
    if '"type":"Metric"' in start or '"type":"Point"' in start:
        return Form.K6_JSON
    if '"metrics"' not in head:
        return None
    return Form.K6_HANDLED if '"contains"' in head and '"values"' in head else Form.K6_SUMMARY
