"""A load: users of one class who come and work as an executor says. The executors and their keys are k6's.

In a closed model the stages say how many users there are, and a user begins again when it has its answer. In an open
model (the arrival-rate executors) they say how many iterations begin in a unit of time, whatever the answers do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from lab.model import stage
from lab.model.stage import Stage
from lab.model.words import counted

CLOSED: Final = ("constant-vus", "ramping-vus")
BOUNDED: Final = ("shared-iterations", "per-vu-iterations")
OPEN: Final = ("constant-arrival-rate", "ramping-arrival-rate")
EXECUTORS: Final = (*CLOSED, *BOUNDED, *OPEN)
DEFAULT_GRACE: Final = 30.0
LONGEST: Final = 600.0
"""Seconds that the iteration executors may take unless the scenario says otherwise: k6's maxDuration."""
_UNITS: Final = {1.0: "/s", 60.0: "/min", 3600.0: "/h"}


@dataclass(frozen=True, slots=True)
class Load:
    """One load. Times in seconds; a constant number is one stage that starts at its target.

    Attributes:
        executor: one of `EXECUTORS`.
        user_class: who works.
        stages: users over time; in an open model iterations per `time_unit` over time. The iteration executors have
            one stage, of their users and of the longest that they may take.
        start: what the stages begin with.
        name: of the load, where a scenario has several; else empty.
        start_time: when it begins, in seconds of the run.
        iterations: of an iteration executor: of all users together (shared), or of each.
        time_unit: seconds that the open model's numbers are for.
        pre_allocated: users of an open model that are there from the beginning.
        max_vus: the most users of an open model.
        poisson: whether arrivals come at random (exponential gaps), and not evenly.
        waits: whether an arrival that finds no free user waits for one, and is not dropped.
        graceful_stop: how long users may finish what they began, at the end.
        graceful_ramp_down: the same, for users that leave before.
        tags: on everything that it records.
        env: what its users find in `self.env`.
    """

    executor: str
    user_class: str
    stages: tuple[Stage, ...]
    start: int = 0
    name: str = ""
    start_time: float = 0.0
    iterations: int = 0
    time_unit: float = 1.0
    pre_allocated: int = 0
    max_vus: int = 0
    poisson: bool = False
    waits: bool = False
    graceful_stop: float = DEFAULT_GRACE
    graceful_ramp_down: float = DEFAULT_GRACE
    tags: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()

    @property
    def open(self) -> bool:
        """Tell whether it is an open model: iterations begin by a schedule, whatever the answers do."""
        return self.executor in OPEN

    @property
    def bounded(self) -> bool:
        """Tell whether it ends when its iterations are done."""
        return self.executor in BOUNDED

    @property
    def length(self) -> float:
        """Give how long it takes, or may take at most, without the graceful stop."""
        return stage.total_duration(self.stages)

    @property
    def end(self) -> float:
        """Give the second of the run in which it ends, without the graceful stop."""
        return self.start_time + self.length

    @property
    def top(self) -> int:
        """Give the highest of its numbers: users, or iterations per time unit."""
        return stage.peak(self.stages, self.start)

    @property
    def peak(self) -> int:
        """Give the most users that it may have."""
        return self.max_vus if self.open else self.top

    @property
    def total(self) -> int:
        """Give how many iterations its executor makes, where it makes a number of its own; else 0."""
        if self.executor == "per-vu-iterations":
            return self.iterations * self.start
        return self.iterations

    @property
    def user_seconds(self) -> float:
        """Give the planned load of a closed model: users × seconds; 0 for the others."""
        return 0.0 if self.open or self.bounded else stage.user_seconds(self.stages, self.start)

    @property
    def arrivals(self) -> float:
        """Give how many iterations an open model begins; 0 for the others."""
        return stage.user_seconds(self.stages, self.start) / self.time_unit if self.open else 0.0

    @property
    def held(self) -> float:
        """Give the seconds that it stays at its highest number."""
        return stage.held(self.stages, self.start)

    @property
    def full_after(self) -> float:
        """Give the seconds from its begin until it first reaches its highest number."""
        return stage.full_after(self.stages, self.start)

    def level_at(self, elapsed: float) -> float:
        """Give its planned number, users or iterations per time unit, `elapsed` seconds into the run; 0 outside."""
        inside = elapsed - self.start_time
        return stage.level_at(self.stages, self.start, inside) if 0 <= inside < self.length else 0.0

    def users_at(self, elapsed: float) -> int:
        """Give how many users a closed model plans `elapsed` seconds into the run; 0 outside, and for an open one."""
        return 0 if self.open else int(self.level_at(elapsed) + 0.5)

    def rate_at(self, elapsed: float) -> float:
        """Give how many iterations a second an open model plans then; 0 outside, and for a closed one."""
        return self.level_at(elapsed) / self.time_unit if self.open else 0.0

    def amount(self, number: int) -> str:
        """Write one of its numbers: `20 users`, `50/s`."""
        if not self.open:
            return counted(number, "user")
        return f"{number:,}" + _UNITS.get(self.time_unit, f" per {self.time_unit:g} s")

    def scaled(self, factor: float) -> Load:
        """Stretch its time by `factor` (think time stays, since it belongs to the users)."""
        return replace(self, stages=stage.scale(self.stages, factor), start_time=self.start_time * factor)
