"""What every service tells at `/figures`: requests at work, its pool, and how its database server is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reference_services.common.database import DATABASE
from reference_services.common.health import Figure
from reference_services.common.serverstatus import ServerStatus, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

    from reference_services.common.database import Database
    from reference_services.common.timing import Timed

SERVERS: Final = frozenset({"mysql", "mariadb"})
PATIENCE_S: Final = 0.5


def figures_of(app: Flask) -> Mapping[str, Figure]:
    """Give the figures of an app, whose database is open already where it has one."""
    timed: Timed = app.extensions["timed"]
    database: Database | None = app.extensions.get(DATABASE)
    found = {"threadsBusy": Figure(timed.busy)}
    if database is not None:
        found |= {"poolInUse": Figure(database.in_use), "poolWaiting": Figure(database.waiting)}
        if database.engine.dialect.name in SERVERS:
            server = number_of(database.engine.url)
            found["dbServer"] = Figure(lambda: server)
    return found


def server_of(app: Flask) -> Callable[[], Mapping[str, int]]:
    """Give what asks the server of an app's database how it is; nothing is known of a file."""
    database: Database | None = app.extensions.get(DATABASE)
    if database is None or database.engine.dialect.name not in SERVERS:
        return dict
    return ServerStatus(database.errand(PATIENCE_S)).ask
