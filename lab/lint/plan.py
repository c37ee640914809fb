"""What a scenario plans, in figures: iterations, requests, seats asked for and seats that exist. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lab.lint.part import BOOKING, PER_REQUEST, Part
from lab.model.dataset import Dataset
from lab.model.scenario import Scenario
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.lint.routine import Routine
    from lab.model.threshold import Selector

STEPS: Final = 40
JUST: Final = 1e-6
"""Seconds before a moment, to see what was there until it came."""


@dataclass(frozen=True, slots=True)
class Supply:
    """The seats that may be sold: of all flights that are booked together, and of the smallest of them."""

    flights: int
    total: float
    fewest: int
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario, its loads with what their users do, and the data, where it is known.

    All figures are of a platform that answers at once: a slow one sells fewer.
    """

    scenario: Scenario
    parts: tuple[Part, ...]
    dataset: Dataset | None = None

    @classmethod
    def of(cls, scenario: Scenario, routines: Mapping[str, Routine | None], dataset: Dataset | None = None) -> Plan:
        """Put a scenario's loads together with the routines of their user classes; None: not known."""
        return cls(scenario, tuple(Part(load, routines.get(load.user_class)) for load in scenario.loads), dataset)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Name the user classes of which it is not known what they do."""
        return tuple(dict.fromkeys(part.load.user_class for part in self.parts if part.routine is None))

    def booking(self, flights: str) -> Plan:
        """Give the plan of those loads alone whose users book `all` flights, or `one`."""
        return replace(self, parts=tuple(part for part in self.parts if part.does.flights == flights))

    def total(self, of: Callable[[Part], float]) -> float:
        """Sum a figure of an iteration over all iterations."""
        return self.by(self.scenario.duration, of)

    def by(self, elapsed: float, of: Callable[[Part], float]) -> float:
        """Sum it over those that begin until so many seconds of the run are over."""
        return sum(part.iterations_by(elapsed) * of(part) for part in self.parts) * self.let_through

    def at(self, moment: float, of: Callable[[Part], float]) -> float:
        """Give so much of it a second at a moment of the run, were there no `rps`."""
        return sum(part.rate_at(moment) * of(part) for part in self.parts)

    def busiest(self, of: Callable[[Part], float]) -> float:
        """Give the moment at which there is most of it a second: between two corners all loads are straight lines."""
        corners = {0.0}
        for part in self.parts:
            clock = part.load.start_time
            for stage in part.load.stages:
                corners |= {clock, clock + stage.duration, clock + stage.duration - JUST}
                clock += stage.duration
        return max(sorted(corners), key=lambda moment: round(self.at(moment, of), 3))

    def highest(self, of: Callable[[Part], float]) -> float:
        """Give the most of it a second, with `rps`."""
        most = self.at(self.busiest(of), of)
        asked = self.requests_a_second
        return most * min(self.scenario.rps / asked, 1.0) if self.scenario.rps and asked else most

    @property
    def requests_a_second(self) -> float:
        """Give the most requests a second that the loads ask for, were there no `rps`."""
        return self.at(self.busiest(requests), requests)

    @property
    def let_through(self) -> float:
        """Give the share of its requests that `rps` lets through until the end; 1 without a limit."""
        if not self.scenario.rps:
            return 1.0
        asked = sum(part.iterations * requests(part) for part in self.parts)
        return min(self.scenario.rps * self.scenario.duration / asked, 1.0) if asked else 1.0

    @property
    def iterations(self) -> float:
        """Give how many iterations there will be at most."""
        return self.total(lambda _: 1.0)

    @property
    def seats(self) -> float:
        """Give how many seats will be asked for."""
        return self.total(seats)

    @property
    def bookings(self) -> float:
        """Give how many bookings will be tried."""
        return self.total(bookings)

    @property
    def at_once(self) -> float:
        """Give how many requests are under way at once at the peak (Little's law)."""
        return self.highest(busy)

    @property
    def earliest_end(self) -> float:
        """Give the second before which the run cannot be over; loads that count iterations may end early."""
        return max(part.earliest_end for part in self.parts)

    @property
    def supply(self) -> Supply:
        """Give the seats of the dataset's flights, or of its first one, else of those that the scenario asks for."""
        one = all(part.does.flights == "one" for part in self.parts)
        if self.dataset is not None:
            found = [flight.capacity for flight in self.dataset.flights[: 1 if one else None]]
            return Supply(len(found), sum(found), min(found, default=0), counted(len(found), "flight"))
        fewest, most = self.scenario.data.seats
        number = 1 if one else self.scenario.data.flights
        span = f"{fewest}" if fewest == most else f"{fewest}–{most}"
        return Supply(number, number * (fewest + most) / 2, fewest, f"{counted(number, 'flight')} of {span} seats")

    def sold_out_after(self) -> float:
        """Give the seconds until as many seats are asked for as there are; only asked when that is before the end."""
        low, high = 0.0, self.scenario.duration
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.by(middle, seats) >= self.supply.total else (middle, high)
        return high

    def samples(self, selector: Selector, since: float = 0.0) -> float | None:
        """Give how many samples of a metric there will be at most; None where only a run can tell.

        Args:
            selector: the metric and its tags.
            since: what comes in the seconds before does not count.
        """
        found = 0.0
        for part in self.parts:
            each = part.per_iteration(selector)
            if each is None:
                return None
            found += (part.iterations - part.iterations_by(since)) * each
        return found * self.let_through

    def most_samples(self, selector: Selector) -> float | None:
        """Give how many there would be if requests took no time at all; None where only a run can tell."""
        found = 0.0
        for part in self.parts:
            each = part.per_iteration(selector)
            if each is None:
                return None
            found += part.most_iterations() * each if each else 0.0
        limit = self.scenario.rps * self.scenario.duration
        return min(found, limit) if limit and selector.metric in PER_REQUEST else found


def seats(part: Part) -> float:
    """Give the seats that an iteration asks for."""
    return part.does.seats


def bookings(part: Part) -> float:
    """Give the bookings of an iteration."""
    return part.does.requests.get(BOOKING, 0.0)


def requests(part: Part) -> float:
    """Give the requests of an iteration."""
    return sum(part.does.requests.values())


def busy(part: Part) -> float:
    """Give the seconds that an iteration's requests take."""
    return part.does.busy
