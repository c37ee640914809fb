"""The engine's public face: what a user class imports, and no more.

    class Reader(LabUser):
        wait_time = constant(1)

        @task
        def search(self) -> None:
            with self.group("find"):
                response = self.client.get("/flights/api/v1/flights", context=operation("search", tier="gold"))
                self.check(response, {"status is 200": lambda r: r.status_code == 200}, "search")
                self.trend("hits", len(response.json()["data"]))

Plain Locust user classes run as well; they only lack the data, the ledger, the checks and metrics of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from locust import FastHttpUser
from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager
from locust.exception import ResponseError

from lab.engine.equipped import Equipped
from lab.engine.ledger import Ledger
from lab.engine.parts import begun
from lab.engine.recorder import Recorder
from lab.model.target import Target

if TYPE_CHECKING:
    from locust.env import Environment

    from lab.model.dataset import Dataset, Flight, Member


def operation(name: str, **tags: object) -> dict[str, str]:
    """Tag a request: `self.client.get(url, context=operation("search", tier="gold"))`."""
    return {"operation": name, **{key: str(value) for key, value in tags.items()}}


class Data:
    """The dataset as users share it: each new user gets the next member."""

    def __init__(self, dataset: Dataset) -> None:
        self.flights: tuple[Flight, ...] = dataset.flights
        self.members: tuple[Member, ...] = dataset.users
        self._turn = count()

    def next_member(self) -> Member:
        """Give the next signed-up user, in order and round again."""
        if not self.members:
            raise LookupError("the dataset has no users; give the scenario [data] users = 200")
        return self.members[next(self._turn) % len(self.members)]


@dataclass(frozen=True, slots=True)
class LabContext:
    """What the worker gives to every user."""

    target: Target
    data: Data
    ledger: Ledger
    recorder: Recorder
    seed: int
    numbers: count[int]
    pace: Callable[[], object] | None = None
    """Waits before a request until the scenario's `rps` lets it go."""


class LabResponse(ResponseContextManager):
    """The response of a `with` block: Locust would leave it out of all counts when the user's code raises inside."""

    def __exit__(self, *ended_by: object) -> Any:  # noqa: ANN401 - as Locust's
        """Report the request, which was answered whatever became of the block."""
        kind, error, _ = ended_by
        if kind is None or self._manual_result is not None or isinstance(error, ResponseError):
            return super().__exit__(*ended_by)  # type: ignore[no-untyped-call]  # Locust's
        super().__exit__(None, None, None)  # type: ignore[no-untyped-call]  # Locust's
        return False


class LabSession(FastHttpSession):
    """Locust's fast session, which also counts what is sent, so that no request can be lost unseen."""

    recorder: Recorder
    pace: Callable[[], object] | None = None

    def request(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed through as it is
        """Send a request; see Locust's `FastHttpSession.request`."""
        if self.pace is not None:
            self.pace()
        if self.recorder.tells_time:
            kwargs["headers"] = {**begun(), **(kwargs.get("headers") or {})}
        self.recorder.sent()
        finished = False
        try:
            response = super().request(*args, **kwargs)
            finished = True
        finally:
            self.recorder.done(finished=finished)
        if isinstance(response, ResponseContextManager):
            response.__class__ = LabResponse
        return response


class Given(Equipped):
    """What every user of the lab's is given, whatever client it has.

    `number` counts users from 0 in the order of their start; `rng` is the user's own random source, made from the
    run's seed and that number, so that two runs with one seed choose alike.
    """

    lab: LabContext

    def be_given(self, lab: LabContext) -> None:
        """Take what the worker gives."""
        self.lab = lab
        self.target = lab.target
        self.data = lab.data
        self.ledger = lab.ledger
        self.env = self.load_env
        self.number = next(lab.numbers)
        self.rng = Random(f"{lab.seed}/{self.number}")  # noqa: S311 - choices of a virtual user, no secrets


class LabUser(Given, FastHttpUser):
    """A virtual user with the lab's data, ledger, checks, groups and metrics of its own."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.be_given(environment.lab)  # type: ignore[attr-defined]  # set by the worker
        self.client.__class__ = LabSession
        self.client.recorder = self.lab.recorder  # type: ignore[attr-defined]  # as of the line above
        self.client.pace = self.lab.pace  # type: ignore[attr-defined]  # as above


def json_data(response: Any) -> dict[str, Any]:  # noqa: ANN401 - any of Locust's responses
    """Give an answer's `data` object, or an empty one when the answer is not of the contract's shape."""
    try:
        data = response.json()["data"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return data if isinstance(data, dict) else {}
