"""Work that is done in groups: who leads, who waits, and what each gets."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from reference_services.common import timing
from reference_services.common.gathered import Gathered, LeaderLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE_S = 60.0


class Doubling:
    """Work that doubles numbers, refuses odd ones, and can be held up."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, wishes: Sequence[int]) -> list[int | Exception]:
        """Do a group."""
        self.groups.append(list(wishes))
        self.begun.release()
        assert self.go.acquire(timeout=PATIENCE_S)
        return [ValueError(wish) if wish % 2 else 2 * wish for wish in wishes]


def test_a_lone_wish_is_done_at_once_by_its_own_thread() -> None:
    """Nobody waits for company."""
    done: list[int] = []

    def work(wishes: Sequence[int]) -> list[int]:
        done.append(threading.get_ident())
        return [-wish for wish in wishes]

    gathered = Gathered(work, 8)
    assert [gathered.do(3), gathered.do(4)] == [-3, -4]
    assert done == [threading.get_ident()] * 2


def test_a_leader_that_is_ended_leaves_nobody_waiting() -> None:
    """What ends a thread, and is no error, is its own; the others of its group are told, and the next group goes on."""
    begun, go = threading.Semaphore(0), threading.Semaphore(0)

    def work(wishes: Sequence[int]) -> list[int]:
        begun.release()
        assert go.acquire(timeout=PATIENCE_S)
        if len(wishes) > 1:
            raise SystemExit
        return [-wish for wish in wishes]

    gathered = Gathered(work, 2)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(gathered.do, 1)
        assert begun.acquire(timeout=PATIENCE_S)
        others = [pool.submit(gathered.do, wish) for wish in (2, 3, 4)]
        while len(gathered._waiting) < 3:  # noqa: SLF001 - nothing else tells that they wait
            threading.Event().wait(0.001)
        go.release(3)
        outcomes = [other.exception(PATIENCE_S) for other in others]
    assert first.result() == -1
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == [LeaderLostError.__name__, "NoneType", "SystemExit"]


def test_who_comes_meanwhile_is_the_next_group() -> None:
    """All who wait while a group is at work are done together, up to the largest group, each with its own outcome."""
    work = Doubling()
    gathered = Gathered(work, 4)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(gathered.do, 100)
        assert work.begun.acquire(timeout=PATIENCE_S)
        others = [pool.submit(gathered.do, wish) for wish in range(6)]
        while len(gathered._waiting) < 6:  # noqa: SLF001 - nothing else tells that they wait
            threading.Event().wait(0.001)
        work.go.release(3)
        assert first.result(PATIENCE_S) == 200
        assert [one.result(PATIENCE_S) for one in others[::2]] == [0, 4, 8]
        for odd in others[1::2]:
            with pytest.raises(ValueError, match=r"[135]"):
                odd.result(PATIENCE_S)
    assert [len(group) for group in work.groups] == [1, 4, 2]
    assert sorted(wish for group in work.groups[1:] for wish in group) == list(range(6))


def test_work_that_fails_is_everybodys_failure_and_not_the_end() -> None:
    """An exception of the work reaches each of its group, and the next group is done."""

    def work(wishes: Sequence[int]) -> list[int]:
        if 0 in wishes:
            raise RuntimeError("broken")
        return list(wishes)

    gathered = Gathered(work, 8)
    with pytest.raises(RuntimeError, match="broken"):
        gathered.do(0)
    assert gathered.do(1) == 1


def test_an_outcome_that_is_missing_is_a_failure() -> None:
    """Work that forgets somebody leaves nobody waiting."""
    forgetful: Gathered[int, int] = Gathered(lambda _: [], 8)
    with pytest.raises(ValueError, match="shorter"):
        forgetful.do(1)


def test_many_threads_each_get_their_own() -> None:
    """However the groups fall, every wish is done once and its outcome reaches the thread that had it."""
    seen: list[int] = []

    def work(wishes: Sequence[int]) -> list[int]:
        seen.extend(wishes)
        return [wish * wish for wish in wishes]

    gathered = Gathered(work, 5)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(gathered.do, range(2000))) == [wish * wish for wish in range(2000)]
    assert sorted(seen) == list(range(2000))


def test_what_a_group_spends_is_in_the_timing_of_each() -> None:
    """Who waited and who worked both tell the database and the call; only who waited tells a wait; parts add up."""
    go = threading.Semaphore(0)

    def work(wishes: Sequence[int]) -> list[int]:
        assert go.acquire(timeout=PATIENCE_S)
        begin = time.monotonic_ns()
        threading.Event().wait(0.01)
        timing.spent(timing.DATABASE, begin)
        begin = time.monotonic_ns()
        threading.Event().wait(0.01)
        timing.called("flights", begin, "flights;dur=4.000")
        return list(wishes)

    gathered = Gathered(work, 8)
    told: dict[int, str] = {}

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        gathered.do(environ["wish"])
        start("200 OK", [])
        return []

    def ask(wish: int) -> None:
        def start(_status: str, headers: list[tuple[str, str]], *_: object) -> None:
            told[wish] = dict(headers)[timing.HEADER]

        timing.Timed(application, "booking", told=True)({"wish": wish}, start)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, 0)
        others = [pool.submit(ask, wish) for wish in (1, 2)]
        while len(gathered._waiting) < 2:  # noqa: SLF001 - nothing else tells that they wait
            threading.Event().wait(0.001)
        go.release(2)
        for one in (first, *others):
            one.result(PATIENCE_S)
    for wish, header in told.items():
        parts = {part.partition(";")[0]: float(part.rpartition("=")[2]) for part in header.split(", ")}
        assert parts["booking.db"] >= 10
        assert parts["flights"] == 4.0
        assert ("booking.group" in parts) is (wish > 0)
        whole = sum(value for name, value in parts.items() if name.startswith(("booking.", "flights")))
        assert abs(whole - parts["booking"]) < 0.01 * len(parts)
