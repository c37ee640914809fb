"""SQLite: one writer at a time, readers beside it."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from reference_services.common.dialect import Trouble

if TYPE_CHECKING:
    import sqlite3
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError, IntegrityError

    from reference_services.common.pooling import Pool

BUSY_TIMEOUT_MS = 10_000
LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
UNUSABLE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


class Sqlite:
    """A database in a file.

    Threads of one process queue for their turn at a lock, because SQLite's own waiting is a sleep that grows, which
    is slow and unfair; other processes still wait by `busy_timeout`.
    """

    retry_s = 0.0  # who comes back from `busy_timeout` has waited long enough

    def __init__(self, url: URL, pool: Pool) -> None:
        self.url = url
        # A file does not go away: there is nothing to try out.
        self.engine_options: dict[str, Any] = {**pool.options, "pool_pre_ping": False}
        self._gate = threading.Lock()

    def prepare(self, engine: Engine) -> None:
        """Set the pragmas of each connection and say how its transactions begin."""
        event.listen(engine, "connect", _tune)
        event.listen(engine, "begin", _begin)

    def errand(self, engine: Engine, patience_s: float) -> Engine:  # noqa: ARG002 - the strategies share one signature
        """Give the engine itself: a reader of a file waits for nobody."""
        return engine

    def turn(self) -> AbstractContextManager[object]:
        """Give the lock of this process's writers."""
        return self._gate

    def making_tables(self, _connection: Connection) -> AbstractContextManager[object]:
        """Do nothing: the transaction that makes them has all others wait."""
        return nullcontext()

    def trouble(self, error: DBAPIError) -> Trouble | None:
        """Tell a file that others kept locked, or that the system does not let us use."""
        name = str(getattr(error.orig, "sqlite_errorname", ""))
        if name.startswith(UNUSABLE):
            return Trouble.AWAY
        return Trouble.CONFLICT if name.startswith(LOCKED) else None

    def is_reference_violation(self, error: IntegrityError) -> bool:
        """Ask SQLite's name of the error."""
        return getattr(error.orig, "sqlite_errorname", None) == "SQLITE_CONSTRAINT_FOREIGNKEY"


def _tune(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # In WAL mode NORMAL loses nothing when a process dies, however hard: what was committed is in the file that
    # the kernel holds. Only a power cut can take the last commits, and FULL would pay an fsync per booking for it.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later may fail with SQLITE_BUSY at the upgrade, at once and
    # whatever the time-out; one that says at its start that it writes waits for its turn instead.
    # A reader needs no BEGIN: each of its statements sees one consistent state.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
