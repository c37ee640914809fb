"""Real stacks for the tests of the services: one per profile, backend and worker, and more for tests that break theirs.

A module's tests run on the embedded backend. Where what they test depends on the database, the module says
`BACKENDS = BOTH`, and each of its tests that uses `safe` runs on MariaDB and RabbitMQ too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.stack.backend import Backend
from tests.integration.services.lone import Nursery
from tests.integration.services.platform import ONE, Flight, Platform, User, started
from tests.real import RabbitMQ, require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real import MariaDB


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that use `safe` on the backends that their module names."""
    if "safe" in metafunc.fixturenames:
        kinds = getattr(metafunc.module, "BACKENDS", ONE)
        metafunc.parametrize("safe", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def safe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Give the worker's stack of the profile `safe` on one backend."""
    kind: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        if kind == "services":
            require("mariadb", "rabbitmq")
            # On a machine that is busy with other tests a server is slow, and not away.
            patch.setenv("UPSTREAM_TIMEOUT_S", "20")
        with started(tmp_path_factory.mktemp("safe"), "safe", Backend.of(kind)) as platform:
            yield platform


@pytest.fixture(scope="session")
def as_found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Give the worker's stack of the profile `as-found`."""
    with started(tmp_path_factory.mktemp("as-found"), "as-found") as platform:
        yield platform


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Give a stack of the test's own, whose services wait a second for each other and no longer."""
    monkeypatch.setenv("UPSTREAM_TIMEOUT_S", "1")
    with started(tmp_path, "safe") as platform:
        yield platform


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Give the worker's other broker, which a test may stop, kill and suspend; each leaves it running."""
    with RabbitMQ(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture(scope="session")
def user(safe: Platform) -> User:
    """Give somebody who is signed in at `safe`."""
    return safe.user()


@pytest.fixture
def flight(safe: Platform) -> Flight:
    """Give a flight of the test's own at `safe`."""
    return safe.flight()


@pytest.fixture
def nursery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nursery]:
    """Give a place where a test may start single services, and kill them, with databases as those of `safe`."""
    server: MariaDB | None = None
    if "safe" in request.fixturenames:
        platform: Platform = request.getfixturevalue("safe")
        if platform.state.backend == "services":
            server = request.getfixturevalue("mariadb")
    with Nursery(tmp_path, server) as place:
        yield place
