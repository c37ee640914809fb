"""The table of rules, and the diagnosis of a run by all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab import samples_file
from lab.facts import read_ledger
from reports.diagnosis import of_the_database, of_the_load, of_the_parts, of_the_test
from reports.diagnosis.gathering import facts
from reports.diagnosis.rule import apply

if TYPE_CHECKING:
    from lab.store import RunFolder
    from reports.diagnosis.rule import Diagnosis

RULES: Final = (*of_the_test.RULES, *of_the_load.RULES, *of_the_parts.RULES, *of_the_database.RULES)
"""Every rule; of two that score the same, the first is told first."""


def diagnose(folder: RunFolder) -> Diagnosis:
    """Say what a run was held up by: one that is closed, goes on, or was killed.

    Raises:
        RunError: it cannot be read.
    """
    sampled = folder.ticks.exists() or folder.samples.exists()
    ticks = samples_file.ticks(folder) if sampled else ()
    ledger = read_ledger(folder.ledger) if folder.ledger.exists() else None
    return apply(RULES, facts(folder.load(), ticks, ledger))
