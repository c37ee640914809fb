"""Airports: told apart by their names, which end with the airport's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.platform import identity
from seeders.ensure import Kind, Work, ensure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seeders.plan import Blueprint, PlannedAirport


def seed_airports(work: Work, plan: Blueprint, cities: Sequence[int | str]) -> list[int | str]:
    """Make sure that the planned airports exist, and give their ids in the plan's order.

    Raises:
        CallError: the target refused, or went away.
    """
    kind: Kind[PlannedAirport] = Kind(
        name="airports",
        path="/airports",
        body=lambda airport: {
            "name": airport.name,
            "address": airport.address,
            "cityId": cities[airport.city],
        },
        item_key=lambda airport: airport.name,
        row_key=lambda row: row.get("name"),
    )
    rows, _ = ensure(work, kind, plan.airports)
    return [identity(row, "airport") for row in rows]
