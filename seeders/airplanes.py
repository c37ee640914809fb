"""Airplanes: a model's number names many airplanes, so that one is known by its model and its number of seats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """The planned airplanes' ids in the plan's order, and the seats of every airplane that the target has, by id."""

    ids: tuple[int | str, ...]
    seats: Mapping[int | str, int]


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
