"""Steps of load up to the plateau: a scenario that holds each step, and the watch that says when it is enough. Pure.

All steps stand in one run, and not in a run each. The platform keeps its warm caches and connections, one audit looks
at all that was sold, and ten seconds a step are ten seconds of load and not of starting. What that costs: time goes
along with the load, so that a platform which grows slower with every booking looks as if it did not scale; and the
spread within a step knows nothing of how much two runs differ. Both are said with the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError
from lab.gates.observed import answered
from lab.model.stage import MAX_DIGITS, MAX_USERS, Stage, parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.sample import Tick
    from lab.model.scenario import Scenario

STEPS: Final = "1,2,4,8,16,32,64,128"
HOLD: Final = "10s"
RISE_S: Final = 1
"""The users of a step come within a second."""
SETTLING: Final = 0.2
"""The part of a hold in which its users are not yet spread, and which is not measured."""
SHORTEST_S: Final = 6
"""A step is held at least so long, for its rate to have a spread."""
FEWEST: Final = 5
"""So many steps are always taken, however flat: a fit takes as many."""
FLAT: Final = 2
"""So many steps without growth are the plateau."""
GROWING: Final = 0.1
"""Growth is a rate that rises by more than this power of the users: twice the users, 7 % more."""


@dataclass(frozen=True, slots=True)
class Step:
    """A held number of users, from second `begin` of the run up to `end`; it is measured from `measured` on."""

    users: int
    begin: int
    end: int

    @property
    def measured(self) -> int:
        """Give the first second that is measured."""
        return self.begin + max(round((self.end - self.begin) * SETTLING), 1)


@dataclass(frozen=True, slots=True)
class Stairs:
    """Steps of users, each held for so many seconds after a second of rise."""

    users: tuple[int, ...]
    hold: int

    @property
    def steps(self) -> tuple[Step, ...]:
        """Give the steps with their times."""
        each = RISE_S + self.hold
        return tuple(
            Step(users, number * each + RISE_S, (number + 1) * each) for number, users in enumerate(self.users)
        )

    def scenario(self, found: Scenario) -> Scenario:
        """Give a scenario this load.

        Its thresholds judge each step later on, and not the run, which goes on to where they break.

        Raises:
            ConfigError: it has several loads, or is of an open model.
        """
        if found.open:
            raise ConfigError(
                f"{found.name} is an arrival rate, and capacity takes steps of users; "
                "for the highest rate there is: airbourne-lab run --scenario breakpoint"
            )
        stages = [Stage(seconds, users) for users in self.users for seconds in (float(RISE_S), float(self.hold))]
        stepped = found.with_stages(stages)
        return replace(stepped, thresholds=(), warmup=0.0, auto_warmup=False)


def stairs(steps: str, hold: str, time_scale: float) -> Stairs:
    """Read the options.

    Raises:
        ConfigError: the steps do not rise, or a hold is no duration or too short.
    """
    words = [word.strip() for word in steps.split(",")]
    if not all(word.isdecimal() and len(word) <= MAX_DIGITS and 0 < int(word) <= MAX_USERS for word in words):
        raise ConfigError(f"--steps {steps}: write numbers of users, like {STEPS}")
    users = tuple(int(word) for word in words)
    if any(after <= before for before, after in pairwise(users)):
        raise ConfigError(f"--steps {steps}: each step must have more users than the one before, like {STEPS}")
    if not time_scale > 0:
        raise ConfigError(f"--time-scale {time_scale:g} must be more than 0")
    try:
        seconds = round(parse_duration(hold) * time_scale)
    except ConfigError as error:
        raise ConfigError(f"--hold: {error}") from None
    if seconds < SHORTEST_S:
        raise ConfigError(
            f"--hold {hold} × {time_scale:g} is {seconds} s: a step takes {SHORTEST_S} s for its rate to have a spread"
        )
    return Stairs(users, seconds)


class Plateau:
    """Watches a run on its stairs: `enough` from when the rate has not grown for two steps."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._done = 0
        self._counts = [0] * len(steps)

    def enough(self, tick: Tick) -> bool:
        """Take a second in; tells whether the plateau has been seen. A second may come in parts."""
        for number, step in enumerate(self._steps):
            if step.measured <= tick.second < step.end:
                self._counts[number] += answered(tick)
            if tick.second == step.end - 1:
                self._done = max(self._done, number + 1)
        rates = [
            count / (step.end - step.measured)
            for count, step in zip(self._counts[: self._done], self._steps, strict=False)
        ]
        return flat([step.users for step in self._steps], rates)


def flat(users: Sequence[int], rates: Sequence[float]) -> bool:
    """Tell whether the last steps brought nothing more, compared with the best of those before them."""
    if len(rates) < FEWEST:
        return False
    best = max(range(len(rates) - FLAT), key=lambda place: rates[place])
    return all(not grew(users, rates, best, place) for place in range(len(rates) - FLAT, len(rates)))


def grew(users: Sequence[int], rates: Sequence[float], best: int, place: int) -> bool:
    """Tell whether the step at `place` brought more than that at `best`, for so many more users."""
    if rates[best] <= 0 or rates[place] <= rates[best]:
        return rates[best] <= 0
    return log(rates[place] / rates[best]) > GROWING * log(users[place] / users[best])
