"""What differed between the sides of a comparison and was allowed to: most of all what the comparison is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import units
from reports.comparison.members import every_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.model.run import Run
    from reports.comparison.result import Comparison, SideNote

_VALUES: Final = 3
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was not the same: its name, and what it was on each side, the baseline first."""

    name: str
    values: tuple[str, ...]


def differing(found: Comparison, runs: Mapping[str, Run]) -> list[Difference]:
    """Name what the runs' own records, by id, say was not the same; a run that is not among them says nothing."""
    sides = [_facts(side, runs) for side in every_side(found)]
    known = [facts for facts in sides if facts]
    names = dict.fromkeys(name for facts in known for name in facts)
    return [
        Difference(name, tuple(_text(facts.get(name, ())) for facts in sides))
        for name in names
        if len({value for facts in known for value in facts.get(name, ("",))}) > 1
    ]


def _facts(side: SideNote, runs: Mapping[str, Run]) -> dict[str, Sequence[str]]:
    """Gather what each of a side's runs says, by name."""
    found: dict[str, dict[str, None]] = {}
    for note in side.runs:
        if run := runs.get(note.run_id):
            for name, value in _of(run):
                found.setdefault(name, {})[value] = None
    return {name: tuple(values) for name, values in found.items()}


def _of(run: Run) -> Iterable[tuple[str, str]]:
    revision = run.revision
    yield "profile", run.profile
    yield "git revision", f"{revision.commit[:12]}{' with changes' * revision.dirty}" if revision else ""
    yield "note", run.note
    yield "warm-up", units.clock(run.warmup)
    yield "system", run.machine.system
    yield "Python", run.machine.python
    for package, version in run.packages.items():
        yield f"package {package}", version


def _text(values: Sequence[str]) -> str:
    shown = [units.plain(value, _LONGEST) or "none" for value in values[:_VALUES]]
    more = f" and {len(values) - _VALUES} more" if len(values) > _VALUES else ""
    return f"{', '.join(shown)}{more}" if shown else "not known"
