"""A diagnosis for a person and for a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from lab.model.threshold import INTEGRITY_METRICS
from lab.model.verdict import Validity
from lab.model.words import counted
from reports import units
from reports.diagnosis.diagnose import RULES
from reports.diagnosis.rule import VERSION
from reports.layout import BAD, BOLD, DIM, FIGURE, GOOD, WARN, Span, draw, plain, title, wrapped
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from reports.diagnosis.rule import Diagnosis
    from reports.layout import Line

NARROWEST: Final = 60
USUAL_WIDTH: Final = 100
WIDEST: Final = 120
WEIGHTY: Final = 0.5
ABOUT: Final = {rule.name: rule.about for rule in RULES}


def summary(found: Diagnosis, width: int = USUAL_WIDTH) -> str:
    """Write it as plain text, without colour; it ends with a line break. `width` is kept between 60 and 120."""
    return plain(lines(found, width))


def show(found: Diagnosis, console: Console) -> None:
    """Write it to a console: in colour on a terminal, as plain text to a file or a pipe."""
    draw(lines(found, console.width), console)


def lines(found: Diagnosis, width: int = USUAL_WIDTH) -> Iterator[Line]:
    """Give it line by line, as styled spans."""
    columns = min(max(width, NARROWEST), WIDEST)
    yield ()
    yield from wrapped((Span("  "),), headline(found), columns, BOLD, 2)
    for caution in filter(None, (believed(found), audited(found))):
        yield from wrapped((Span("  "), Span(f"{Mark.WARN} ", WARN)), caution, columns, WARN, 4)
    for number, each in enumerate(found.found, start=1):
        yield ()
        style = BAD if each.score >= WEIGHTY else WARN
        head = (Span(f"  {number}. "), Span(each.rule, f"bold {style}"), Span(f"  {each.score:.2f}  ", FIGURE))
        yield (*head, Span(ABOUT.get(each.rule, ""), DIM))
        yield from wrapped((Span("     "),), units.plain(each.evidence, 1200), columns, "", 5)
        yield from wrapped((Span("     → ", GOOD),), units.plain(each.remedy, 600), columns, "", 7)
    if found.not_looked_at:
        yield from title("NOT LOOKED AT")
        for name, why in found.not_looked_at:
            yield from wrapped((Span("    "), Span(f"{Mark.NONE} {name}: ", DIM)), why, columns, DIM)
    if found.clear:
        yield from title("LOOKED AT, AND NOT FOUND")
        yield from wrapped((Span("    "), Span(f"{Mark.GOOD} ", GOOD)), ", ".join(found.clear), columns, DIM)
    yield ()


def headline(found: Diagnosis) -> str:
    """Say how much was found, and the weightiest of it."""
    name = units.plain(found.facts.run.id, 120)
    if not found.found:
        return f"{name}: nothing was found that holds it up."
    first = found.found[0]
    more = f" and {counted(len(found.found) - 1, 'more finding')}" if len(found.found) > 1 else ""
    return f"{name}: {ABOUT.get(first.rule, first.rule)}{more}."


def believed(found: Diagnosis) -> str:
    """Say what keeps the run from being believed; "" where nothing does."""
    verdict = found.facts.run.verdict
    if verdict is None:
        return "The run has no verdict: it goes on, or was killed. These are its figures so far."
    if verdict.validity is Validity.INVALID:
        gates = [each.gate for each in verdict.findings if each.level is Validity.INVALID]
        by = f" ({units.plain(', '.join(gates), 200)})" if gates else ""
        return f"The run is INVALID{by}: its timings cannot be believed until what spoils it is mended."
    return ""


def audited(found: Diagnosis) -> str:
    """Say what the audit found, which no speed makes good; "" where it found nothing, or there was none."""
    integrity = found.facts.run.integrity
    broken = {metric: getattr(integrity, metric, None) or 0 for metric in INTEGRITY_METRICS}
    said = ", ".join(f"{metric} {value:,}" for metric, value in broken.items() if value)
    return f"The audit found that what was sold is not true: {said}. Mend that before the speed." if said else ""


def as_json(found: Diagnosis) -> str:
    """Write it as JSON: findings in their order, what was looked at and not found, and what was not looked at."""
    verdict = found.facts.run.verdict
    values = {
        "version": VERSION,
        "run": found.facts.run.id,
        "validity": verdict.validity if verdict else None,
        "findings": [
            {"rule": each.rule, "score": round(each.score, 4), "evidence": each.evidence, "remedy": each.remedy}
            for each in found.found
        ],
        "not_found": list(found.clear),
        "not_looked_at": dict(found.not_looked_at),
    }
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace").decode("utf-8")
