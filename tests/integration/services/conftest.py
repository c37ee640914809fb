"""Real stacks for the tests of the services: one per profile and worker, and more for tests that break theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.services.lone import Nursery
from tests.integration.services.platform import Flight, Platform, User, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Give the worker's stack of the profile `safe`."""
    with started(tmp_path_factory.mktemp("safe"), "safe") as platform:
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
def user(safe: Platform) -> User:
    """Give somebody who is signed in at `safe`."""
    return safe.user()


@pytest.fixture
def flight(safe: Platform) -> Flight:
    """Give a flight of the test's own at `safe`."""
    return safe.flight()


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Give a place where a test may start single services, and kill them."""
    with Nursery(tmp_path) as place:
        yield place
