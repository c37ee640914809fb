"""A connection of the lean client: bytes out, bytes in, and nothing in between but the wait for them.

gevent's own socket asks the kernel for bytes before it waits for them, and makes a timer for every wait. After a
request there is nothing to read yet, so this one waits first; and it keeps one timer a connection, which looks whether
anybody has waited too long only when somebody could have.
"""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import ref

import gevent.socket
import gevent.ssl
from gevent import get_hub, getcurrent, monkey

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM: Final = 65_536
_READ, _WRITE = 1, 2
_poll: Callable[[], Any] = monkey.get_original("select", "poll") if hasattr(select, "poll") else select.poll
_plain_socket: type[socket.socket] = monkey.get_original("socket", "socket")


class Origin(NamedTuple):
    """Where requests go: one server, as a URL names it."""

    secure: bool
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds, for a connection, and for a server that is silent; and whom to trust."""

    connect: float
    silence: float
    insecure: bool = False


class Connection:
    """A connection to an origin without TLS."""

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_due",
        "_hub",
        "_idle",
        "_readable",
        "_silence",
        "_socket",
        "_waiter",
        "_writable",
    )

    def __init__(self, origin: Origin, limits: Limits) -> None:
        """Connect.

        Raises:
            OSError: nobody is there, or not in time.
        """
        self._alarm: Any = None
        self._silence = limits.silence
        opened = gevent.socket.create_connection((origin.host, origin.port), limits.connect)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = self._take(opened, origin, limits)
        file = self._socket.fileno()
        self._hub = get_hub()
        self._readable = self._hub.loop.io(file, _READ)
        self._writable = self._hub.loop.io(file, _WRITE)
        self._idle = _poll()
        self._idle.register(file, select.POLLIN)
        self._waiter: Any = None
        self._due = 0.0
        self._set_alarm(limits.silence)

    def usable(self) -> bool:
        """Tell whether the server has kept the connection open; what it said unasked makes it unusable, too."""
        return not self._idle.poll(0)

    def send(self, data: bytes) -> bool:
        """Send all of it.

        Returns:
            False when the connection was closed before the first byte left: the server has seen nothing.

        Raises:
            TimeoutError: the server has taken nothing in for too long.
        """
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            return False
        if sent < len(data):
            # A server may refuse a long body, and hang up, before it has all of it: its answer comes next.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._send_rest(memoryview(data)[sent:])
        return True

    def answer(self) -> bytes:
        """Give what the server says next, waiting for it first; nothing when it has closed the connection.

        Raises:
            OSError: the connection broke, or the server was silent for too long.
        """
        self._wait(self._readable)
        return self.recv()

    def recv(self, size: int = ROOM) -> bytes:
        """Give what the server said, or says next; as `answer`."""
        while True:
            try:
                received: bytes = self._socket.recv(size)
            except BlockingIOError:
                self._wait(self._readable)
            else:
                return received

    def close(self) -> None:
        """Close it; a second time does nothing."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None
            self._readable.close()
            self._writable.close()
            self._socket.close()

    def __del__(self) -> None:
        """Close what a user who is gone has left."""
        self.close()

    def _take(self, opened: Any, origin: Origin, limits: Limits) -> Any:  # noqa: ANN401 - gevent's socket or the system's
        """Make of the open connection what bytes go through."""
        del origin, limits
        taken = _plain_socket(opened.family, opened.type, opened.proto, opened.detach())
        taken.settimeout(0)
        return taken

    def _send_rest(self, rest: memoryview) -> None:
        while rest:
            self._wait(self._writable)
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                continue

    def _wait(self, event: Any) -> None:  # noqa: ANN401 - gevent's watchers have no public type
        waiter = self._waiter = getcurrent()
        self._due = perf_counter() + self._silence
        event.start(waiter.switch)
        try:
            self._hub.switch()
        finally:
            event.stop()
            self._waiter = None

    def _set_alarm(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.close()
        self._alarm = self._hub.loop.timer(seconds, ref=False)
        self._alarm.start(_look_at, ref(self))

    def look(self) -> None:
        """End a wait that has lasted too long; look again when the present one, or the next, could have."""
        left = self._due - perf_counter() if self._waiter is not None else self._silence
        if left > 0:
            self._set_alarm(left)
        else:
            self._waiter.throw(TimeoutError("timed out"))


class SecureConnection(Connection):
    """A connection with TLS, which gevent does; it costs so much by itself that nothing is saved around it."""

    __slots__ = ()

    def usable(self) -> bool:
        """Tell whether the server has kept the connection open; it may send session tickets meanwhile."""
        if super().usable():
            return True
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        finally:
            self._socket.settimeout(self._silence)
        return False

    def send(self, data: bytes) -> bool:
        """Send all of it; how much has left when it breaks is not known."""
        self._socket.sendall(data)
        return True

    def answer(self) -> bytes:
        """Give what the server says next; nothing when it has closed the connection."""
        return self.recv()

    def recv(self, size: int = ROOM) -> bytes:
        """As `answer`."""
        taken: bytes = self._socket.recv(size)
        return taken

    def _take(self, opened: Any, origin: Origin, limits: Limits) -> Any:  # noqa: ANN401 - gevent's socket
        try:
            taken = _trust(insecure=limits.insecure).wrap_socket(opened, server_hostname=origin.host)
        except BaseException:
            opened.close()
            raise
        taken.settimeout(limits.silence)
        return taken


def _look_at(seen: ref[Connection]) -> None:
    """Look at a connection that is still there: its alarm keeps it from no one."""
    connection = seen()
    if connection is not None:
        connection.look()


def connect(origin: Origin, limits: Limits) -> Connection:
    """Connect to an origin.

    Raises:
        OSError: nobody is there, not in time, or nobody who can be trusted.
    """
    return (SecureConnection if origin.secure else Connection)(origin, limits)


@cache
def _trust(*, insecure: bool) -> ssl.SSLContext:
    """Give the TLS settings of all connections; reading the system's authorities takes milliseconds."""
    context: ssl.SSLContext = gevent.ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
