"""What goes between a master and its workers: Locust's own messages and the lab's, over Locust's sockets with a key.

The lab's messages, in the order in which a run sends them (W the worker, M the master):

    W hello    who I am, which lab, which users file       M refused   why not; or Locust's `ack`
    M plan     run, share of the data, place among all     W ready, or failed (a sentence and an exit code)
    M ping     a number                                    W pong      the number and the worker's clock
    M begin    second 0, by the worker's clock             M clock     second 0 once more, when clocks drift
    W stats    Locust's report, with the seconds that are over under `lab`; W ledger: rows, before they are sent
    M part     your place among those that are left        M edit      so many (users, or arrivals) from now on
    M drain    let users finish; M halt: at once           W stats     with `last` set
    M bye      everything has arrived

With a key (the environment variable AIRBOURNE_WORKER_KEY, the same on both sides) the connection is CurveZMQ, with a
server key made from it: who does not know it gets no answer, and what is sent can be neither read nor changed on the
way. It does not protect from somebody who knows the key (a worker is given tokens of the target's users, and a master
says where a worker sends its load), from one who guesses a short key, or from a flood of connections. Nothing that
comes in is ever run as code: messages are plain values, and a worker loads only the users file on its own disk.
"""

from __future__ import annotations

import functools
import hashlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import zmq.green as zmq
from locust import runners
from locust.exception import RPCError, RPCSendError
from locust.rpc.zmqrpc import BaseSocket
from zmq.utils import z85

if TYPE_CHECKING:
    from locust.rpc.protocol import Message

HELLO: Final = "lab_hello"
REFUSED: Final = "lab_refused"
PLAN: Final = "lab_plan"
READY: Final = "lab_ready"
FAILED: Final = "lab_failed"
PING: Final = "lab_ping"
PONG: Final = "lab_pong"
BEGIN: Final = "lab_begin"
CLOCK: Final = "lab_clock"
LEDGER: Final = "lab_ledger"
PART: Final = "lab_part"
EDIT: Final = "lab_edit"
DRAIN: Final = "lab_drain"
HALT: Final = "lab_halt"
BYE: Final = "lab_bye"
REPORT: Final = "lab"
"""Where the lab's part stands in a worker's report to Locust's master."""

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of the largest message that is taken in: a plan with a million users."""
LINGER_MS: Final = 1000
"""How long a process that ends waits for what it sent to go out."""
_SALT: Final = b"airbourne-lab: master and workers"


def server_keys(key: str) -> tuple[bytes, bytes]:
    """Make the master's key pair (public, secret) from the shared key; slow on purpose, against guessing."""
    secret = z85.encode(hashlib.scrypt(key.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=32))
    return zmq.curve_public(secret), secret


class _Socket(BaseSocket):
    """Locust's socket, which neither drops a message when many wait nor sleeps between tries."""

    def __init__(self, kind: int, host: str, port: int) -> None:
        super().__init__(kind, self.ipv4_only(host, port))  # type: ignore[no-untyped-call]  # Locust's
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        # Without this a process whose words nobody takes would never end.
        self.socket.setsockopt(zmq.LINGER, LINGER_MS)

    def send(self, message: Message) -> None:
        """Send to the master."""
        try:
            self.socket.send(message.serialize(), zmq.NOBLOCK)
        except zmq.ZMQError as error:
            raise RPCSendError("the message could not be sent") from error

    def send_to_client(self, message: Message) -> None:
        """Send to a worker."""
        try:
            self.socket.send_multipart([message.node_id.encode(), message.serialize()])
        except zmq.ZMQError as error:
            raise RPCSendError("the message could not be sent") from error


class Server(_Socket):
    """The master's end. `port` 0 takes any free one."""

    def __init__(self, host: str, port: int, key: str = "") -> None:
        super().__init__(zmq.ROUTER, host, port)
        if key:
            self.socket.curve_publickey, self.socket.curve_secretkey = server_keys(key)
            self.socket.curve_server = True
        address = f"tcp://[{host}]" if ":" in host else f"tcp://{host}"
        try:
            if port == 0:
                self.port = self.socket.bind_to_random_port(address)
            else:
                self.socket.bind(f"{address}:{port}")
                self.port = port
        except zmq.ZMQError as error:
            self.close(linger=0)  # type: ignore[no-untyped-call]  # Locust's
            raise RPCError(str(error)) from error


class Client(_Socket):
    """A worker's end. It connects again by itself whenever the master is away."""

    def __init__(self, host: str, port: int, identity: str, key: str = "") -> None:
        super().__init__(zmq.DEALER, host, port)
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        if key:
            self.socket.curve_serverkey = server_keys(key)[0]
            self.socket.curve_publickey, self.socket.curve_secretkey = zmq.curve_keypair()
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_ALL)
        address = f"[{host}]" if ":" in host else host
        self.socket.connect(f"tcp://{address}:{port}")


def use_key(key: str) -> None:
    """Let this process's runners, once made, use the lab's sockets with this key ("" for none).

    Locust's runners make their sockets themselves, and connect before anything could be set on them.
    """
    runners.rpc = SimpleNamespace(  # type: ignore[attr-defined,assignment]  # what Locust's module of this name offers
        Server=functools.partial(Server, key=key), Client=functools.partial(Client, key=key)
    )
