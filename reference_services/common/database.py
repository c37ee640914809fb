"""The one place that knows which database is underneath: engines, pragmas, and how a writing transaction begins."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, event, text
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as PoolTimeoutError,
)
from sqlalchemy.ext.compiler import compiles

from reference_services.common.errors import ConfigError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from flask import Flask
    from sqlalchemy import Connection, CursorResult, Engine, MetaData

BUSY_TIMEOUT_MS = 10_000
MYSQL_REFERENCE_ERRORS = frozenset({1216, 1217, 1451, 1452})


class Timestamp(DateTime):
    """A moment to the millisecond."""


@compiles(Timestamp, "mysql", "mariadb")
def _mysql_timestamp(_type: Timestamp, _compiler: object, **_options: object) -> str:
    return "DATETIME(3)"  # a plain DATETIME is cut to seconds there


class Database:
    """A service's own database.

    SQLite has one writer at a time. Threads of one process queue for it at a lock, because SQLite's own
    waiting is a sleep that grows, which is slow and unfair; other processes still wait by `busy_timeout`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writes = engine.execution_options(writes=True)
        self._gate: threading.Lock | None = None
        if engine.dialect.name == "sqlite":
            self._gate = threading.Lock()
            event.listen(engine, "connect", _tune_sqlite)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for statements that only read."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection within one transaction: committed at the end, rolled back on any exception."""
        if self._gate is None:
            with self._writes.begin() as connection:
                yield connection
        else:
            with self._gate, self._writes.begin() as connection:
                yield connection

    def ready(self) -> str | None:
        """Give None when the database answers, or the reason why it does not."""
        try:
            with self.reading() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError as error:
            return f"database: {error.orig}"
        return None


def open_database(app: Flask, url: str, metadata: MetaData, *, threads: int) -> Database:
    """Open the database through Flask-SQLAlchemy and create what is missing of its tables.

    Raises:
        ConfigError: it cannot be opened.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # One connection for each thread that may handle a request, and a few for background work.
    # A failing statement's values (a password's hash, an address) do not belong into the log.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": threads + 4,
        "max_overflow": 4,
        "hide_parameters": True,
    }
    flask_database = SQLAlchemy(metadata=metadata)
    try:
        flask_database.init_app(app)
        with app.app_context():
            database = Database(flask_database.engine)
        _create_tables(database, metadata)
    except Exception as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise ConfigError(f"DATABASE_URL: the database cannot be opened: {reason}") from error
    return database


def _create_tables(database: Database, metadata: MetaData) -> None:
    try:
        with database.writing() as connection:
            metadata.create_all(connection)
    except OperationalError:
        # Another process may have created them between our look and our statement; then this finds them all.
        with database.writing() as connection:
            metadata.create_all(connection)


def new_id(result: CursorResult[*tuple[Any, ...]]) -> int:
    """Give the id of the row that an INSERT made."""
    key = result.inserted_primary_key
    if key is None:
        raise AssertionError  # the statement was no INSERT of one row
    return int(key[0])


def is_database_away(error: BaseException) -> bool:
    """Tell a database that is away, stopped or overloaded (true) from a statement that it will never take (false)."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeoutError)


def is_reference_violation(error: IntegrityError) -> bool:
    """Tell a broken reference (true) from a value that is taken (false)."""
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return bool(name == "SQLITE_CONSTRAINT_FOREIGNKEY")
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return bool(arguments) and arguments[0] in MYSQL_REFERENCE_ERRORS


def _tune_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # In WAL mode NORMAL loses nothing when a process dies, however hard: what was committed is in the file that
    # the kernel holds. Only a power cut can take the last commits, and FULL would pay an fsync per booking for it.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later may fail with SQLITE_BUSY at the upgrade, at once and
    # whatever the time-out; one that says at its start that it writes waits for its turn instead.
    # A reader needs no BEGIN: each of its statements sees one consistent state.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
