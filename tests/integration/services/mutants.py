"""Real services with one fault put in: `python -m tests.integration.services.mutants FAULT SERVICE`."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, bindparam, event, update

from reference_services.booking import routes
from reference_services.flights import seats
from reference_services.flights.tables import flights
from reference_services.serve import main

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping


def forgets_keys() -> None:
    """Let booking take no notice of an `Idempotency-Key`: the second request with one books again."""
    routes._idempotency_key = lambda: None  # noqa: SLF001 - a mutant is made of what nobody else may touch


def oversells() -> None:
    """Let flights count seats down whether there are any, also in its database, whose last line of defence is gone."""
    seats.TAKE = (
        update(flights)
        .where(flights.c.id == bindparam("flight"))
        .values(totalSeats=flights.c.totalSeats - bindparam("seats"), updatedAt=bindparam("moment"))
    )

    def undefended(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA ignore_check_constraints = ON")

    event.listen(Engine, "connect", undefended)


FAULTS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {fault.__name__: fault for fault in (forgets_keys, oversells)}
)

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
