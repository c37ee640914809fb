"""Doing a task for many items at once."""

from __future__ import annotations

from contextlib import closing
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from lab.platform import Client
from seeders.ensure import Work, each
from seeders.events import ignore

if TYPE_CHECKING:
    from tests.unit.seeders.conftest import Platform


def test_an_interrupt_still_notes_what_was_done(platform: Platform) -> None:
    """Ctrl-C while results are noted: what ended meanwhile is noted too, and nobody waits for the rest."""
    last_begun, release = Event(), Event()
    noted: list[int] = []

    def task(item: int) -> int:
        if item == 3:
            last_begun.set()
            release.wait(30)
        return item * 10

    def note(item: int, result: int) -> None:
        assert result == item * 10
        noted.append(item)
        if len(noted) == 1:
            # One worker: when it has begun the last task, all others have ended.
            assert last_begun.wait(30)
            raise KeyboardInterrupt

    with closing(Client(platform.target)) as client:
        try:
            with pytest.raises(KeyboardInterrupt):
                each(Work(client, 1, ignore), task, range(4), note)
        finally:
            release.set()
    assert sorted(noted) == [0, 1, 2]


def test_the_first_failure_is_the_one_that_is_told(platform: Platform) -> None:
    """What fails because of the first failure, or after it, does not take its place; successes are noted."""
    all_begun = Barrier(3, timeout=30)
    noted: list[int] = []

    def task(item: int) -> int:
        all_begun.wait()
        if item == 0:
            raise ValueError("first")
        assert client.halt.wait(30)
        if item == 1:
            raise ValueError("second")
        return item

    with closing(Client(platform.target)) as client, pytest.raises(ValueError, match="first"):
        each(Work(client, 3, ignore), task, range(50), lambda item, _result: noted.append(item))
    assert noted == [2]
