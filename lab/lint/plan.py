"""What a scenario plans, in figures: iterations, requests, seats asked for and seats that exist. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.lint.routine import Routine
from lab.model.dataset import Dataset
from lab.model.scenario import Scenario
from lab.model.stage import user_seconds_by
from lab.model.words import counted

if TYPE_CHECKING:
    from lab.model.threshold import Selector

BOOKING: Final = "booking"
STEPS: Final = 40
_PER_REQUEST: Final = ("http_reqs", "http_req_duration", "http_req_failed")
_PER_ITERATION: Final = ("iterations", "iteration_duration")


@dataclass(frozen=True, slots=True)
class Supply:
    """The seats that may be sold: of all flights that are booked together, and of the smallest of them."""

    flights: int
    total: float
    fewest: int
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario, what its users do (None: not known), and the data, where it is known.

    All figures are of a platform that answers at once: a slow one sells fewer.
    """

    scenario: Scenario
    routine: Routine | None = None
    dataset: Dataset | None = None

    @property
    def does(self) -> Routine:
        """Give what the users do; an empty routine where that is not known."""
        return self.routine or Routine()

    @property
    def iterations(self) -> float:
        """Give how many iterations there will be at most."""
        return self.scenario.user_seconds / self.does.cycle

    @property
    def rate(self) -> float:
        """Give iterations a second at the peak."""
        return self.scenario.peak / self.does.cycle

    @property
    def seats(self) -> float:
        """Give how many seats will be asked for."""
        return self.iterations * self.does.seats

    @property
    def bookings(self) -> float:
        """Give how many bookings will be tried."""
        return self.iterations * self.does.requests.get(BOOKING, 0.0)

    @property
    def bookings_a_second(self) -> float:
        """Give bookings a second at the peak."""
        return self.rate * self.does.requests.get(BOOKING, 0.0)

    @property
    def at_once(self) -> float:
        """Give how many requests are under way at once at the peak."""
        return self.rate * self.does.busy

    @property
    def supply(self) -> Supply:
        """Give the seats that exist: of the dataset if there is one, else of the flights that the scenario asks for."""
        one = self.does.flights == "one"
        if self.dataset is not None:
            found = [flight.capacity for flight in self.dataset.flights[: 1 if one else None]]
            return Supply(len(found), sum(found), min(found, default=0), counted(len(found), "flight"))
        fewest, most = self.scenario.data.seats
        number = 1 if one else self.scenario.data.flights
        span = f"{fewest}" if fewest == most else f"{fewest}–{most}"
        return Supply(number, number * (fewest + most) / 2, fewest, f"{counted(number, 'flight')} of {span} seats")

    def sold_out_after(self) -> float:
        """Give the seconds until as many seats are asked for as there are; only asked when that is before the end."""
        scenario, wanted = self.scenario, self.supply.total / max(self.does.seats, 1e-9) * self.does.cycle
        low, high = 0.0, scenario.duration
        for _ in range(STEPS):
            middle = (low + high) / 2
            over = user_seconds_by(scenario.loads[0].stages, scenario.loads[0].start, middle) >= wanted
            low, high = (low, middle) if over else (middle, high)
        return high

    def per_iteration(self, selector: Selector) -> float | None:
        """Give how many samples of a metric an iteration leaves; None where only a run can tell."""
        tags = dict(selector.tags)
        if selector.metric in _PER_ITERATION:
            return 1.0
        if selector.metric == "notification_delay":
            return self.does.requests.get(BOOKING, 0.0)
        if selector.metric not in _PER_REQUEST or "name" in tags:
            return None
        operation = tags.get("operation")
        return sum(number for name, number in self.does.requests.items() if operation in {None, name})
