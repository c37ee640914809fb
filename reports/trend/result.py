"""A trend: a figure per run, where it seems to have changed, and what was left out. Renderers decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Final

from lab.model.verdict import Validity
from reports.comparison.metrics import Metric

TREND_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Point:
    """One run.

    Attributes:
        run_id: its id.
        started: when, ISO 8601 in UTC.
        label: its label; in an experiment the name of its side.
        profile: the platform's profile.
        revision: the git revision that it was made at.
        validity: whether it can be believed; None when nobody judged it.
        value: the figure, in base units; None where it was not measured or is hidden, infinity is "no answer".
        weak: why little can be built on the figure; empty where much can.
    """

    run_id: str
    started: str
    label: str
    profile: str
    revision: str
    validity: Validity | None
    value: float | None
    weak: str = ""

    @property
    def believed(self) -> bool:
        """Tell whether the run can be believed; one that cannot is shown hollow, and no change is seen by it."""
        return self.validity in {Validity.VALID, Validity.SUSPECT}

    @property
    def counts(self) -> bool:
        """Tell whether changes are looked for by this figure."""
        return self.believed and self.value is not None and isfinite(self.value)


@dataclass(frozen=True, slots=True)
class Change:
    """A place where the figure seems to have changed.

    Attributes:
        place: the position among the points of the first run after it.
        run_id: that run.
        before: the figure over the runs since the change before it, or since the first run (geometric mean;
            arithmetic where the metric is absolute).
        after: the same over the runs up to the next change, or to the last run.
    """

    place: int
    run_id: str
    before: float
    after: float

    def size(self, metric: Metric) -> float:
        """Give after / before, or after − before where the metric is absolute."""
        if metric.absolute:
            return self.after - self.before
        return self.after / self.before if self.before else inf


@dataclass(frozen=True, slots=True)
class Trend:
    """The figures of comparable runs, oldest first.

    Attributes:
        operation: which operation; `all` for the whole run.
        metric: which metric.
        points: a run each, the oldest first.
        changes: where the figure seems to have changed.
        searched: how many figures changes were looked for in; 0 where they were too few.
        left_out: which runs are not among the points, and why, a sentence each.
        notes: what a reader should know, a sentence each.
        setting: what all these runs have in common, by name.
    """

    operation: str
    metric: Metric
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    searched: int
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    setting: tuple[tuple[str, str], ...] = ()
