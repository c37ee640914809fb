"""Which crowd a load has, by its executor; and that of the open model, to whose users iterations come by a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import gevent

from lab.engine.arrivals import arrivals
from lab.engine.crowd import Bounded, Crowd, Role
from lab.engine.turn import Arrivals, Tickets, Turn

if TYPE_CHECKING:
    from gevent import Greenlet

    from lab.engine.recorder import Recorder
    from lab.model.load import Load

EARLY: Final = 0.0005
"""Seconds by which an arrival may begin early: the event loop's timers have whole milliseconds, and round up."""
AT_A_STRETCH: Final = 64
"""Arrivals that are late and are given out before anybody else may run."""


class Open(Crowd):
    """Users to whom iterations come by a schedule; more of them come when all are busy, up to the most that may."""

    turn: Arrivals

    def __init__(  # noqa: PLR0913, PLR0917 - what a crowd takes, and who counts and draws
        self, load: Load, turn: Arrivals, role: Role, recorder: Recorder, seed: str, shift: int = 0
    ) -> None:
        super().__init__(load, turn, role, shift)
        self._recorder, self._seed = recorder, f"{seed}/{load.name}/arrivals"
        self._keeper: Greenlet[..., None] | None = None
        self._most = max(role.share(load.max_vus, shift), 1)

    def prepare(self) -> None:
        """Let the pre-allocated users come, so that the first arrivals find them ready."""
        for _ in range(self._role.share(self.load.pre_allocated, self._shift) - len(self._users)):
            self._come()

    @property
    def prepared(self) -> bool:
        """Tell whether all who came wait for an arrival."""
        return not self.turn.expected

    def edit(self, elapsed: float, number: int) -> None:
        """Go on with a steady rate; see `Crowd.edit`."""
        super().edit(elapsed, number)
        if self._keeper is not None:
            self._keeper.kill(block=False)
            self._keeper = gevent.spawn(self._keep, self.load)

    def approach(self) -> None:
        """Let the schedule be kept from here on: its first arrivals do not wait for the next look."""
        if self._keeper is None:
            self.prepare()
            self._keeper = gevent.spawn(self._keep, self.load)

    def _follow(self, elapsed: float) -> None:  # noqa: ARG002 - as that of every crowd
        self.approach()
        if self._keeper is not None and self._keeper.exception is not None:
            raise self._keeper.exception  # a load whose arrivals nobody gives out any more is none
        self._most = max(self._role.share(self.load.max_vus, self._shift), 1)
        self.wanted = len(self._users)

    def _finish(self, at: float) -> None:
        if self._keeper is not None:
            self._keeper.kill(block=False)
        self.turn.close()
        for user in self._users:
            self._users[user] = at + self.load.graceful_stop

    def _keep(self, load: Load) -> None:
        """Give out the arrivals, each at its time."""
        behind = 0
        for number, due in enumerate(arrivals(load, self._seed)):
            if not self._role.mine(number):
                continue
            wait = due - EARLY - self._recorder.elapsed
            behind = 0 if wait > 0 else behind + 1
            if wait > 0:
                gevent.sleep(wait)
            elif behind % AT_A_STRETCH == 0:
                gevent.sleep(0)
            self._arrive(due)

    def _arrive(self, due: float) -> None:
        if self.turn.give(due):
            return
        coming = len(self.turn.waiting) < self.turn.expected
        more = not coming and len(self._users) < self._most
        if more:
            self._come()
        if coming or more or self.load.waits:
            self.turn.waiting.append(due)
        else:
            self._recorder.dropped("", self._user_class.under)  # type: ignore[attr-defined]  # the load's own class

    def settle(self) -> None:
        """Count as dropped what still waits when nobody is left to take it."""
        # Where nothing was dropped, none is the number, and not unknown.
        self._recorder.dropped("", self._user_class.under, len(self.turn.waiting))  # type: ignore[attr-defined]  # as above
        self.turn.waiting.clear()


def crowd_of(load: Load, recorder: Recorder, role: Role, seed: str, shift: int = 0) -> Crowd:
    """Make the crowd of a load; `bind` gives it its users' class.

    Args:
        load: what to follow.
        recorder: counts, and says what time of the run it is.
        role: which part is this process's.
        seed: of the schedule of arrivals.
        shift: the load's number among the scenario's.
    """
    if load.open:
        return Open(load, Arrivals(lambda: recorder.elapsed), role, recorder, seed, shift)
    if load.executor == "shared-iterations":
        base, odd = divmod(load.iterations, load.start)
        mine = base * role.share(load.start, shift) + role.share(odd, shift)
        return Bounded(load, Tickets(shared=mine), role, shift)
    if load.bounded:
        return Bounded(load, Tickets(each=load.iterations), role, shift)
    return Crowd(load, Turn(), role, shift)
