"""A service's own database: transactions as functions, run again where that is safe, and its start.

A transaction is a function of a connection, so that it can be run again as a whole. That is done, with a bound,
- after a deadlock or a lock that was not to be had: the server rolls the transaction back, as if it never was;
- once after a connection that broke before the commit was sent: no server commits what it was not told to commit.
It is not done when the connection breaks at the commit: nobody knows whether that arrived. Then the caller is told so.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from itertools import count
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from reference_services.common import timing
from reference_services.common.dialect import Dialect, Trouble
from reference_services.common.errors import (
    ConfigError,
    DatabaseAwayError,
    DatabaseBusyError,
    DatabaseDoubtError,
    DatabaseError,
)
from reference_services.common.mysql import MySql
from reference_services.common.pooling import Pool, pool_of
from reference_services.common.searching import Searched, indexes_of, make_indexes
from reference_services.common.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Flask
    from sqlalchemy import Connection, CursorResult, Engine, MetaData

    from reference_services.common.environment import Common

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_TRIES: Final = {Trouble.AWAY: 2, Trouble.CONFLICT: 6}
FIRST_PAUSE_S = 0.005
HEALTH_WAIT_S = 0.8  # the gateway waits a second for a service's health
MAKING_WAIT_S = 30.0
DATABASE: Final = "reference_services.database"
"""Where a service's app keeps its database."""
START_PATIENCE_S = 60.0
START_PAUSE_S = 0.5


