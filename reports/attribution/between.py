"""What explains the difference between the sides of a comparison, from what their runs' target told."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lab import store
from lab.errors import RunError
from lab.model.words import counted
from reports import units
from reports.attribution.difference import alike, explained
from reports.attribution.operation import Operation, merged
from reports.attribution.reading import operations
from reports.comparison.headline import main_operation
from reports.comparison.members import every_side
from reports.comparison.result import Cause, SideNote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lab.store import RunFolder
    from reports.comparison.result import Comparison

MOST_OPERATIONS: Final = 3
ENOUGH: Final = 0.95
"""Where fewer of the requests told than this share, a reader should know."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a side's runs told: their operations, in how many of them, and of how many that could be read."""

    side: SideNote
    operations: tuple[Operation, ...]
    runs: int
    read: int

    @property
    def name(self) -> str:
        return f'"{units.plain(self.side.label, 60)}"'


def because(found: Comparison, out: Path, references: Sequence[str] = ()) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
    """Give what explains the differences, and what a reader should know about that.

    Each candidate is held against the baseline, and each but the first against the one before it. Of each side all
    requests are taken together; what is said is where the time went, and no verdict. Where no side's target told,
    nothing is said.

    Args:
        found: the comparison.
        out: where runs are.
        references: what was compared, as it was typed: among it may be paths of runs elsewhere.
    """
    elsewhere = _elsewhere(references, out)
    sides = [_told(side, out, elsewhere) for side in every_side(found)]
    if not any(side.runs for side in sides):
        return (), ()
    baseline, *candidates = sides
    main = main_operation(found.rows)
    causes: list[Cause] = []
    notes: list[str] = []
    for before, after in (*((baseline, after) for after in candidates), *pairwise(candidates)):
        mine = list(_causes(before, after, main))
        causes += mine
        if not mine and before.runs and after.runs:
            notes.append(_unexplained(before, after))
    return tuple(causes), (*(note for side in sides for note in _missing(side, main)), *notes)


def _causes(before: _Told, after: _Told, main: str) -> Iterator[Cause]:
    found = explained(before.operations, after.operations)
    found.sort(key=lambda one: one.operation != main)
    for one in found[:MOST_OPERATIONS]:
        for difference in one.differences:
            yield Cause(before.side.label, after.side.label, one.operation, difference)


def _elsewhere(references: Sequence[str], out: Path) -> dict[str, RunFolder]:
    """Find the runs that were named one by one, by id."""
    found = {}
    for reference in references:
        try:
            folder = store.find(reference, out)
            found[folder.load().id] = folder
        except RunError:
            continue  # a label, or an experiment
    return found


def _told(side: SideNote, out: Path, elsewhere: Mapping[str, RunFolder]) -> _Told:
    found: list[Operation] = []
    runs = read = 0
    for note in side.runs:
        try:
            mine = operations(elsewhere.get(note.run_id) or store.find(note.run_id, out))
        except RunError:
            continue  # a run that is elsewhere, or whose samples are gone, explains nothing and spoils nothing
        found += mine
        runs += bool(mine)
        read += 1
    return _Told(side, tuple(found), runs, read)


def _missing(side: _Told, main: str) -> Iterator[str]:
    """Say of which of a side's runs it is not known where the time went, though of others it is."""
    of = counted(len(side.side.runs), "run")
    if not side.read:
        yield f"where the time of {side.name} went is not known: the samples of its {of} cannot be read"
    elif not side.runs:
        yield f"where the time of {side.name} went is not known: its target sent no Server-Timing"
    elif side.runs < len(side.side.runs):
        yield f"where the time of {side.name} went is known of {side.runs} of {of} only"
    for name, found in merged(side.operations).items():
        if name == main and found.of and found.requests < ENOUGH * found.of:
            share = f"{found.requests:,} of {counted(found.of, 'request')}"
            yield f"where the time of {units.plain(name, 60)} in {side.name} went is known of {share} only"


def _unexplained(before: _Told, after: _Told) -> str:
    """Say why two sides that both told do not explain each other."""
    first, second = merged(before.operations), merged(after.operations)
    both = first.keys() & second.keys()
    if both and not any(alike(first[name], second[name]) for name in both):
        why = "they name no part in common"
    else:
        why = "no operation has enough requests on both sides"
    return f"what makes the difference between {before.name} and {after.name} is not said: {why}"
