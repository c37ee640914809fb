"""What a run on stairs of users says: its steps, the law that describes them, and what may be claimed of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lab.model.run import Run
from lab.model.threshold import ThresholdResult
from reports.full import Full
from reports.levels import Level
from reports.stats.usl import Law

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """A step: how many users, what came of them, the thresholds at it, and why the generator was its limit ("": no)."""

    users: int
    level: Level
    judged: tuple[ThresholdResult, ...] = ()
    generator: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a threshold broke: the last step that met it before, the first that did not, and what was measured there.

    `held` is None where not even the first step met it, `broke` where every step did; `again` says that a later step
    met it once more. Both None: no step had enough samples to judge it.
    """

    threshold: str
    held: Measured | None
    broke: Measured | None
    figure: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Capacity:
    """How far a platform scales.

    Attributes:
        run: the run on the stairs.
        steps: those that were held to their end, the fewest users first.
        most: the step with the highest rate.
        plateau: the first step that none after it grew beyond; None where the rate still grew at the last step.
        law: fitted to the steps; None where `no_law` says why.
        no_law: "" where there is a law.
        no_peak: why no peak is claimed; "" where the law's is.
        knee: the users at the bend, by kneed; None where it finds none.
        full: what was full at the last step of the plateau.
        unseen: what no probe looked at.
        breaks: where each threshold broke.
    """

    run: Run
    steps: tuple[Measured, ...]
    most: Measured
    plateau: Measured | None
    law: Law | None
    no_law: str
    no_peak: str
    knee: float | None
    full: tuple[Full, ...]
    unseen: tuple[str, ...]
    breaks: tuple[Break, ...]

    @property
    def limited(self) -> Measured | None:
        """Give the first step at which the load generator was the limit."""
        return next((step for step in self.steps if step.generator), None)
