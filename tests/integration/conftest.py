"""Real servers that the integration tests share: one of each kind per worker, started by the first test that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real import MariaDB, RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """Give the worker's database server; a test uses databases with names of its own, and leaves it running."""
    with MariaDB(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Give the worker's message broker; a test uses queues with names of its own, and leaves it running."""
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server
