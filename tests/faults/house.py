"""The platform in processes that a test may kill and start again: what systemd or compose does, the test does here."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import pymysql
from sqlalchemy import make_url

from lab.model.dataset import SeedPlan
from lab.model.target import Target
from lab.stack.brood import Brood
from lab.stack.profiles import DEFAULT
from seeders import seed
from tests.faults.load import Load
from tests.faults.mail import MailServer
from tests.integration.services.lone import Lone, Nursery
from tests.integration.services.platform import everything, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pymysql.cursors import Cursor

    from tests.real import MariaDB, RabbitMQ

PLAN: Final = SeedPlan(cities=2, airports=4, airplanes=4, flights=40, users=20, capacity_min=2000, capacity_max=2500)


class House:
    """The five services, their servers, and a dataset.

    Attributes:
        sound: whether all that was ever booked here is known to be kept; not while a load runs.
        repeated: how many mails came twice so far.
    """

    def __init__(self, folder: Path, database: MariaDB, broker: RabbitMQ) -> None:
        self._folder = folder
        self._until_the_end = ExitStack()
        self._runs = 0
        self.sound = True
        self.repeated = 0
        self.database = database
        self.broker = broker

    def __enter__(self) -> Self:
        """Start all of it and fill it."""
        with ExitStack() as opened:
            brood = Brood()
            opened.callback(brood.close)
            self.mail = MailServer(brood, self._folder)
            opened.callback(self.mail.stop)
            self.mail.start()
            self._start_services(opened.enter_context(Nursery(self._folder)))
            self._dataset = self._folder / "dataset.json"
            seed(self.target, PLAN, self._dataset)
            self._until_the_end = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing."""
        self._until_the_end.close()

    def _start_services(self, nursery: Nursery) -> None:
        key = self._folder / "jwt.key"
        key.write_text(secrets.token_hex(32), encoding="ascii")
        bus = {"BUS_URL": self.broker.url}

        def start(name: str, **settings: str) -> Lone:
            kept = {} if name == "gateway" else {"DATABASE_URL": self.database.url(name)}
            return nursery.start(name, PROFILE=DEFAULT, **kept, **settings)

        keys = {"JWT_SECRET_FILE": str(key)}
        self.auth = start("auth", **keys)
        self.flights = start("flights")
        self.reminder = start("reminder", SMTP_URL=self.mail.url, **bus)
        self.booking = start("booking", FLIGHTS_URL=self.flights.service.url, **bus)
        urls = {name: getattr(self, name).service.url for name in ("auth", "flights", "booking", "reminder")}
        self.gateway = start("gateway", **keys, **{f"{name.upper()}_URL": url for name, url in urls.items()})
        self.target = Target(gateway=self.gateway.service.url, **urls, name="house")

    def load(self) -> Load:
        """Begin to book, once everything is well."""
        wait_until(self.healthy, "all services are healthy before the load")
        self.sound = False
        self._runs += 1
        folder = self._folder / f"load-{self._runs}"
        folder.mkdir()
        return Load(self.target, self._dataset, folder)

    def healthy(self) -> bool:
        """Tell whether the gateway finds everything ready."""
        return self.gateway.service.send("GET", "/health").status == 200

    def bookings(self) -> list[dict[str, Any]]:
        """Give all bookings."""
        return everything(self.booking.service, "bookings?")

    def tickets(self) -> list[dict[str, Any]]:
        """Give all tickets."""
        return everything(self.reminder.service, "tickets?")

    def count(self, name: str, query: str) -> int:
        """Ask a service's database for a number."""
        with self._cursor(name) as cursor:
            return _number(cursor, query)

    @contextmanager
    def held(self, name: str, table: str) -> Iterator[Callable[[str], int]]:
        """Hold a table's rows and the gaps between them: whoever writes to it stops in the middle of its transaction.

        Gives a function that counts the transactions that wait with a statement that begins like its argument.
        """
        with self._cursor(name) as holder, self._cursor(name) as watcher:
            holder.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            holder.execute(f"SELECT id FROM {table} FOR UPDATE")  # noqa: S608 - the test's own word

            def waiting(statement: str) -> int:
                watcher.execute("SHOW FULL PROCESSLIST")
                return sum(str(row[7]).startswith(statement) for row in watcher.fetchall())

            yield waiting

    @contextmanager
    def reminder_in_mid_handling(self) -> Iterator[None]:
        """Stop the reminder where a crash is worst.

        It has messages that it has not acknowledged, and mails that the server took and that it has not noted.
        """
        with ExitStack() as until_killed:
            until_killed.callback(self.mail.resume)
            self.mail.suspend()
            pending = "SELECT COUNT(*) FROM tickets WHERE status = 'PENDING'"
            wait_until(lambda: self.count("reminder", pending) > 0, "a mail is on its way")
            waiting = until_killed.enter_context(self.held("reminder", "tickets"))
            self.mail.resume()
            wait_until(lambda: waiting("INSERT INTO tickets") > 0, "the reminder is storing tickets")
            wait_until(lambda: waiting("UPDATE tickets") > 0, "the reminder is noting what it mailed")
            yield

    @contextmanager
    def booking_in_mid_handling(self) -> Iterator[None]:
        """Stop booking where a crash is worst.

        A group of bookings has its seats and is about to become booked, with notes in the outbox; others wait for it;
        and RabbitMQ has notes that are still in the outbox.
        """
        with ExitStack() as until_killed:
            until_killed.callback(self.broker.resume)
            self.broker.suspend()
            wait_until(lambda: self.count("booking", "SELECT COUNT(*) FROM outbox") > 0, "a note is in the outbox")
            booking = until_killed.enter_context(self.held("booking", "outbox"))
            self.broker.resume()
            wait_until(lambda: booking("DELETE FROM outbox") > 0, "notes that RabbitMQ has leave the outbox")
            wait_until(lambda: booking("INSERT INTO outbox") > 0, "bookings become booked")
            yield

    @contextmanager
    def _cursor(self, name: str) -> Iterator[Cursor]:
        url = make_url(self.database.url(name))
        connection = pymysql.connect(
            host=url.host, port=url.port or 0, user=url.username, password=url.password or "", database=url.database
        )
        with closing(connection), connection.cursor() as cursor:
            yield cursor


def _number(cursor: Cursor, query: str) -> int:
    cursor.execute(query)
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])
