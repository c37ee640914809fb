"""A scenario: which loads, with which data, judged how."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.errors import ConfigError
from lab.model.dataset import DataNeeds
from lab.model.load import Load
from lab.model.stage import stretch_hold
from lab.model.threshold import INTEGRITY_METRICS, Threshold, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.stage import Stage
    from lab.model.threshold import Selector


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a run's time in which the plan goes along a straight line: seconds, and what it leads to in words."""

    begin: float
    end: float
    words: str
    level: bool = False
    """Whether it stays where it is."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to run. Times in seconds.

    Attributes:
        name: the scenario's name.
        loads: at least one; several may run one after another or beside each other.
        users_file: where the user classes are.
        description: what it is for.
        thresholds: what judges the run.
        waived: metrics whose default threshold the scenario switches off with an empty list.
        data: what it needs on the target.
        contention: whether many users meet on few seats on purpose: that they do, and that the seats run out, is then
            nothing against the run.
        rps: the most requests a second of all users together; 0 for no limit.
        warmup: seconds at the beginning that are shown and judge nothing.
        auto_warmup: whether they are found after the run (MSER-5), and not given.
    """

    name: str
    loads: tuple[Load, ...]
    users_file: str = ""
    description: str = ""
    thresholds: tuple[Threshold, ...] = ()
    waived: tuple[str, ...] = ()
    data: DataNeeds = field(default_factory=DataNeeds)
    contention: bool = False
    rps: float = 0.0
    warmup: float = 0.0
    auto_warmup: bool = False

    @property
    def duration(self) -> float:
        """Give the planned length in seconds, without the graceful stop; of iteration executors the longest."""
        return max(load.end for load in self.loads)

    @property
    def graceful_stop(self) -> float:
        """Give the seconds that the last users may take after that."""
        return max(load.end + load.graceful_stop for load in self.loads) - self.duration

    @property
    def executor(self) -> str:
        """Name the executors, each once."""
        return ", ".join(dict.fromkeys(load.executor for load in self.loads))

    @property
    def user_classes(self) -> tuple[str, ...]:
        """Name the user classes, each once."""
        return tuple(dict.fromkeys(load.user_class for load in self.loads))

    @property
    def open(self) -> bool:
        """Tell whether one of the loads is an open model."""
        return any(load.open for load in self.loads)

    @property
    def bounded(self) -> bool:
        """Tell whether it may end before its time, since all its loads end with their iterations."""
        return all(load.bounded for load in self.loads)

    @property
    def peak(self) -> int:
        """Give the most users that there may be at one time."""
        moments = {load.start_time + corner for load in self.loads for corner in _corners(load)}
        return max(
            sum(_users(load, moment, coming=coming) for load in self.loads)
            for moment in moments
            for coming in (False, True)
        )

    @property
    def user_seconds(self) -> float:
        """Give the planned load of the closed models: users × seconds."""
        return sum(load.user_seconds for load in self.loads)

    def users_at(self, elapsed: float) -> int:
        """Give how many users the closed models plan `elapsed` seconds into the run."""
        return sum(load.users_at(elapsed) for load in self.loads)

    def rate_at(self, elapsed: float) -> float:
        """Give how many iterations a second the open models plan then."""
        return sum(load.rate_at(elapsed) for load in self.loads)

    @property
    def bands(self) -> tuple[Band, ...]:
        """Give the parts of its time: the stages of its load or, of several, which of them run when."""
        if len(self.loads) == 1:
            return _stages(self.loads[0])
        edges = sorted({0.0, *(load.start_time for load in self.loads), *(load.end for load in self.loads)})
        found = []
        for begin, end in pairwise(edges):
            names = [load.name for load in self.loads if load.start_time <= begin < load.end]
            found.append(Band(begin, end, " + ".join(names) or "nothing", level=True))
        return tuple(found)

    def scaled(self, factor: float) -> Scenario:
        """Stretch the time of loads and warm-up by `factor`."""
        return replace(self, loads=tuple(load.scaled(factor) for load in self.loads), warmup=self.warmup * factor)

    def with_duration(self, seconds: float) -> Scenario:
        """Stretch (or shrink) the hold at the peak until the whole takes so many seconds; ramps stay as they are.

        Raises:
            ConfigError: it has no hold, its ramps alone take as long, or it has several loads.
        """
        load = self._only()
        ramps = load.end - load.held
        if not load.held:
            raise ConfigError(
                f"{self.name} never holds its peak of {load.amount(load.top)}: there is nothing to stretch"
            )
        if seconds <= ramps:
            raise ConfigError(f"{self.name} cannot take {seconds:g} s: its ramps alone take {ramps:g} s")
        stages = stretch_hold(load.stages, load.start, seconds - ramps)
        return replace(self, loads=(replace(load, stages=stages),))

    def with_stages(self, stages: Sequence[Stage]) -> Scenario:
        """Replace the load by a ramp over other stages (the command line's --stage).

        They are of users or, in an open model, of rates.

        Raises:
            ConfigError: it has several loads.
        """
        load = self._only()
        executor = "ramping-arrival-rate" if load.open else "ramping-vus"
        return replace(self, loads=(replace(load, executor=executor, stages=tuple(stages), start=0, iterations=0),))

    def with_thresholds(self, extra: Sequence[Threshold]) -> Scenario:
        """Add thresholds; one on the same metric and aggregation replaces the scenario's own."""
        old = {_judges(t): t for t in self.thresholds}
        new = [
            # Another bound for one that ends the run still ends it.
            replace(t, abort=was.abort, delay=was.delay) if (was := old.pop(_judges(t), None)) and was.abort else t
            for t in extra
        ]
        kept = [t for t in self.thresholds if _judges(t) in old]
        return replace(self, thresholds=(*kept, *new))

    def with_integrity_thresholds(self) -> Scenario:
        """Add `== 0` for each figure of the audit that neither the scenario nor the user judges otherwise."""
        judged = {t.selector.metric for t in self.thresholds} | set(self.waived)
        extra = tuple(parse_threshold(metric, "value==0") for metric in INTEGRITY_METRICS if metric not in judged)
        return replace(self, thresholds=(*self.thresholds, *extra))

    def _only(self) -> Load:
        if len(self.loads) > 1:
            raise ConfigError(f"{self.name} has {len(self.loads)} scenarios in one file; change them in the file")
        return self.loads[0]


