"""How lists are found: by reading a table from its start, or by indexes, with pages found by their keys alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, inspect, select, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reference_services.common.fields import Page
    from reference_services.common.profile import Profile

Paging = Callable[[Select[Any], ColumnElement[int], Sequence[ColumnElement[bool]], "Page"], Select[Any]]
"""Gives the statement of a page from all that could be shown, the key that orders it, conditions, and the page."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Columns that a service searches by, so that an index of them would help.

    Attributes:
        name: of the index.
        table: whose columns they are.
        columns: which, in order.
    """

    name: str
    table: str
    columns: tuple[str, ...]


def make_indexes(connection: Connection, wanted: Sequence[Searched]) -> None:
    """Make the indexes that are missing; nobody else must make tables or indexes meanwhile."""
    quote = connection.dialect.identifier_preparer.quote
    for one in wanted:
        if one.name not in {found["name"] for found in inspect(connection).get_indexes(one.table)}:
            columns = ", ".join(map(quote, one.columns))
            connection.execute(text(f"CREATE INDEX {quote(one.name)} ON {quote(one.table)} ({columns})"))


def by_scan(
    shown: Select[Any], key: ColumnElement[int], conditions: Sequence[ColumnElement[bool]], page: Page
) -> Select[Any]:
    """Read all rows up to the page's last one."""
    return shown.where(*conditions).order_by(key).limit(page.limit).offset(page.offset)


def by_key(
    shown: Select[Any], key: ColumnElement[int], conditions: Sequence[ColumnElement[bool]], page: Page
) -> Select[Any]:
    """Find the page's keys first, which an index gives without a look at the rows, then read those rows alone."""
    if not page.offset:
        return by_scan(shown, key, conditions, page)
    keys = by_scan(select(key.label("wanted")), key, conditions, page).subquery()
    return shown.join(keys, keys.c.wanted == key).order_by(key)


def paging_of(profile: Profile) -> Paging:
    """Choose the profile's way of finding a page."""
    return by_key if profile.search == "index" else by_scan


def indexes_of(profile: Profile, searched: Sequence[Searched]) -> Sequence[Searched]:
    """Choose the profile's indexes beyond the keys."""
    return searched if profile.search == "index" else ()
