"""The master's side of the wire: Locust's master, which opens one port and hears everybody."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import gevent
from locust import User
from locust.exception import RPCError
from locust.rpc.protocol import Message
from locust.runners import STATE_RUNNING, MasterRunner, WorkerNode

from lab.engine import wire
from lab.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

    from lab.engine.roster import Peer

log: Final = logging.getLogger("lab.engine")
_PAUSE: Final = 0.1


def stand_in(name: str) -> type[User]:
    """Give a user class of this name, for a process that shares users out and runs none."""
    return type(name, (User,), {})


class Leader(MasterRunner):
    """A runner whose users are the workers'. Every message goes to `on_message` first."""

    def __init__(
        self, environment: Environment, bind: tuple[str, int], on_message: Callable[[str, Message], None]
    ) -> None:
        """Listen.

        Raises:
            RunError: the address is not this machine's, or the port is taken.
        """
        self._on_message = on_message
        try:
            super().__init__(environment, *bind)
        except RPCError as error:
            raise RunError(
                f"the master cannot listen on {bind[0]}:{bind[1]}: {error}; choose with --bind and --master-port"
            ) from None

    @property
    def port(self) -> int:
        """Give the port that it listens on."""
        return int(self.server.port)

    def welcome(self, client: str) -> None:
        """Take a worker in."""
        self.clients[client] = WorkerNode(client)
        self.tell(client, "ack", {"index": self.get_worker_index(client)})  # type: ignore[no-untyped-call]  # Locust's

    def tell(self, client: str, kind: str, data: Any = None) -> None:  # noqa: ANN401 - plain values
        """Send one worker a message; that a worker is gone shows by its silence."""
        try:
            self.server.send_to_client(Message(kind, data, client))
        except RPCError:
            log.warning("%s could not be sent to %s", kind, client)

    def begin(self) -> None:
        """Fire what Locust's listeners await before the first user."""
        self.update_state(STATE_RUNNING)
        self.environment.events.test_start.fire(environment=self.environment)

    def leave_out(self, peer: Peer) -> None:
        """Count a worker no more."""
        self.clients.pop(peer.client, None)

    def hang_up(self) -> None:
        """Listen no more; what was sent still goes out."""
        self.greenlet.kill(block=True)
        self.server.close(linger=wire.LINGER_MS)

    def heard(self, client: str, msg: Message) -> None:
        """Let Locust take in a worker's heartbeat or report as it does."""
        if client in self.clients:
            super().handle_message(client, msg)

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Pass a message on; one that nobody can use does no harm."""
        try:
            self._on_message(client_id, msg)
        except Exception:
            log.exception("a message of %s could not be used", client_id)

    def client_listener(self) -> None:  # type: ignore[override]  # Locust's never returns
        """Listen for ever, whatever comes."""
        while True:
            try:
                client, msg = self.server.recv_from_client()
            except Exception:
                log.warning("what came was no message", exc_info=True)
                gevent.sleep(_PAUSE)
            else:
                self.handle_message(client, msg)

    def heartbeat_worker(self) -> None:  # type: ignore[override]  # as above
        """Leave the watch over workers to the master itself, which says whom it lost."""
