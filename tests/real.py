"""Real servers for tests: the lab's own private MariaDB and RabbitMQ, each alone, to be stopped and killed at will."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Final, NoReturn, Self

import psutil
import pymysql
import pytest

from lab.errors import StackError
from lab.stack import logins, mariadb, ports, programs, rabbitmq, readiness, serverfolder
from lab.stack.brood import Brood, Child
from lab.stack.passwords import password
from lab.stack.plan import importable

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

READY_S: Final = 60.0
STOP_S: Final = 30.0
SYSTEM_PLACES: Final = "/usr/sbin:/sbin:/usr/local/sbin"


def require(*names: str) -> None:
    """Skip the test where a program is missing; in CI that is a failure.

    `mariadb` and `rabbitmq` stand for whatever program serves them; all else is looked for by its name.
    """
    for name in names:
        reason = _missing(name)
        if reason is not None:
            _give_up(reason)


def _missing(name: str) -> str | None:
    known = {"mariadb": programs.database, "rabbitmq": programs.broker}
    if name in known:
        try:
            known[name]()
        except StackError as error:
            return f"needs {name}: {error}"
        return None
    if shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PLACES}") is None:
        return f"needs {name}, which is not installed"
    return None


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason)
    pytest.skip(reason)


class Server:
    """One server below a folder; the same port and data after each start. Start it from the main thread."""

    name: str

    def __init__(self, folder: Path) -> None:
        require(self.name)
        self.root = folder.absolute()
        self.root.mkdir(parents=True, exist_ok=True)
        self.secrets = self.root / "secrets"
        self.log = self.root / f"{self.name}.log"
        self.port, self._claim = ports.claim_any(self.name)
        self._brood = Brood()
        self._child: Child | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it lets its users in."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running and nothing in the way."""
        self.kill()
        self._brood.close()
        self._claim.__exit__(None, None, None)
        serverfolder.remove(self.root)

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._child is not None, f"{self.name} is not running"
        return self._child.pid

    def start(self, *, wait: bool = True) -> None:
        """Start it; returns when its users can log in, or with wait=False at once."""
        assert self._child is None, f"{self.name} is running"
        command = [sys.executable, "-m", f"lab.stack.{self.name}", *self._arguments(serverfolder.make(self.root))]
        self._child = self._brood.start(command, self.log, importable(os.environ))
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until its users can log in."""
        stopped = threading.Event()
        ticks = int(READY_S / 0.1)

        def ask() -> str | None:
            nonlocal ticks
            ticks -= 1
            ending = self._child.ending() if self._child else "nobody started it"
            if ending or not ticks:
                stopped.set()
            return f"it ended with {ending}" if ending else self._ask()

        reason = readiness.wait(ask, stopped, 0.1)
        assert reason is None, (
            f"{self.name}: {reason}\n{self.log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
        )

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        child, self._child = self._child, None
        if child is not None:
            child.process.terminate()
            child.process.wait(STOP_S)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash does."""
        child, self._child = self._child, None
        if child is not None:
            child.process.kill()
            child.process.wait(STOP_S)

    def suspend(self) -> None:
        """Make it hang: it keeps its connections, takes new ones, and answers nothing."""
        psutil.Process(self.pid).suspend()

    def resume(self) -> None:
        """Let it go on."""
        psutil.Process(self.pid).resume()

    def _arguments(self, folder: Path) -> list[str]:
        raise NotImplementedError

    def _ask(self) -> str | None:
        raise NotImplementedError


class MariaDB(Server):
    """A MariaDB (or MySQL) server."""

    name = "mariadb"

    @property
    def password(self) -> str:
        """The password of `root`, who may do everything."""
        return password(self.secrets, mariadb.key(mariadb.ADMIN))

    def url(self, database: str) -> str:
        """Give the SQLAlchemy URL of a database, which is made if it is missing."""
        self.sql(f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET {mariadb.CHARSET}")
        return mariadb.url(self.port, mariadb.ADMIN, self.password, database)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the administrator and give its rows."""
        with (
            pymysql.connect(
                host=ports.LOOPBACK, port=self.port, user=mariadb.ADMIN, password=self.password, autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())

    def _arguments(self, folder: Path) -> list[str]:
        return [str(folder / self.name), str(self.port), str(self.secrets)]

    def _ask(self) -> str | None:
        return logins.mariadb(self.port, mariadb.ADMIN, self.password, "mysql")


class RabbitMQ(Server):
    """A RabbitMQ server."""

    name = "rabbitmq"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.node_port, self._node_claim = ports.claim_any("rabbitmq's node")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running and nothing in the way."""
        super().__exit__(kind, error, trace)
        self._node_claim.__exit__(None, None, None)

    @property
    def url(self) -> str:
        """The AMQP URL of the default virtual host."""
        return rabbitmq.url(self.port, password(self.secrets, rabbitmq.SECRET))

    def _arguments(self, folder: Path) -> list[str]:
        return [str(folder / self.name), str(self.port), str(self.node_port), str(self.secrets)]

    def _ask(self) -> str | None:
        return logins.rabbitmq(self.port, self.url)
