"""The lean user: a LabUser with a client of the lab's own, which costs a fraction of Locust's.

    class Reader(LeanUser):
        wait_time = constant(1)

        @task
        def search(self) -> None:
            response = self.client.get("/flights/api/v1/flights", name="GET flights", context=operation("search"))
            self.check(response, {"status is 200": lambda r: r.status_code == 200})

What stays the same from request to request is prepared once, answers are recorded without Locust's `request` event
(which is fired only when somebody else listens to it), and of an answer only what is asked for is made. Not here:
redirects are not followed but shown as they are, cookies are not kept, and packed answers come only to who asks for
them with `Accept-Encoding`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from locust import User
from locust.exception import StopTest

from lab.engine.client import Given
from lab.engine.lean_client import LeanClient, Shared
from lab.engine.lean_wire import Limits
from lab.engine.listen import KnownLines

if TYPE_CHECKING:
    from typing import Any

    from gevent import Greenlet
    from gevent.pool import Group
    from locust.env import Environment

    from lab.engine.recorder import Recorder

_shared: Final[WeakKeyDictionary[Recorder, Shared]] = WeakKeyDictionary()


class LeanUser(Given, User):
    """A virtual user as `LabUser` is, with the lean client.

    `network_timeout` and `connection_timeout` are seconds, as Locust's FastHttpUser has them; `insecure` takes any
    certificate, which Locust's does unless it is told otherwise, and this one does not.
    """

    abstract = True
    network_timeout: float = 60.0
    connection_timeout: float = 60.0
    insecure: bool = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest("a LeanUser needs a host: the URL that its requests go to")
        self.be_given(environment.lab)  # type: ignore[attr-defined]  # set by the worker
        self.client = LeanClient(
            _shared_by(self.lab.recorder, environment),
            self.host,
            Limits(self.connection_timeout, self.network_timeout, insecure=self.insecure),
            self.context,
            self.lab.pace,
        )

    def start(self, group: Group) -> Greenlet[..., Any]:
        """Be a user from now on, as Locust has it, and leave no connection open at the end."""
        greenlet: Greenlet[..., Any] = super().start(group)
        greenlet.rawlink(lambda _: self.client.close())
        return greenlet


def _shared_by(recorder: Recorder, environment: Environment) -> Shared:
    """Give what the users of one recorder share."""
    found = _shared.get(recorder)
    if found is None:
        found = _shared[recorder] = Shared(recorder, KnownLines(recorder), environment.events.request)
    return found
