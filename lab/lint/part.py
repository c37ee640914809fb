"""One load of a scenario with what its users do: iterations and rates by the arithmetic of its executor. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from lab.gates.limits import DROPPED_LIMIT
from lab.lint.routine import Routine
from lab.model.load import Load
from lab.model.sample import CLOCK, RESPONSE, SERVICE
from lab.model.stage import user_seconds_by
from lab.model.words import counted

if TYPE_CHECKING:
    from lab.model.threshold import Selector

BOOKING: Final = "booking"
SCENARIO: Final = "scenario"
"""The tag that has a load's name."""
PER_REQUEST: Final = ("http_reqs", "http_req_duration", "http_req_failed")
_CLOCKED: Final = (*PER_REQUEST, "iteration_duration")
_OF_LOADS: Final = (*PER_REQUEST, "checks", "iterations", "iteration_duration", "dropped_iterations", "group_duration")
"""The metrics of every run that have the tags of the load that made them."""
_BY_USERS: Final = (*PER_REQUEST, "checks", "group_duration")
"""Those of them that have tags which user code gives, too."""
_CHOICES: Final = {
    **dict.fromkeys(PER_REQUEST, ("operation", "name", "group")),
    "checks": ("operation", "check", "group"),
    "group_duration": ("group",),
    "iteration_duration": ("name",),
}


MANY: Final = 1000.0
"""Users busy at once, of which chance takes up so few more that the average will do."""


def _erlang(busy: float) -> int:
    """Give the users with which no more than the allowed share of random arrivals finds all busy."""
    users, lost = 0, 1.0
    while lost > DROPPED_LIMIT:
        users += 1
        lost = busy * lost / (users + busy * lost)
    return users


@dataclass(frozen=True, slots=True)
class Part:
    """A load and what its users do (None: not known). Figures are of a platform that answers at once."""

    load: Load
    routine: Routine | None = None

    @property
    def does(self) -> Routine:
        """Give what the users do; an empty routine where that is not known."""
        return self.routine or Routine()

    @property
    def mark(self) -> str:
        """Give what a sentence on it begins with, where a scenario has several."""
        return f"{self.load.name}: " if self.load.name else ""

    @property
    def iterations(self) -> float:
        """Give how many iterations there will be at most."""
        return self.iterations_by(self.load.end)

    def iterations_by(self, elapsed: float) -> float:
        """Give how many of them begin until so many seconds of the run are over."""
        load = self.load
        area = user_seconds_by(load.stages, load.start, elapsed - load.start_time)
        if load.open:
            return area / load.time_unit
        alone = area / self.does.cycle
        return min(alone, load.total) if load.bounded else alone

    def most_iterations(self) -> float:
        """Give how many there would be if requests took no time at all: users sleep, arrivals have their schedule."""
        load = self.load
        if load.open:
            return load.arrivals
        area = user_seconds_by(load.stages, load.start, load.length)
        alone = area / self.does.idle if self.does.idle else float("inf")
        return min(alone, load.total) if load.bounded else alone

    @property
    def earliest_end(self) -> float:
        """Give the second of the run before which it cannot be over."""
        load = self.load
        if not load.bounded:
            return load.end
        return load.start_time + min(load.length, load.total / load.top * self.does.idle)

    def rate_at(self, elapsed: float) -> float:
        """Give the iterations a second at a moment of the run."""
        return self.load.rate_at(elapsed) if self.load.open else self.load.users_at(elapsed) / self.does.cycle

    def rate_words(self, elapsed: float) -> str:
        """Give where that rate comes from."""
        if self.load.open:
            return f"{self.load.rate_at(elapsed):,.4g}/s"
        return f"{counted(self.load.users_at(elapsed), 'user')} ÷ {self.does.cycle:.3g} s"

    @property
    def needed(self) -> int:
        """Give how many users an open load's highest rate takes, so that its arrivals find one free.

        On average so many are busy as Little's law says. Arrivals that come at random, and are dropped when they find
        nobody, need more: as many as Erlang's loss formula says for the share that a run may drop.
        """
        load = self.load
        busy = round(load.top / load.time_unit * self.does.inside, 6)
        if load.poisson and not load.waits and busy <= MANY:
            return _erlang(busy)
        return max(ceil(busy), 1)

    @property
    def iterations_words(self) -> str:
        """Give where its number of iterations comes from."""
        load = self.load
        if load.open:
            return f"{self.iterations:,.0f} arrivals"
        area = user_seconds_by(load.stages, load.start, load.length)
        if load.bounded and self.iterations == load.total:
            return counted(load.total, "iteration")
        return f"{area:,.0f} user-seconds ÷ {self.does.cycle:.3g} s = {self.iterations:,.0f} iterations"

    def carries(self, metric: str, key: str, value: str) -> bool | None:
        """Tell whether samples of a metric have this tag here; None where some may have it: only a run can tell."""
        load = self.load
        shared = ({SCENARIO: load.name} if load.name else {}) | dict(load.tags)
        if key == CLOCK and metric in _CLOCKED:
            return value == SERVICE or (value == RESPONSE and load.open)
        if key in _CHOICES.get(metric, ()):
            known = {"operation": tuple(self.does.requests), "check": self.does.checks}.get(key)
            return None if known is None else value in known
        of_users = metric in _BY_USERS or metric in self.does.metrics
        if of_users and (key in self.does.tags or key == "group"):
            return None
        return (of_users or metric in _OF_LOADS) and shared.get(key) == value

    def per_iteration(self, selector: Selector) -> float | None:
        """Give how many samples of a metric an iteration leaves; None where only a run can tell."""
        found = [self.carries(selector.metric, key, value) for key, value in selector.tags]
        if False in found:
            return 0.0
        if None in found:
            return None
        if selector.metric in {"iterations", "iteration_duration"}:
            return 1.0
        if selector.metric == "notification_delay":
            return self.does.requests.get(BOOKING, 0.0)
        if selector.metric not in PER_REQUEST:
            return None
        operation = dict(selector.tags).get("operation")
        return sum(number for name, number in self.does.requests.items() if operation in {None, name})
