"""What a run on stairs of users says: its steps, the law that describes them, and what may be claimed of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Final

from lab.model.run import Run
from lab.model.threshold import ThresholdResult
from reports.full import Full
from reports.levels import Level
from reports.stats.usl import Law

VERSION: Final = 1
MISFIT: Final = 0.2
"""A law that is further than this share from one of its steps does not describe them."""


SURE: Final = 3.0
"""Standard errors of a difference from the best of several steps that chance does not make."""
FALLING: Final = 0.05
"""A fall by less than this share is a plateau."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A step: how many users, what came of them, the thresholds at it, and why the generator was its limit ("": no)."""

    users: int
    level: Level
    judged: tuple[ThresholdResult, ...] = ()
    generator: str = ""

    def surely_below(self, other: Measured) -> bool:
        """Tell whether its rate is lower than another step's, by more than chance makes of several steps."""
        mine, its = self.level, other.level
        return its.rate - mine.rate > max(SURE * hypot(mine.error, its.error), FALLING * its.rate)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a threshold broke: the last step that met it before, the first that did not, and what was measured there.

    `held` is None where no step before met it, `broke` where none failed it; `again` says that a later step met it once
    more, and `unjudged` which numbers of users had too few samples. Both None: not one step was judged.
    """

    threshold: str
    held: Measured | None
    broke: Measured | None
    figure: str = ""
    again: bool = False
    unjudged: tuple[int, ...] = ()


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
    def described(self) -> bool:
        """Tell whether there is a law, and it describes the steps."""
        return self.law is not None and self.law.misfit <= MISFIT

    @property
    def dips(self) -> tuple[Measured, ...]:
        """Give the steps whose rate is surely lower than that of a step before and that of a step after."""
        return tuple(
            step
            for place, step in enumerate(self.steps)
            if any(map(step.surely_below, self.steps[:place])) and any(map(step.surely_below, self.steps[place + 1 :]))
        )

    @property
    def limited(self) -> Measured | None:
        """Give the first step at which the load generator was the limit."""
        return next((step for step in self.steps if step.generator), None)
