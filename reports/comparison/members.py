"""The runs of a comparison one by one, in the order in which they were made, each with the side that it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.model.verdict import Validity
from reports import units
from reports.comparison.result import RunNote, SideNote
from reports.drawing import inert

if TYPE_CHECKING:
    from reports.comparison.result import Comparison

_CANDIDATES: Final = 5
"""The page has this many colours for candidates."""
_DASHES: Final = ("solid", "dash", "longdashdot")


@dataclass(frozen=True, slots=True)
class Member:
    """A run: its place in time from 1, its side's place (0 is the baseline), that side, and what is known of it."""

    number: int
    place: int
    side: SideNote
    run: RunNote

    @property
    def believed(self) -> bool:
        """Tell whether the run failed no gate."""
        return self.run.validity in {Validity.VALID, Validity.SUSPECT}

    def value(self, operation: str, metric: str) -> float | None:
        """Give one of its figures, in base units; None was not measured."""
        return next((value for *key, value in self.run.values if key == [operation, metric]), None)


def every_side(found: Comparison) -> tuple[SideNote, ...]:
    """Give the sides, the baseline first."""
    return (found.baseline, *found.candidates)


def members(found: Comparison) -> list[Member]:
    """Give all runs, the oldest first."""
    runs = [(place, side, run) for place, side in enumerate(every_side(found)) for run in side.runs]
    runs.sort(key=lambda entry: (entry[2].started, entry[2].run_id))
    return [Member(number, place, side, run) for number, (place, side, run) in enumerate(runs, 1)]


def experiment(found: Comparison) -> str:
    """Name the one experiment that all runs belong to; empty where there is none, or there are several."""
    names = {member.run.pair.rpartition(" ")[0] for member in members(found)}
    return names.pop() if len(names) == 1 else ""


def colour(place: int) -> str:
    """Name the colour of a side: the baseline's is its own, and candidates take turns."""
    return f"series-{(place - 1) % _CANDIDATES + 2}" if place else "series-1"


def dash(place: int) -> str:
    """Name how a side's lines are drawn: candidates of one colour differ, and no colour is alone."""
    return _DASHES[(place - 1) // _CANDIDATES % len(_DASHES)] if place else "dot"


def label(found: Comparison, place: int) -> str:
    """Give a side's label as a chart shows it."""
    return inert(units.plain(every_side(found)[place].label, 40))


def told(member: Member) -> str:
    """Name a run as a chart does where somebody points at it."""
    pair = f", pair {units.plain(member.run.pair, 40)}" if member.run.pair else ""
    return inert(f"run {member.number}, {units.plain(member.run.run_id, 60)}{pair}")
