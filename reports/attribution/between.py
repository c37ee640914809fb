"""What explains the difference between the sides of a comparison, from what their runs' target told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab import store
from lab.errors import RunError
from reports import units
from reports.attribution.difference import explained
from reports.attribution.reading import operations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reports.attribution.operation import Operation
    from reports.comparison.result import Comparison, SideNote

MOST_OPERATIONS: Final = 3


def because(found: Comparison, out: Path) -> tuple[tuple[str, str], ...]:
    """Give sentences, each with the candidate that it is about; none where the runs' target told nothing.

    Of each side all requests are taken together; what is said is where the time went, and no verdict.
    """
    before = list(_told(found.baseline, out))
    if not before:
        return ()
    return tuple(
        (side.label, f"{units.plain(one.operation, 60)} {difference}")
        for side in found.candidates
        for one in explained(before, _told(side, out))[:MOST_OPERATIONS]
        for difference in one.differences
    )


def _told(side: SideNote, out: Path) -> Iterator[Operation]:
    for note in side.runs:
        try:
            yield from operations(store.find(note.run_id, out))
        except RunError:
            continue  # a run that is elsewhere, or whose samples are gone, explains nothing and spoils nothing
