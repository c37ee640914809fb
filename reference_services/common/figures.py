"""What every service tells at `/figures`: requests at work, its pool, and how its database server is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.common.database import DATABASE
from reference_services.common.health import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from reference_services.common.database import Database
    from reference_services.common.timing import Timed


def figures_of(app: Flask) -> Mapping[str, Figure]:
    """Give the figures of an app, whose database is open already where it has one."""
    timed: Timed = app.extensions["timed"]
    database: Database | None = app.extensions.get(DATABASE)
    found = {"threadsBusy": Figure(timed.busy)}
    if database is not None:
        found |= {"poolInUse": Figure(database.in_use), "poolWaiting": Figure(database.waiting)}
    return found