def _judges(threshold: Threshold) -> tuple[Selector, str, float | None]:
    """Give what a threshold judges, whatever its bound."""
    return threshold.selector, threshold.aggregation, threshold.argument


def _stages(load: Load) -> tuple[Band, ...]:
    found = []
    begin, before = load.start_time, load.start
    for stage in load.stages:
        end = begin + stage.duration
        found.append(Band(begin, end, load.amount(stage.target), level=stage.target == before))
        begin, before = end, stage.target
    return tuple(found)


def _corners(load: Load) -> list[float]:
    """Give the moments, from the load's begin, at which its straight lines meet."""
    corners = [0.0]
    for stage in load.stages:
        corners.append(corners[-1] + stage.duration)
    return [*corners[:-1], load.length]


def _users(load: Load, moment: float, *, coming: bool) -> int:
    """Give a load's most users at a moment: of those that are there until then, or of those that are from then on."""
    begins = load.start_time <= moment < load.end if coming else load.start_time < moment <= load.end
    if not begins:
        return 0
    if load.open:
        return load.max_vus
    inside, begin, before = moment - load.start_time, 0.0, load.start
    for stage in load.stages:
        end = begin + stage.duration
        if inside < end or (inside <= end and not coming):
            return int(before + (stage.target - before) * (inside - begin) / stage.duration + 0.5)
        begin, before = end, stage.target
    return before
