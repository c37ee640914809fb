"""What the gates look at, and how they answer: always with a sentence that carries the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.model.histogram import Histogram
from lab.model.run import Totals
from lab.model.sample import FAIL, OK, SERVICE, Tally
from lab.model.scenario import Scenario
from lab.model.threshold import Selector
from lab.model.verdict import Finding, Validity

if TYPE_CHECKING:
    from lab.model.load import Load
    from lab.model.sample import Tick

US: Final = 1_000_000
REQUESTS: Final = Selector("http_req_duration")


@dataclass(frozen=True, slots=True)
class Observed:
    """A run that came to its end.

    Attributes:
        scenario: what was to be run.
        tally: the sum of the whole run.
        totals: what it counts.
        cpu: each load process's CPU by second.
        attempts: how many bookings were tried on each flight.
        sold_out: how many flights have no seat left.
        crash: how the load process died, when it did.
        judged: the sum of what came after the warm-up; None where there was none.
        arrivals: the sum of what came before it broke; None where no threshold ended it.
    """

    scenario: Scenario
    tally: Tally
    totals: Totals
    cpu: Mapping[str, Sequence[float]]
    attempts: Mapping[str, int]
    sold_out: int
    crash: str = ""
    judged: Tally | None = None
    arrivals: Tally | None = None

    @property
    def steady(self) -> Tally:
        """Give the sum of what is judged."""
        return self.tally if self.judged is None else self.judged


def finding(gate: str, sentence: str, level: Validity = Validity.VALID) -> Finding:
    """Answer for a gate."""
    return Finding(gate, level, sentence)


def iterations(tally: Tally, load: Load | None = None) -> Histogram:
    """Give how long the iterations took, of one load or of all, whether they came to a good end or not."""
    tags = (("scenario", load.name),) if load and load.name else ()
    return Histogram.merged(tally.histogram(Selector("iteration_duration", tags), outcome) for outcome in (OK, FAIL))


def spent(histogram: Histogram) -> float:
    """Give the sum of a histogram's values in seconds."""
    return histogram.count * histogram.mean / US


def operation(tally: Tally, *names: str) -> Histogram:
    """Give the service times of the successful requests of some operations."""
    return Histogram.merged(tally.histogram(Selector(REQUESTS.metric, (("operation", name),)), OK) for name in names)


def answered(tick: Tick) -> int:
    """Count the successful requests of a second, or of a part of one."""
    return sum(
        sum(bins.values())
        for key, bins in tick.trends.items()
        if (key.metric, key.outcome, key.clock) == (REQUESTS.metric, OK, SERVICE)
    )
