"""Cities: told apart by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.platform import identity
from seeders.ensure import Kind, Work, ensure

if TYPE_CHECKING:
    from seeders.plan import Blueprint

CITIES: Kind[str] = Kind(
    name="cities",
    path="/city",
    body=lambda name: {"name": name},
    item_key=lambda name: name,
    row_key=lambda row: row.get("name"),
)


def seed_cities(work: Work, plan: Blueprint) -> list[int | str]:
    """Make sure that the planned cities exist, and give their ids in the plan's order.

    Raises:
        CallError: the target refused, or went away.
    """
    rows, _ = ensure(work, CITIES, plan.cities)
    return [identity(row, "city") for row in rows]
