"""A capacity as a page of its own: one file that opens offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import offline
from reports.capacity import words
from reports.capacity.charts import charts
from reports.full import LOAD, by_tag
from reports.words import Mark

if TYPE_CHECKING:
    from pathlib import Path

    from reports.capacity.result import Capacity, Measured

TEMPLATE = "capacity.html.j2"


def render(found: Capacity) -> str:
    """Give the whole page."""
    drawn = charts(found)
    return offline.page(
        TEMPLATE,
        {chart.id: chart.figure for chart in drawn if chart.figure},
        found=found,
        run=found.run,
        charts=drawn,
        outlook=outlook(found),
        headline=words.headline(found),
        words=words,
        marks=[Mark.BAD if each.broke else Mark.GOOD if each.held else Mark.NONE for each in found.breaks],
        platform=platform,
    )


def write(found: Capacity, path: Path) -> None:
    """Write the page.

    Raises:
        RunError: the file cannot be written.
    """
    offline.write(path, render(found))


def outlook(found: Capacity) -> tuple[str, str, str]:
    """Give the kind of headline, its mark and its word."""
    if not found.most.level.rate:
        return "failed", Mark.BAD.value, "NO ANSWER"
    if found.limited is not None:
        return "suspect", Mark.WARN.value, "GENERATOR-BOUND"
    if found.plateau is None:
        return "open", Mark.NONE.value, "NO PLATEAU YET"
    if words.caution(found):
        return "suspect", Mark.WARN.value, "CAPACITY, BY A GUESS"
    return "passed", Mark.GOOD.value, "CAPACITY"


def platform(step: Measured) -> float | None:
    """Give how many cores the platform used at a step; None where it was not measured."""
    used = by_tag(step.level.gauges, "cpu", "process")
    shares = [share for process, share in used.items() if process != LOAD]
    return sum(shares) if shares else None
