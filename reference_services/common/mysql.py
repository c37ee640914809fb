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
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from reference_services.common.dialect import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, Engine, ExceptionContext
    from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler
    from sqlalchemy.exc import DBAPIError, IntegrityError

    from reference_services.common.pooling import Pool

DRIVER = "mysql+pymysql"
SHARE_OF_PATIENCE = 0.7  # the answer must still get back in time
LEAST_WAIT_S = 2.0  # locks are waited for in whole seconds, and that must end before the server counts as silent
RENEW_AFTER_S = 600
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LOCK_TABLES = text("SELECT GET_LOCK(CONCAT('airbourne ', MD5(DATABASE())), 20)")
UNLOCK_TABLES = text("SELECT RELEASE_LOCK(CONCAT('airbourne ', MD5(DATABASE())))")

# Texts are equal when their characters are, as on SQLite: capitals, accents and spaces at the end count. E-mail
# addresses are the same in any case because they are stored in lower case, and not by a collation.
MARIADB_COLLATION = "utf8mb4_nopad_bin"
MYSQL_COLLATION = "utf8mb4_0900_bin"

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
        pool: the connections that are kept.
        patience_s: how long callers wait for an answer, in seconds.
    """

    def __init__(self, url: URL, pool: Pool, *, patience_s: float) -> None:
        self.url = url.set(drivername=DRIVER)
        wait_s = max(LEAST_WAIT_S, SHARE_OF_PATIENCE * patience_s)
        lock_wait_s = max(1, int(wait_s / 3))
        self.retry_s = wait_s - lock_wait_s
        self.engine_options: dict[str, Any] = {
            **pool.options,
            "pool_timeout": lock_wait_s,
            "pool_recycle": RENEW_AFTER_S,
            "pool_use_lifo": True,  # few connections stay warm when few are needed
            "isolation_level": "READ COMMITTED",
            "connect_args": _connect_args(self.url, wait_s, lock_wait_s),
        }

    def prepare(self, engine: Engine) -> None:
        """Let connections be thrown away after every error that ends them."""
        event.listen(engine, "handle_error", _note_lost)

    def errand(self, engine: Engine, patience_s: float) -> Engine:
        """Give an engine that connects for each question."""
        return create_engine(
            engine.url, poolclass=NullPool, hide_parameters=True, connect_args=_connect_args(engine.url, patience_s, 1)
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


@compiles(CreateTable, "mysql", "mariadb")
def _create_table(element: CreateTable, compiler: MySQLDDLCompiler, **options: object) -> str:
    collation = MARIADB_COLLATION if compiler.dialect.is_mariadb else MYSQL_COLLATION
    statement = str(compiler.visit_create_table(element, **options)).rstrip()  # type: ignore[no-untyped-call]
    return f"{statement} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}"


def _connect_args(url: URL, wait_s: float, lock_wait_s: int) -> dict[str, Any]:
    encrypted = url.host not in LOOPBACK or any(name.startswith("ssl") for name in url.query)
    return {
        # To try for TLS, PyMySQL reads all certificates of the system for each connection: 23 ms of CPU, of which a
        # service that starts under load needs one for each thread. Nobody listens on loopback; a URL that says
        # `ssl_…` is believed all the same.
        "ssl_disabled": not encrypted,
        "charset": "utf8mb4",
        "connect_timeout": wait_s,
        "read_timeout": wait_s,
        "write_timeout": wait_s,
        # What does not fit is an error on every server, as it is on a strict one, and never cut.
        "sql_mode": "TRADITIONAL",
        "init_command": f"SET SESSION innodb_lock_wait_timeout = {lock_wait_s}, time_zone = '+00:00'",
    }


def _number(error: BaseException | None) -> int | None:
    arguments: tuple[Any, ...] = getattr(error, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _note_lost(context: ExceptionContext) -> None:
    error = context.original_exception
    if context.is_pre_ping and isinstance(error.__context__, TimeoutError):
        # A pooled connection that the server closed is replaced; of one at which it says nothing for so long, the
        # replacement would only be another wait.
        context.is_disconnect = False
    elif _number(error) in LOST:
        context.is_disconnect = True
