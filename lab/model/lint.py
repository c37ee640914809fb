"""What the linter says of a scenario before anybody runs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a remark weighs: ERROR, the run would fail or be INVALID; WARNING, its figures would mislead; NOTE."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a scenario: a code word to look up, the arithmetic in a sentence, and what to do about it."""

    code: str
    severity: Severity
    sentence: str
    remedy: str = ""


def clean(remarks: tuple[Remark, ...]) -> bool:
    """Tell whether nothing is wrong; notes are nothing wrong."""
    return all(remark.severity is Severity.NOTE for remark in remarks)
