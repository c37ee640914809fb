"""A runner that runs nobody: Locust's page shows in it what the load processes of a run do elsewhere."""

from __future__ import annotations

from locust.runners import STATE_RUNNING, MasterRunner, Runner, WorkerNode, WorkerNodes  # isort: skip - it patches

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from locust.env import Environment

    from lab.engine.webui.seen import Process
    from lab.model.run import ScriptTrace

MIB: Final = 1024 * 1024
_PERCENT: Final = 100
_USER: Final = "users"


class Mirror(MasterRunner):
    """A master as far as Locust's page looks at one: a state, users, and its workers."""

    def __init__(self, environment: Environment) -> None:
        """Be a runner without a master's sockets: nobody connects to it."""
        Runner.__init__(self, environment)
        self.clients = WorkerNodes()
        self.users = 0

    @property
    def user_count(self) -> int:
        """Give how many users are at work."""
        return self.users

    @property
    def worker_count(self) -> int:
        """Give the number of load processes; while none runs, the one that there will be at least."""
        return max(len(self.clients), 1)

    @property
    def reported_user_classes_count(self) -> dict[str, int]:
        """Say nothing of classes: they are loaded in the load processes alone."""
        return {}

    def start(self, *_: object, **__: object) -> None:
        """Start nobody: the page's orders go to the parent (`orders.py`)."""

    def stop(self, *_: object, **__: object) -> None:
        """Stop nobody, as above."""

    def quit(self) -> None:
        """Leave nobody behind, as above."""

    def send_message(self, *_: object, **__: object) -> None:
        """Send nothing: nobody listens."""

    def reflect(self, users: float, processes: Mapping[str, Process]) -> None:
        """Show the users and the load processes of a second."""
        self.users = round(users)
        each, more = divmod(self.users, max(len(processes), 1))
        for place, (name, process) in enumerate(sorted(processes.items())):
            node = self.clients.get(name)
            if node is None:
                node = self.clients[name] = WorkerNode(name)
            node.state = STATE_RUNNING
            node.cpu_usage = round(process.cpu * _PERCENT)
            node.memory_usage = round(process.memory * MIB)
            # The engine shares users out evenly; which process has which is not written down.
            node.user_classes_count = {_USER: each + (place < more)}

    def forget(self) -> None:
        """Show nothing of the last run any more."""
        self.users, self.clients, self.exceptions = 0, WorkerNodes(), {}

    def raised(self, traces: Iterable[ScriptTrace]) -> None:
        """Show what the user's own classes raised."""
        for place, found in enumerate(traces):
            self.exceptions[place] = {
                "count": found.count,
                "msg": found.message,
                "traceback": found.trace,
                "nodes": {"load"},
            }
