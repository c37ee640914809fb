"""A capacity for the command line: read from a run's folder, shown, and written into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab import samples_file
from lab.store import written
from reports import words as run_words
from reports.capacity import export, page, text
from reports.capacity.reading import read
from reports.html import write_html

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from lab.capacity import Step
    from lab.model.threshold import Threshold
    from lab.store import RunFolder
    from reports.capacity.result import Capacity

PAGE: Final = "capacity.html"
VALUES: Final = "capacity.json"


def climbed(
    folder: RunFolder, steps: Sequence[Step], thresholds: Sequence[Threshold], to: Path | None = None
) -> tuple[Capacity, Path]:
    """Read a run on stairs, and write the run's own report, and its capacity as JSON and as a page.

    Args:
        folder: the run's.
        steps: its plan.
        thresholds: judged at each step.
        to: where the page is written; None for the run's folder.

    Returns:
        The capacity, and the page's path.

    Raises:
        StoppedError: it was stopped before its first step was over.
        RunError: it cannot be read or ended before, or a file cannot be written.
    """
    write_html(folder)
    found = read(folder.load(), samples_file.ticks(folder), steps, thresholds)
    values, path = folder.path / VALUES, to or folder.path / PAGE
    with written(values):
        values.write_text(export.render(found), encoding="utf-8")
    page.write(found, path)
    return found, path


def as_json(found: Capacity) -> str:
    """Give it as JSON, ending with a line break."""
    return export.render(found)


def show(found: Capacity, console: Console, path: Path) -> None:
    """Show it, with what came of the run itself and where the page is."""
    text.show(found, console)
    head = run_words.headline(found.run)
    code = f" (exit {found.run.verdict.exit_code})" if found.run.verdict else ""
    console.print(f"\n  {head.mark} The run itself: {head.word}{code}: {run_words.short(found.run)}", soft_wrap=True)
    console.print(f"  report: {path}\n", soft_wrap=True)