class Database:
    """A service's own database.

    Args:
        engine: how it is reached.
        dialect: what kind it is.
        owner: whose it is, for sentences.
    """

    def __init__(self, engine: Engine, dialect: Dialect, owner: str = "this service") -> None:
        dialect.prepare(engine)
        self.engine = engine
        self._dialect = dialect
        self._owner = owner
        self._writes = engine.execution_options(writes=True)
        self._asking = dialect.errand(engine, HEALTH_WAIT_S)
        self._clock = threading.Event()
        self._waiting: list[None] = []  # append and pop are atomic, as adding to a number is not

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function that only reads.

        Args:
            work: gets a connection, and gives rows that are fetched; may be called more than once.

        Raises:
            DatabaseError: the database did not answer.
        """
        return self._tried(lambda: self._look(work))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a function in one transaction: committed at its end, rolled back on any exception.

        Args:
            work: gets a connection; may be called more than once, so it changes nothing but the database.

        Raises:
            DatabaseError: the database did not do it, or it is not known whether it did.
        """
        return self._tried(lambda: self._change(work))

    def ready(self) -> str | None:
        """Give None when the database answers within a moment, or the reason why it does not."""
        try:
            with self._asking.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            return f"database: {error.orig}"
        except PoolTimeoutError:
            return "database: no connection is free"
        return None

    def in_use(self) -> int | None:
        """Count the pool's connections that are at work; None where there is no pool."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else None

    def waiting(self) -> int:
        """Count those who are getting a connection: they wait for a free one, or it is being opened or looked at."""
        return len(self._waiting)

    def errand(self, patience_s: float) -> Engine:
        """Give an engine for questions that wait this long and no longer."""
        return self._dialect.errand(self.engine, patience_s)

    def make_tables(self, metadata: MetaData, indexes: Sequence[Searched] = ()) -> None:
        """Make the tables and indexes that are missing; other processes may do the same at the same time."""
        engine = self._dialect.errand(self.engine, MAKING_WAIT_S).execution_options(writes=True)
        with self._dialect.turn(), engine.begin() as connection, self._dialect.making_tables(connection):
            metadata.create_all(connection)
            make_indexes(connection, indexes)

    def is_reference_violation(self, error: IntegrityError) -> bool:
        """Tell a broken reference (true) from a value that is taken (false)."""
        return self._dialect.is_reference_violation(error)

    def _look(self, work: Callable[[Connection], T]) -> T:
        with self._connected(self.engine) as connection:
            return work(connection)

    def _change(self, work: Callable[[Connection], T]) -> T:
        with self._dialect.turn(), self._connected(self._writes) as connection:
            result = work(connection)
            try:
                connection.commit()
            except DBAPIError as error:
                if self._dialect.trouble(error) is not Trouble.AWAY:
                    raise
                log.warning("the database broke off at a commit: %s", error.orig)
                sentence = f"The database of {self._owner} broke off; whether this was done is not known."
                raise DatabaseDoubtError(sentence) from error
        return result

    def _connected(self, engine: Engine) -> Connection:
        begin = monotonic_ns()
        self._waiting.append(None)
        try:
            return engine.connect()
        finally:
            self._waiting.pop()
            timing.spent(timing.POOL, begin, within=timing.DATABASE)

    def _tried(self, once: Callable[[], T]) -> T:
        begin = monotonic_ns()
        try:
            return self._tried_again(once)
        finally:
            timing.spent(timing.DATABASE, begin)

    def _tried_again(self, once: Callable[[], T]) -> T:
        until = time.monotonic() + self._dialect.retry_s
        for tries in count(1):
            try:
                return once()
            except PoolTimeoutError as error:
                raise DatabaseBusyError(f"No connection to the database of {self._owner} is free.") from error
            except DBAPIError as error:
                trouble = self._dialect.trouble(error)
                if trouble is None:
                    raise
                if tries == MOST_TRIES[trouble] or time.monotonic() >= until:
                    log.warning("the database did not do it in %d tries: %s", tries, error.orig)
                    raise self._failure(trouble) from error
            # Those who met in a deadlock must not meet again.
            self._clock.wait(FIRST_PAUSE_S * 2**tries * random.uniform(0.5, 1))  # noqa: S311 - no secret
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _failure(self, trouble: Trouble) -> DatabaseError:
        if trouble is Trouble.AWAY:
            return DatabaseAwayError(f"The database of {self._owner} does not answer; try again in a moment.")
        return DatabaseBusyError(f"The database of {self._owner} is busy with the same rows; try again in a moment.")


def open_database(
    app: Flask, url: str, metadata: MetaData, common: Common, searched: Sequence[Searched] = ()
) -> Database:
    """Open the database through Flask-SQLAlchemy and make what is missing of its tables.

    Args:
        app: the service.
        url: an SQLAlchemy URL.
        metadata: its tables.
        common: how many threads use it, how long callers wait for an answer, and the profile.
        searched: what is searched for, which some profiles have indexes for.

    Raises:
        ConfigError: it cannot be opened.
    """
    try:
        dialect = dialect_of(url, pool_of(common.profile, common.threads), patience_s=common.upstream_timeout_s)
        app.config["SQLALCHEMY_DATABASE_URI"] = dialect.url
        # A failing statement's values (a password's hash, an address) do not belong into the log.
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {**dialect.engine_options, "hide_parameters": True}
        flask_database = SQLAlchemy(metadata=metadata)
        flask_database.init_app(app)
        with app.app_context():
            database = Database(flask_database.engine, dialect, common.service)
        app.extensions[DATABASE] = database
        _wait_for(database, dialect, metadata, indexes_of(common.profile, searched))
    except ConfigError:
        raise
    except Exception as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise ConfigError(f"DATABASE_URL: the database cannot be opened: {reason}") from error
    return database


def dialect_of(url: str, pool: Pool, *, patience_s: float) -> Dialect:
    """Choose how to deal with the database of a URL.

    Raises:
        ConfigError: it is of a kind that the services do not know.
    """
    parts = make_url(url)
    backend = parts.get_backend_name()
    if backend == "sqlite":
        return Sqlite(parts, pool)
    if backend in {"mysql", "mariadb"}:
        return MySql(parts, pool, patience_s=patience_s)
    raise ConfigError(f'DATABASE_URL: "{backend}" is no database that is known; use sqlite or mysql+pymysql')


def _wait_for(database: Database, dialect: Dialect, metadata: MetaData, indexes: Sequence[Searched]) -> None:
    """Make the tables as soon as the database is there: services may be started before it."""
    clock, until = threading.Event(), time.monotonic() + START_PATIENCE_S
    while True:
        try:
            database.make_tables(metadata, indexes)
        except DBAPIError as error:
            if dialect.trouble(error) is None or time.monotonic() >= until:
                raise
            log.warning("waiting for the database: %s", error.orig)
            clock.wait(START_PAUSE_S)
        else:
            return


def new_id(result: CursorResult[*tuple[Any, ...]]) -> int:
    """Give the id of the row that an INSERT made."""
    key = result.inserted_primary_key
    if key is None:
        raise AssertionError  # the statement was no INSERT of one row
    return int(key[0])


def is_database_away(error: BaseException) -> bool:
    """Tell a database that may take it later (true) from a statement that it will never take (false)."""
    return isinstance(error, DatabaseError)
