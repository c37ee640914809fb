"""Transactions on a real MariaDB: run again where that is safe, and told of where it is not."""

from __future__ import annotations

from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

import pymysql
import pytest
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, String, Table, delete, insert, inspect, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from reference_services.common.database import Database, new_id, open_database
from reference_services.common.environment import Common, Environment
from reference_services.common.errors import DatabaseAwayError, DatabaseBusyError, DatabaseDoubtError
from tests.integration.services.platform import at_once, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.real import MariaDB

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(20), nullable=False, unique=True),
    Column("number", Integer, nullable=False),
)


def opened(url: str) -> Database:
    """Open a database as a service does."""
    return open_database(Flask(__name__), url, metadata, Common.read("auth", Environment({})))


@pytest.fixture
def url(mariadb: MariaDB) -> str:
    """Give the URL of a database of the test's own."""
    return mariadb.url(unique("things"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Give that database with two things in it."""
    made = opened(url)
    rows = [{"id": 1, "name": "one", "number": 0}, {"id": 2, "name": "two", "number": 0}]
    made.write(lambda connection: connection.execute(insert(things), rows))
    yield made
    made.engine.dispose()


def numbers(database: Database) -> list[int]:
    """Give the numbers of all things."""
    rows = database.read(lambda connection: connection.execute(select(things.c.number).order_by(things.c.id)).all())
    return [row.number for row in rows]


def add_one(connection: Connection, thing: int) -> None:
    """Count a thing up, which locks it."""
    connection.execute(update(things).where(things.c.id == thing).values(number=things.c.number + 1))


def own_id(connection: Connection) -> int:
    """Give the server's number of a connection."""
    return int(connection.execute(text("SELECT CONNECTION_ID()")).scalar_one())


class Holder:
    """Somebody else, who holds a thing's row."""

    def __init__(self, database: Database, thing: int) -> None:
        self._connection = database.engine.connect()
        add_one(self._connection, thing)

    def let_go(self) -> None:
        """Undo what it did."""
        self._connection.close()


def test_two_that_deadlock_both_end_well(database: Database) -> None:
    """Of two transactions that wait for each other the server ends one, which is run again: both are done."""
    both_hold_one = Barrier(2)
    tries: list[int] = []

    def work(index: int) -> None:
        first, second = (1, 2) if index else (2, 1)

        def change(connection: Connection) -> None:
            tries.append(index)
            add_one(connection, first)
            if len(tries) <= 2:
                both_hold_one.wait(20)
            add_one(connection, second)

        database.write(change)

    at_once(2, work)
    assert (numbers(database), len(tries)) == ([2, 2], 3)


def test_a_lock_that_is_let_go_is_had(database: Database) -> None:
    """Who waited in vain for a row tries again, as a whole transaction, and has it once."""
    holder, tries = Holder(database, 2), 0

    def change(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            holder.let_go()
        add_one(connection, 1)
        add_one(connection, 2)

    database.write(change)
    assert (numbers(database), tries) == ([1, 1], 2)


def test_a_lock_that_is_kept_is_told(database: Database) -> None:
    """A row that others do not let go of is an error that says so, after a second try; nothing is changed."""
    holder, tries = Holder(database, 2), 0

    def change(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_one(connection, 1)
        add_one(connection, 2)

    with pytest.raises(DatabaseBusyError, match="database of auth is busy"):
        database.write(change)
    holder.let_go()
    assert (numbers(database), tries > 1) == ([0, 0], True)


def test_a_connection_lost_before_the_commit_costs_nothing(mariadb: MariaDB, database: Database) -> None:
    """A transaction whose connection is killed in its middle is done once, by another connection."""
    tries = 0

    def change(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_one(connection, 1)
        if tries == 1:
            mariadb.sql(f"KILL {own_id(connection)}")
        add_one(connection, 2)

    database.write(change)
    assert (numbers(database), tries) == ([1, 1], 2)


def test_a_connection_lost_at_the_commit_is_told(mariadb: MariaDB, database: Database) -> None:
    """Whether a commit arrived is unknown when the connection breaks there: it is told, and nothing is repeated."""
    tries = 0

    def change(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_one(connection, 1)
        mariadb.sql(f"KILL {own_id(connection)}")

    with pytest.raises(DatabaseDoubtError, match="not known"):
        database.write(change)
    assert tries == 1


def test_a_reader_whose_connection_is_lost_reads_again(mariadb: MariaDB, database: Database) -> None:
    """A read is repeated on another connection."""
    tries = 0

    def look(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            mariadb.sql(f"KILL {own_id(connection)}")
        return int(connection.execute(select(things.c.number).where(things.c.id == 1)).scalar_one())

    assert (database.read(look), tries) == (0, 2)


def test_idle_connections_that_the_server_closed_are_renewed(mariadb: MariaDB, database: Database) -> None:
    """No transaction sees that the server has closed the pool's connections meanwhile."""
    ids = []
    together = Barrier(4)

    def hold(connection: Connection) -> int:
        together.wait(20)
        return own_id(connection)

    ids = at_once(4, lambda _: database.read(hold))
    for one in ids:
        mariadb.sql(f"KILL {one}")
    tries = 0

    def change(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        add_one(connection, 1)

    for _ in ids:
        database.write(change)
    assert (numbers(database)[0], tries) == (4, 4)


def test_rows_that_match_are_counted(database: Database) -> None:
    """An UPDATE that leaves a row as it was has found it all the same, as on SQLite."""
    same = update(things).where(things.c.id == 1).values(number=0)
    assert database.write(lambda connection: connection.execute(same).rowcount) == 1


def test_texts_are_equal_when_their_characters_are(database: Database) -> None:
    """Capitals, accents and spaces at the end make another text; an emoji comes back; the same text is taken."""
    names = ["ONE", "óne", "one ", "😀", "😁", "ß", "ss"]
    rows = [{"name": name, "number": 7} for name in names]
    database.write(lambda connection: connection.execute(insert(things), rows))
    found = select(things.c.name).where(things.c.number == 7)
    assert set(database.read(lambda connection: connection.execute(found).scalars().all())) == set(names)
    with pytest.raises(IntegrityError) as taken:
        database.write(lambda connection: connection.execute(insert(things), {"name": "one ", "number": 0}))
    assert not database.is_reference_violation(taken.value)


def test_what_does_not_fit_is_refused(database: Database) -> None:
    """A text that is too long is an error, and never cut."""
    with pytest.raises(DataError):
        database.write(lambda connection: connection.execute(insert(things), {"name": "x" * 21, "number": 0}))


def test_a_mistake_is_no_trouble(database: Database) -> None:
    """A statement that the server will never take is raised as it is, at once."""
    tries = 0

    def mistaken(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(ProgrammingError):
        database.write(mistaken)
    assert tries == 1


def test_what_failed_or_only_read_leaves_nothing_on_its_connection(database: Database) -> None:
    """A transaction that raised is undone and holds no lock, and the next reader on its connection sees the present."""

    class GaveUpError(Exception):
        """What a service raises halfway."""

    def fail(connection: Connection) -> None:
        add_one(connection, 1)
        raise GaveUpError

    with pytest.raises(GaveUpError):
        database.write(fail)
    assert numbers(database) == [0, 0]
    with database.engine.connect() as another, database.engine.connect() as third:
        add_one(another, 1)
        another.commit()
        assert third.execute(select(things.c.number).where(things.c.id == 1)).scalar_one() == 1
    assert numbers(database) == [1, 0]


def test_an_id_is_never_given_again(database: Database) -> None:
    """The id of a row that was deleted belongs to nobody else."""

    def made(connection: Connection) -> int:
        return new_id(connection.execute(insert(things), {"name": "last", "number": 0}))

    first = database.write(made)
    database.write(lambda connection: connection.execute(delete(things).where(things.c.id == first)))
    assert database.write(made) > first


def test_every_connection_is_what_the_services_rely_on(database: Database) -> None:
    """READ COMMITTED, strict, four-byte characters, UTC, and no wait for a lock that outlasts a caller's patience."""
    names = ("tx_isolation", "character_set_connection", "time_zone", "innodb_lock_wait_timeout")
    asked = text(f"SELECT {', '.join(f'@@{name}' for name in names)}, @@sql_mode")
    *values, mode = database.read(lambda connection: tuple(connection.execute(asked).one()))
    assert values == ["READ-COMMITTED", "utf8mb4", "+00:00", 1]
    assert "STRICT_ALL_TABLES" in str(mode)


def test_services_may_make_their_tables_at_once(url: str) -> None:
    """Of many that start on an empty database together none fails, and each finds the tables."""

    def start(_: int) -> list[str]:
        database = opened(url)
        try:
            return inspect(database.engine).get_table_names()
        finally:
            database.engine.dispose()

    assert at_once(6, start) == [["things"]] * 6


def test_a_pool_without_a_free_connection_is_told(url: str) -> None:
    """When every connection is in use for too long, that is what is said, and no thread waits for ever."""
    common = Common.read("auth", Environment({"THREADS": "1"}))
    database = open_database(Flask(__name__), url, metadata, common)
    most = Barrier(6)

    def look(_: Connection) -> None:
        try:
            most.wait(10)
        except BrokenBarrierError:
            return

    def work(_: int) -> str:
        try:
            database.read(look)
        except DatabaseBusyError as problem:
            most.abort()
            return str(problem)
        return ""

    said = at_once(6, work)
    database.engine.dispose()
    assert [sentence for sentence in said if sentence] == ["No connection to the database of auth is free."]


def test_too_many_connections_are_told(mariadb: MariaDB, url: str) -> None:
    """A server that takes no more connections counts as away, and is used again when it takes some."""
    database = opened(url)
    database.engine.dispose()
    user = unique("u")[:20]
    parts = database.engine.url
    mariadb.sql(
        f"GRANT ALL ON `{parts.database}`.* TO '{user}'@'127.0.0.1' IDENTIFIED BY 'p' WITH MAX_USER_CONNECTIONS 1"
    )
    limited = opened(parts.set(username=user, password="p").render_as_string(hide_password=False))
    held = pymysql.connect(host="127.0.0.1", port=mariadb.port, user=user, password="p")
    with pytest.raises(DatabaseAwayError, match="does not answer"):
        numbers(limited)
    held.close()
    assert numbers(limited) == []
    limited.engine.dispose()
