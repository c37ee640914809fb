"""Work done in groups: who comes while a group is at work waits for the next one, and all of it is done at once.

There is no thread for it and no time that anybody waits for company: the first who comes does the work, at once and for
all who have come by then. When others came meanwhile, the first of them is told to do the next group. So a lone request
is as quick as without it, and the more come at a time, the larger the groups are.
"""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic_ns
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from reference_services.common import timing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

W = TypeVar("W")
R = TypeVar("R")

WAITED: Final = "group"
"""What a request's waiting is called in its timing: for the group before its own, and for what nobody else is told."""


class LeaderLostError(Exception):
    """The thread that did a group's work was ended in the middle; whether it was done is not known."""


class _Place(Generic[W, R]):
    """One who waits: for a result, or for being told to do the work."""

    __slots__ = ("failure", "lock", "result", "settled", "wish", "work")

    def __init__(self, wish: W) -> None:
        self.wish = wish
        self.lock = threading.Lock()
        self.lock.acquire()
        self.settled = False
        self.result: R | None = None
        self.failure: Exception | None = None
        self.work: timing.Span | None = None

    def settle(self, outcome: R | Exception, work: timing.Span | None) -> None:
        self.work = work
        if isinstance(outcome, Exception):
            self.failure = outcome
        else:
            self.result = outcome
        self.settled = True
        self.lock.release()


class Gathered(Generic[W, R]):
    """Does the work of many threads in groups, one group at a time.

    Args:
        work: gets wishes, and gives for each its result or the exception that its own thread is to raise.
        most: the largest group.
    """

    def __init__(self, work: Callable[[Sequence[W]], Sequence[R | Exception]], most: int) -> None:
        self._work = work
        self._most = most
        self._at_work = False
        self._lock = threading.Lock()
        self._waiting: deque[_Place[W, R]] = deque()

    def do(self, wish: W) -> R:
        """Have a wish done, by this thread or by another.

        Raises:
            Exception: what the work gave for this wish, or what it raised itself.
        """
        place: _Place[W, R] = _Place(wish)
        with self._lock:
            leads = not self._at_work
            if leads:
                self._at_work = True
            else:
                self._waiting.append(place)
        waited_ns = 0
        if not leads:
            begin = monotonic_ns()
            place.lock.acquire()
            waited_ns = monotonic_ns() - begin
        if place.settled:
            timing.waited(WAITED, waited_ns - timing.shared(place.work))
        else:
            self._lead(place)
            timing.shared(place.work)
            timing.waited(WAITED, waited_ns)
        if place.failure is not None:
            raise place.failure
        return place.result  # type: ignore[return-value]  # it is settled, and not with a failure

    def _lead(self, first: _Place[W, R]) -> None:
        """Do the group of this thread's own wish and of those who wait, and call the next leader."""
        with self._lock:
            group = [first, *(self._waiting.popleft() for _ in range(min(self._most - 1, len(self._waiting))))]
        work = None
        pairs: list[tuple[_Place[W, R], R | Exception]]
        # Whatever ends this thread in the middle must not leave others waiting for ever.
        pairs = [(place, LeaderLostError("who did this for all was ended")) for place in group]
        try:
            with timing.for_all() as work:
                outcomes = self._work([place.wish for place in group])
            pairs = list(zip(group, outcomes, strict=True))
        except Exception as failure:  # noqa: BLE001 - whoever waits has to hear of it
            pairs = [(place, failure) for place in group]
        finally:
            self._pass_on()
            for place, outcome in pairs:
                place.settle(outcome, work)

    def _pass_on(self) -> None:
        with self._lock:
            self._at_work = bool(self._waiting)
            if not self._at_work:
                return
            leader = self._waiting.popleft()
        leader.lock.release()
