"""The verdict on one row, in the order of measurement.md §5.6."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reports.stats.effect import Effect
from reports.stats.family import Adjusted
from reports.stats.power import equivalent, runs_to_settle

FEWEST_RUNS: Final = 6
"""Below this many pairs (or runs a side) there is no verdict."""


class Answer(StrEnum):
    """What can be said of one row."""

    IMPROVED = "IMPROVED"
    REGRESSED = "REGRESSED"
    EQUIVALENT = "EQUIVALENT"
    INCONCLUSIVE = "INCONCLUSIVE"
    NO_VERDICT = "NO VERDICT"


@dataclass(frozen=True, slots=True)
class Levels:
    """How sure is sure: of a difference (two-sided), and of each of the two one-sided tests of equivalence."""

    alpha: float = 0.05
    equivalence: float = 0.05


@dataclass(frozen=True, slots=True)
class Case:
    """What a row's verdict is made from.

    Attributes:
        effect: what was measured; None where no figure came of it.
        adjusted: its place among the report's rows; None where it is not tested.
        margin: what counts as equivalent, on the effect's scale.
        higher_is_better: the metric's good direction.
        runs: pairs, or runs of the smaller side.
        gate: why nothing may be judged by these runs; empty when every gate held.
        barred: why no improvement may be claimed, whatever the figures are; empty when one may.
    """

    effect: Effect | None
    adjusted: Adjusted | None
    margin: float
    higher_is_better: bool
    runs: int
    gate: str = ""
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, why, and how many pairs (or runs a side) more would settle it: None is not known, or out of reach.

    `open` where more runs may bring an answer; not where a gate stands in the way, which they cannot take away.
    """

    answer: Answer
    reason: str = ""
    runs_more: int | None = None
    open: bool = False


def rule(case: Case, levels: Levels) -> Ruling:
    """Give the verdict: gates first, then equivalence, then significance, else what is missing."""
    if case.runs < FEWEST_RUNS:
        return _too_few(case.runs)
    if case.gate or case.effect is None or case.adjusted is None:
        return Ruling(Answer.INCONCLUSIVE, case.gate or "nothing was measured that could be compared")
    if equivalent(case.effect, case.margin, levels.equivalence):
        return Ruling(Answer.EQUIVALENT)
    if case.adjusted.q > levels.alpha:
        return _open(case.effect, case.adjusted, case.margin, levels)
    better = (case.effect.mean > 0) == case.higher_is_better
    if better and case.barred:
        return Ruling(Answer.INCONCLUSIVE, f"the figure is better, and that is no improvement: {case.barred}")
    return Ruling(Answer.IMPROVED if better else Answer.REGRESSED)


def _too_few(runs: int) -> Ruling:
    if runs == 1:
        return Ruling(Answer.NO_VERDICT, "one run each: no verdict", FEWEST_RUNS - 1, open=True)
    missing = FEWEST_RUNS - runs
    return Ruling(Answer.NO_VERDICT, f"{runs} of the {FEWEST_RUNS} pairs that a verdict needs", missing, open=True)


def _open(effect: Effect, adjusted: Adjusted, margin: float, levels: Levels) -> Ruling:
    needed = runs_to_settle(effect, margin, levels.alpha * adjusted.share, levels.equivalence, FEWEST_RUNS)
    if needed is None:
        return Ruling(
            Answer.INCONCLUSIVE, "the effect lies too near the margin, or the runs differ too much", open=True
        )
    return Ruling(Answer.INCONCLUSIVE, "not sure yet", max(needed - effect.runs, 1), open=True)
