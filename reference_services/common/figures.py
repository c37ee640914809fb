"""What every service tells at `/figures`: requests at work, its pool, and how its database server is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from reference_services.common.background import Task
from reference_services.common.database import DATABASE
from reference_services.common.health import Figure
from reference_services.common.serverstatus import ServerStatus, number_of
from reference_services.common.workers import NUMBERS, Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from reference_services.common.database import Database
    from reference_services.common.timing import Timed

Ask = Callable[[], int | None]
SERVERS: Final = frozenset({"mysql", "mariadb"})
PATIENCE_S: Final = 0.5
TELL_EVERY_S: Final = 0.25


def figures_of(app: Flask, workers: Workers) -> tuple[Mapping[str, Figure], list[Task]]:
    """Give the figures of an app, and the work that they take.

    Args:
        app: has its database open already, where it has one.
        workers: the processes that serve it; whichever is asked tells of all.
    """
    own = _of_this_process(app)
    asked, tasks = _of_all(own, workers)
    found = {name: Figure(ask) for name, ask in asked.items()}
    database: Database | None = app.extensions.get(DATABASE)
    if database is not None and database.engine.dialect.name in SERVERS:
        server = number_of(database.engine.url)
        found["dbServer"] = Figure(lambda: server)
    return found, tasks


def _of_this_process(app: Flask) -> Mapping[str, Ask]:
    timed: Timed = app.extensions["timed"]
    database: Database | None = app.extensions.get(DATABASE)
    found: dict[str, Ask] = {"threadsBusy": timed.busy}
    return found if database is None else found | {"poolInUse": database.in_use, "poolWaiting": database.waiting}


def _of_all(own: Mapping[str, Ask], workers: Workers) -> tuple[Mapping[str, Ask], list[Task]]:
    """Add what the other processes have told of themselves lately to what this one knows."""
    board = workers.board
    if board is None:
        return own, []
    places: list[int] = []  # known only once the process is forked

    def place() -> int:
        if not places:
            places.append(workers.place())
        return places[0]

    def tell() -> bool:
        numbers = [ask() or 0 for ask in own.values()]
        board.tell(place(), [*numbers, *[0] * (NUMBERS - len(numbers))])
        return False

    def added(column: int, ask: Ask) -> Ask:
        return lambda: None if (mine := ask()) is None else mine + board.of_others(place())[column]

    together = {name: added(column, ask) for column, (name, ask) in enumerate(own.items())}
    return together, [Task("board", tell, every_s=TELL_EVERY_S, everywhere=True)]


def server_of(app: Flask) -> Callable[[], Mapping[str, int]]:
    """Give what asks the server of an app's database how it is; nothing is known of a file."""
    database: Database | None = app.extensions.get(DATABASE)
    if database is None or database.engine.dialect.name not in SERVERS:
        return dict
    return ServerStatus(database.errand(PATIENCE_S)).ask
