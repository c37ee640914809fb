"""Two sides held against each other: which runs count, which are pairs, and what stands against judging by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.model.verdict import Validity
from lab.model.words import counted
from reports.comparison.figures import RunFigures
from reports.comparison.same import out_of_order
from reports.stats.effect import LEAST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.comparison.figures import Side

_NAMED: Final = 3
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two sides as they are held against each other: the runs that count, in pairs where they are paired.

    Attributes:
        baseline: the label of the side that is compared with.
        candidate: the label of the side that is judged.
        before: the baseline's runs; of pairs, in the candidate's order.
        after: the candidate's runs.
        is_paired: whether the runs at one place are a pair.
        gate: why no row of these sides may be judged; empty when it may.
        barred: why no improvement may be claimed.
        warnings: what a reader of every row of these sides should know.
    """

    baseline: str
    candidate: str
    before: tuple[RunFigures, ...]
    after: tuple[RunFigures, ...]
    is_paired: bool
    gate: str = ""
    barred: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[RunFigures, ...]:
        """Give the runs of both sides."""
        return (*self.before, *self.after)

    @property
    def count(self) -> int:
        """Give the number of pairs, or of the smaller side's runs."""
        return min(len(self.before), len(self.after))


def contrast(baseline: Side, candidate: Side) -> Contrast:
    """Hold two sides against each other: pair by pair where there are pairs, else all runs of both."""
    before = {run.pair: run for run in baseline.runs if run.pair}
    after = {run.pair: run for run in candidate.runs if run.pair}
    together = sorted(before.keys() & after.keys(), key=lambda pair: (after[pair].started, pair))
    unpaired = len(baseline.runs) + len(candidate.runs) - 2 * len(together)
    warnings = []
    if together:
        sides = tuple(before[pair] for pair in together), tuple(after[pair] for pair in together)
        if unpaired:
            warnings.append(f"{counted(unpaired, 'run')} without the other half of the pair left out")
    else:
        sides = _in_order(baseline.runs), _in_order(candidate.runs)
        if min(len(side) for side in sides) >= LEAST:
            warnings.append("runs are not in pairs: Welch's test, which needs more runs for the same answer")
    runs = (*sides[0], *sides[1])
    warnings += _suspect(runs)
    if why := _unsound(sides[0]):
        told = "fails its audit" if any(run.integrity_ok is False for run in sides[0]) else "was not audited"
        warnings.append(f"the baseline's figures are those of a platform that {told}: {why}")
    return Contrast(
        baseline.label,
        candidate.label,
        *sides,
        is_paired=bool(together),
        gate=next(filter(None, (_unbelievable(runs), out_of_order(*sides))), ""),
        barred=_unsound(sides[1]),
        warnings=tuple(warnings),
    )


def _in_order(runs: Sequence[RunFigures]) -> tuple[RunFigures, ...]:
    return tuple(sorted(runs, key=lambda run: (run.started, run.run_id)))


def _suspect(runs: Sequence[RunFigures]) -> Iterator[str]:
    """Say what makes runs SUSPECT: each finding once, however many runs it is about and whatever its figures are."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for run in runs:
        if run.validity is Validity.SUSPECT:
            for sentence in run.findings:
                alike.setdefault(_NUMBER.sub("#", sentence), []).append((run.run_id, sentence))
    for found in alike.values():
        run_id, sentence = found[0]
        if len(found) == 1:
            yield f"{run_id} is SUSPECT: {sentence}"
            continue
        differing = " (figures of the first)" if len({text for _, text in found}) > 1 else ""
        yield f"{len(found)} of {counted(len(runs), 'run')} are SUSPECT: {sentence}{differing}"


def _unbelievable(runs: Sequence[RunFigures]) -> str:
    """Say which runs have failed a gate."""
    bad = [run for run in runs if run.validity in {Validity.INVALID, None}]
    if not bad:
        return ""
    named = []
    for run in bad[:_NAMED]:
        level = "was not judged" if run.validity is None else "is INVALID"
        named.append(f"{run.run_id} {level}{': ' if run.findings else ''}{'; '.join(run.findings)}")
    more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return f"{'; '.join(named)}{more}"


def _unsound(runs: Sequence[RunFigures]) -> str:
    """Say in how many runs what was sold is not true, or nobody looked."""
    bad = [run for run in runs if not run.integrity_ok]
    if not bad:
        return ""
    what = next((run.integrity for run in bad if run.integrity), "the audit could not look")
    return f"integrity in {len(bad)} of {counted(len(runs), 'run')}: {what}"
