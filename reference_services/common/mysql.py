"""MariaDB and MySQL by PyMySQL: every wait has an end, and what passes is told from what does not.

Transactions are READ COMMITTED, all of them. A check that a write depends on stands in the write's own condition or
behind a row that is locked first (`with_for_update`), and a list is one statement, so nothing needs a second look to
give what the first gave. REPEATABLE READ would add locks on the gaps between rows, at which bookings of one flight
wait for each other, and end each other in deadlocks.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import NullPool

from reference_services.common.dialect import SPARE_CONNECTIONS, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, Engine, ExceptionContext
    from sqlalchemy.exc import DBAPIError, IntegrityError

DRIVER = "mysql+pymysql"
# Of what a caller's patience is, one wait for the server: the check of a pooled connection and a new one in its
# place are two, and an answer must still get back in time.
SHARE_OF_PATIENCE = 0.4
LEAST_WAIT_S = 1.5  # locks are waited for in whole seconds, and must end before the server counts as silent
RENEW_AFTER_S = 600
LOCK_TABLES = text("SELECT GET_LOCK(CONCAT('airbourne ', MD5(DATABASE())), 20)")
UNLOCK_TABLES = text("SELECT RELEASE_LOCK(CONCAT('airbourne ', MD5(DATABASE())))")

REFERENCE = frozenset({1216, 1217, 1451, 1452})
CONFLICTS = frozenset({1020, 1205, 1213})  # row changed since it was read; lock wait; deadlock
# The connection is of no more use: shutdown, gone, lost, killed, broken in the middle, idle for too long.
LOST = frozenset({1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927, 2006, 2013, 2014, 2055, 3169, 4031})
# None is to be had: no answer, unknown host, too many of them, and a server that only reads, or whose disk is full.
REFUSED = frozenset({1021, 1040, 1114, 1129, 1203, 1226, 1290, 1792, 1836, 2002, 2003, 2005})


class MySql:
    """A MariaDB or MySQL server.

    Args:
        url: where it is; any `mysql` or `mariadb` URL is reached by PyMySQL.
        threads: requests that are handled at once.
        patience_s: how long callers wait for an answer, in seconds.
    """

    def __init__(self, url: URL, *, threads: int, patience_s: float) -> None:
        self.url = url.set(drivername=DRIVER)
        wait_s = max(LEAST_WAIT_S, SHARE_OF_PATIENCE * patience_s)
        self.retry_s = wait_s
        self.engine_options: dict[str, Any] = {
            "pool_size": threads,
            "max_overflow": SPARE_CONNECTIONS,
            "pool_timeout": wait_s,
            "pool_pre_ping": True,
            "pool_recycle": RENEW_AFTER_S,
            "pool_use_lifo": True,  # few connections stay warm when few are needed
            "isolation_level": "READ COMMITTED",
            "connect_args": _connect_args(wait_s),
        }

    def prepare(self, engine: Engine) -> None:
        """Let connections be thrown away after every error that ends them."""
        event.listen(engine, "handle_error", _note_lost)

    def errand(self, engine: Engine, patience_s: float) -> Engine:
        """Give an engine that connects for each question."""
        return create_engine(
            engine.url, poolclass=NullPool, hide_parameters=True, connect_args=_connect_args(patience_s)
        )

    def turn(self) -> AbstractContextManager[object]:
        """Wait for nobody: rows are locked, not the database."""
        return nullcontext()

    @contextmanager
    def making_tables(self, connection: Connection) -> Iterator[None]:
        """Hold a lock that the server knows by the database's name, since it commits at every CREATE TABLE."""
        connection.execute(LOCK_TABLES)
        try:
            yield
        finally:
            connection.execute(UNLOCK_TABLES)

    def trouble(self, error: DBAPIError) -> Trouble | None:
        """Tell by the server's number."""
        number = _number(error.orig)
        if number in CONFLICTS:
            return Trouble.CONFLICT
        gone = error.connection_invalidated or number in LOST or number in REFUSED
        return Trouble.AWAY if gone else None

    def is_reference_violation(self, error: IntegrityError) -> bool:
        """Tell by the server's number."""
        return _number(error.orig) in REFERENCE


def _connect_args(wait_s: float) -> dict[str, Any]:
    return {
        "charset": "utf8mb4",
        "connect_timeout": wait_s,
        "read_timeout": wait_s,
        "write_timeout": wait_s,
        # What does not fit is an error on every server, as it is on a strict one, and never cut.
        "sql_mode": "TRADITIONAL",
        "init_command": f"SET SESSION innodb_lock_wait_timeout = {max(1, int(wait_s / 2))}, time_zone = '+00:00'",
    }


def _number(error: BaseException | None) -> int | None:
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _note_lost(context: ExceptionContext) -> None:
    if _number(context.original_exception) in LOST:
        context.is_disconnect = True
