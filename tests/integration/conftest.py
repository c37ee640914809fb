"""What the integration tests share: real servers, one of each kind per worker, and a place for a stack."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.errors import StackError
from lab.stack import ports, serverfolder
from lab.stack.control import down
from tests.processes import alive_in
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


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for a stack, of fake services too; nothing of it runs or is kept after the test."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1] / "unit" / "stack"))
    folder = tmp_path / ".airbourne"
    yield folder
    down(folder)
    for process in (*alive_in(folder), *alive_in(serverfolder.place(folder))):
        process.kill()
    serverfolder.remove(folder)


@pytest.fixture
def offset(worker_id: str) -> int:
    """Give an offset with free ports, in a range that parallel workers do not share."""
    lane = int(worker_id.removeprefix("gw") or 0) if worker_id != "master" else 0
    first = 12000 + 4000 * (lane % 4) + os.getpid() % 100 * 10
    for candidate in range(first, first + 3000, 10):
        try:
            ports.claim(candidate).__exit__(None, None, None)
        except StackError:
            continue
        return candidate
    pytest.fail("no free ports")
