"""What the linter says, for a person and for a program."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from lab.model.lint import Remark, Severity, clean
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 100
_HEADINGS: Final = {
    Severity.ERROR: "Errors: the run would fail, or could not be believed",
    Severity.WARNING: "Warnings: its figures would say something else than they seem to",
    Severity.NOTE: "Notes",
}


def lint_text(name: str, remarks: Sequence[Remark]) -> str:
    """Write what was found, grouped by weight; at most 100 columns, ends with a line break."""
    return "\n".join(_lines(name, remarks)) + "\n"


def lint_json(name: str, remarks: Sequence[Remark]) -> str:
    """Write the same as JSON: the scenario, whether it is clean, and each remark."""
    found = {"scenario": name, "clean": clean(tuple(remarks)), "remarks": [asdict(remark) for remark in remarks]}
    return json.dumps(found, indent=1, ensure_ascii=False)


def _lines(name: str, remarks: Sequence[Remark]) -> Iterator[str]:
    groups = {level: [r for r in remarks if r.severity is level] for level in Severity}
    counts = [counted(len(group), level.value) for level, group in groups.items() if group]
    yield f"{name}: {', '.join(counts) or 'nothing to say against it'}"
    for level, group in groups.items():
        if group:
            yield f"\n{_HEADINGS[level]}"
        for remark in group:
            yield f"\n  {remark.code}"
            yield _wrapped(remark.sentence, "    ", "    ")
            if remark.remedy:
                yield _wrapped(remark.remedy, "    → ", "      ")


def _wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
