"""What is known of a run that nobody summed up: its figures so far, from its live log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import store
from lab.model.run import Totals
from lab.model.sample import Tally

if TYPE_CHECKING:
    from lab.model.run import Run
    from lab.store import RunFolder


def tally(folder: RunFolder, run: Run) -> Tally | None:
    """Sum the live log of a run that has no totals of its own; None when it has, or when there is no log.

    Raises:
        RunError: a line of the log is no tick.
    """
    if run.verdict is not None or run.totals != Totals() or not folder.ticks.exists():
        return None
    found = Tally()
    for tick in store.read_ticks(folder.ticks):
        found.add(tick)
    return found


def totals(run: Run, found: Tally | None) -> Totals | None:
    """Give a run's totals: its own, else those of its log; None when nothing is known."""
    if found is None:
        return run.totals if run.verdict is not None or run.totals != Totals() else None
    return Totals.of(found)
