"""What the processes of one service share: one duty, one bell, one count."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from reference_services.common.errors import Refusal
from reference_services.common.profile import LADDER, profile_named
from reference_services.common.workers import Board, Counts, Workers, workers_of
from reference_services.gateway.limiter import Limiter

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

FORK = get_context("fork")
PATIENCE_S = 60


def _ask_for_duty(workers: Workers, told: Connection, wait: Connection) -> None:
    told.send(workers.on_duty())
    wait.poll(PATIENCE_S)


def _tell(workers: Workers, told: Connection, wait: Connection) -> None:
    board = workers.board
    assert board is not None
    place = workers.place()
    board.tell(place, [1, 10 * place, 0])
    told.send(place)
    wait.poll(PATIENCE_S)


def _count(counts: Counts, times: int) -> None:
    for _ in range(times):
        counts.add("10.0.0.1", 7)


def test_whichever_process_is_asked_knows_what_all_tell() -> None:
    """Each has a row of its own; the one on duty has the first."""
    workers = Workers(3)
    assert workers.on_duty()
    ours, theirs = FORK.Pipe()
    hold, held = FORK.Pipe()
    children = [FORK.Process(target=_tell, args=(workers, theirs, held)) for _ in range(2)]
    for child in children:
        child.start()
    assert sorted(ours.recv() for _ in children) == [1, 2]
    board = workers.board
    assert board is not None
    assert workers.place() == 0
    board.tell(0, [5, 5, 5])
    assert board.of_others(0) == (2, 30, 0)
    assert board.of_others(2) == (6, 15, 5)
    hold.send("go")
    hold.send("go")
    for child in children:
        child.join(PATIENCE_S)


def test_one_process_alone_needs_no_board() -> None:
    """There is nobody to tell."""
    assert Workers(1).board is None
    assert Board(1).of_others(0) == ()


def test_one_process_is_on_duty_until_it_ends() -> None:
    """The first that asks has the duty, no other, and it is free again when that one is gone."""
    workers = Workers(2)
    ours, theirs = FORK.Pipe()
    hold, held = FORK.Pipe()
    child = FORK.Process(target=_ask_for_duty, args=(workers, theirs, held))
    child.start()
    assert ours.poll(PATIENCE_S)
    assert ours.recv() is True
    assert workers.on_duty() is False
    hold.send("go")
    child.join(PATIENCE_S)
    assert workers.on_duty() is True


def test_a_process_alone_is_always_on_duty() -> None:
    """There is nobody else."""
    assert Workers().on_duty()


def test_the_bell_is_heard_once_however_often_it_rang() -> None:
    """Who listens is woken, and then hears nothing until it rings again."""
    workers = Workers(2)
    assert not workers.heard(0)
    workers.ring()
    workers.ring()
    assert workers.heard(0)
    assert not workers.heard(0)


def test_processes_count_together() -> None:
    """Two processes that count one address at the same time lose no request."""
    counts = Counts()
    children = [FORK.Process(target=_count, args=(counts, 500)) for _ in range(2)]
    for child in children:
        child.start()
    _count(counts, 500)
    for child in children:
        child.join(PATIENCE_S)
    assert counts.add("10.0.0.1", 7) == 1501
    assert counts.add("10.0.0.2", 7) == 1
    assert counts.add("10.0.0.1", 8) == 1


def test_the_limiter_takes_the_common_count() -> None:
    """Two gateways with one count admit together what the limit says."""
    counts = Counts()
    first, second = (Limiter(2, lambda: 10.0, counts) for _ in range(2))
    first.admit("a")
    second.admit("a")
    with pytest.raises(Refusal):
        first.admit("a")


def test_more_addresses_than_places_are_counted_all_the_same() -> None:
    """An address that many others pushed out starts again, and nothing breaks or grows."""
    counts = Counts()
    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(lambda number: counts.add(f"10.{number}", 1), range(3000))) == {1}


def test_processes_follow_the_cores() -> None:
    """One process on every profile but `scaled`; there half of the cores, at least one; the reminder has one."""
    assert {workers_of(profile_named(name), "booking", 16) for name in LADDER[:-1]} == {1}
    scaled = profile_named("scaled")
    assert [workers_of(scaled, "booking", cores) for cores in (1, 2, 4, 64)] == [1, 1, 2, 8]
    assert workers_of(scaled, "reminder", 64) == 1
    assert os.cpu_count()
