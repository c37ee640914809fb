"""Airplanes: a model's number names many airplanes, so that one is known by its model and its number of seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.errors import SeedError
from lab.platform import identity
from seeders.ensure import Kind, Work, ensure

if TYPE_CHECKING:
    from seeders.ensure import Row
    from seeders.plan import Blueprint, PlannedAirplane

AIRPLANES: Kind[PlannedAirplane] = Kind(
    name="airplanes",
    path="/airplane",
    body=lambda airplane: {"modelNumber": airplane.model, "capacity": airplane.capacity},
    item_key=lambda airplane: (airplane.model, airplane.capacity),
    row_key=lambda row: (row.get("modelNumber"), row.get("capacity")),
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The planned airplanes' ids in the plan's order, and the seats of those that the target had, by id."""

    ids: tuple[int | str, ...]
    seats: Mapping[int | str, int]

    def seats_of(self, work: Work, airplane: int | str) -> int:
        """Give an airplane's seats, asking the target for one that somebody else has made meanwhile.

        Raises:
            CallError: the target does not know it, or went away.
        """
        if airplane in self.seats:
            return self.seats[airplane]
        row = work.client.get("flights", f"{AIRPLANES.path}/{quote(str(airplane), safe='')}").data
        if not isinstance(row, dict):
            raise SeedError(f"airplane {airplane}: the answer's data is no object")
        return _seats(row)


def seed_airplanes(work: Work, plan: Blueprint) -> Fleet:
    """Make sure that the planned airplanes exist.

    Raises:
        CallError: the target refused, or went away.
    """
    rows, everything = ensure(work, AIRPLANES, plan.airplanes)
    return Fleet(
        tuple(identity(row, "airplane") for row in rows),
        {identity(row, "airplane"): _seats(row) for row in everything},
    )


def _seats(row: Row) -> int:
    seats = row.get("capacity")
    if isinstance(seats, bool) or not isinstance(seats, int):
        raise SeedError(f"airplane {row.get('id')}: its capacity is {seats!r}, and no whole number")
    return seats
