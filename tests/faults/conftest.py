"""Houses for the fault tests: one after the other shares one, as long as its tests leave it sound."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.faults.house import House
from tests.real import MariaDB, RabbitMQ, require

if TYPE_CHECKING:
    from collections.abc import Iterator


class Street:
    """Builds a house when there is no sound one."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._standing = ExitStack()
        self._house: House | None = None

    def house(self) -> House:
        """Give the house of the test before, or a new one when that test failed."""
        if self._house is None or not self._house.sound:
            self.clear()
            require("mariadb", "rabbitmq")
            folder = self._factory.mktemp("house")
            database, broker = MariaDB(folder / "mariadb"), RabbitMQ(folder / "rabbitmq")
            for server in (database, broker):
                self._standing.push(server)
                server.start(wait=False)
            for server in (database, broker):
                server.wait_ready()
            self._house = self._standing.enter_context(House(folder, database, broker))
        return self._house

    def clear(self) -> None:
        """Leave nothing standing."""
        self._house = None
        self._standing.close()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Give the worker's street."""
    found = Street(tmp_path_factory)
    yield found
    found.clear()


@pytest.fixture
def house(street: Street) -> House:
    """Give the platform on a MariaDB and a RabbitMQ of its own, which the test may stop."""
    return street.house()
