"""A user class for one load: each iteration waits for its turn, is timed, and carries the load's tags."""

from __future__ import annotations

import functools
import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from gevent import GreenletExit
from locust import TaskSet, User
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

from lab.engine.equipped import Equipped
from lab.engine.recorder import US
from lab.engine.tags import LATE, UNCOUNTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from locust.env import Environment

    from lab.engine.recorder import Recorder
    from lab.engine.turn import Turn
    from lab.model.load import Load
    from lab.model.sample import Tags

FLOW: Final = (GreenletExit, StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)
"""What Locust raises to steer users; not an error of the user's own code."""
SCENARIO: Final = "scenario"
_MARK: Final = "_airbourne_lab"


class Loaded(User):
    """Goes before a user class: what its load gives to it."""

    abstract = True
    lab_turn: Turn
    lab_recorder: Recorder
    load_tags: Mapping[str, str]
    load_env: Mapping[str, str]
    under: Tags
    """The load's tags as an iteration is counted under them."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.late_us: int | None = None
        self.at_work = False
        self.idle_since: float | None = None
        self.told_to_wait = 0.0

    def on_start(self) -> None:
        """Let the user prepare itself; where its own code raises, no iteration would ever say so."""
        try:
            super().on_start()
        except FLOW:
            raise
        except Exception:
            self.lab_recorder.count("iteration_errors", self.under, 1)
            raise

    def context(self) -> dict[str, Any]:
        """Give the tags of a request and, for the first one of an iteration, by how many µs that began late."""
        found = super().context()
        if self.load_tags:
            found = {**self.load_tags, **found}
        if not isinstance(self, Equipped):
            found = {**found, UNCOUNTED: "1"}
        if self.late_us is None:
            return found
        late, self.late_us = self.late_us, 0
        return {**found, LATE: late}


def dressed(user_class: type[User], load: Load, turn: Turn, recorder: Recorder, host: str) -> type[User]:
    """Make the class that a load's users are of, from the one that the user wrote."""
    tags = {**({SCENARIO: load.name} if load.name else {}), **dict(load.tags)}
    own: dict[str, Any] = {
        "abstract": False,
        "host": host,
        "lab_turn": turn,
        "lab_recorder": recorder,
        "load_tags": tags,
        "load_env": dict(load.env),
        "under": tuple(sorted(tags.items())),
        "wait_time": _at_once if load.open else _waiting(user_class.wait_time),
        "__module__": user_class.__module__,
        "__doc__": user_class.__doc__,
    }
    made = cast("type[User]", type(user_class.__name__, (Loaded, user_class), own))
    _wrap(made)
    return made


def _wrap(owner: Any) -> None:  # noqa: ANN401 - a user class or a task set
    """Let every task, in nested task sets too, be an iteration. Task sets are wrapped once for all loads."""
    tasks: list[Any] = []
    done: dict[Any, Any] = {}
    for task in owner.tasks:
        if task not in done:
            if inspect.isclass(task) and issubclass(task, TaskSet):
                if _MARK not in vars(task):
                    setattr(task, _MARK, True)
                    _wrap(task)
                    _wrap_wait(task)
                done[task] = task
            else:
                done[task] = task if hasattr(task, _MARK) else _timed(task)
        tasks.append(done[task])
    owner.tasks = tasks


def _timed(task: Callable[[Any], object]) -> Callable[[Any], None]:
    name = task.__name__

    @functools.wraps(task)
    def iteration(owner: Any) -> None:  # noqa: ANN401 - a user or a task set
        user: Any = owner.user if isinstance(owner, TaskSet) else owner
        turn, recorder = user.lab_turn, user.lab_recorder
        late = user.late_us = turn.begin(user)
        begin = perf_counter()
        if user.idle_since is not None:
            # A wait counts once it is over, as an iteration does: what the end of a run cuts off is in neither sum.
            recorder.idle(int(user.told_to_wait * US))
            recorder.users(int((begin - user.idle_since) * US))
        user.at_work, ok = True, None
        try:
            task(owner)
            ok = True
        except FLOW:
            raise
        except Exception:
            ok = False
            raise
        finally:
            end = perf_counter()
            if ok is not None:
                took = int((end - begin) * US)
                recorder.iteration(name, took, ok=ok, tags=user.under, late=late)
                recorder.users(took)
            user.at_work, user.told_to_wait = False, 0.0
            user.idle_since = end if late is None else None

    setattr(iteration, _MARK, True)
    return iteration


def _at_once(_user: object) -> float:
    """Wait for nothing but the next arrival, as k6's arrival-rate executors do."""
    return 0.0


def _waiting(wait_time: Any) -> Callable[[Any], float]:  # noqa: ANN401 - what Locust takes
    """Note how long a user is told to wait."""

    def noted(user: Any) -> float:  # noqa: ANN401 - a user
        seconds = float(wait_time(user))
        if not user.at_work:  # a wait inside an iteration is a part of it
            user.told_to_wait += seconds
        return seconds

    return noted


def _wrap_wait(task_set: Any) -> None:  # noqa: ANN401 - a task set's class
    """Let a task set's own wait time hold in closed models only, and be noted there."""
    own = task_set.wait_time
    if own is TaskSet.wait_time or hasattr(own, _MARK):
        return  # its user's wait time holds, or it inherits one that is noted already

    def noted(self: Any) -> float:  # noqa: ANN401 - a task set
        if self.user.wait_time.__func__ is _at_once:
            return 0.0
        seconds = float(own(self))
        if not self.user.at_work:
            self.user.told_to_wait += seconds
        return seconds

    setattr(noted, _MARK, True)
    task_set.wait_time = noted
