"""How a request gets to another service and its answer back: one strategy per profile, one exchange per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from reference_services.common.wire import Headers, Idle, Wire

if TYPE_CHECKING:
    from reference_services.common.profile import Profile


class NoConnectionError(Exception):
    """No connection came about: nothing was sent."""


class NoAnswerError(Exception):
    """The answer did not come in time."""


class BrokenError(Exception):
    """The connection broke, or what came over it is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (found in any case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Exchanges one request for one answer; any number of threads may do so at once."""

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> Answer:
        """Send a request once.

        Raises:
            NoConnectionError: nothing was sent.
            NoAnswerError: it took too long.
            BrokenError: it came to nothing halfway.
        """


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a connection, and for each piece of an answer, in seconds."""

    connect_s: float
    read_s: float


class PerCall:
    """The standard library's client with a new connection for every call, as who never heard of keep-alive does it.

    Args:
        base_url: `http://host:port`.
        connections: how many would be kept; none is.
    """

    headers: Mapping[str, str] = MappingProxyType({"Connection": "close"})

    def __init__(self, base_url: str, connections: int) -> None:  # noqa: ARG002 - the strategies share one signature
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or 80

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> Answer:
        """Send over a connection of the strategy's."""
        connection = self._connection(patience.connect_s)
        try:
            connection.sock.settimeout(patience.read_s)
            connection.request(method, target, body, {**headers, **self.headers})
            reply = connection.getresponse()
            answer = Answer(reply.status, Headers.of(reply.getheaders()), reply.read())
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise NoAnswerError from error
            if isinstance(error, (HTTPException, OSError, ValueError)):
                raise BrokenError from error
            raise
        self._leave(connection)
        return answer

    def _connection(self, connect_s: float) -> HTTPConnection:
        connection = HTTPConnection(self._host, self._port, timeout=connect_s)
        try:
            connection.connect()
        except TimeoutError as error:
            raise NoAnswerError from error
        except OSError as error:
            raise NoConnectionError from error
        return connection

    def _leave(self, connection: HTTPConnection) -> None:
        connection.close()


class Pooled(PerCall):
    """The same client, whose connections are kept alive; nobody waits for a free one."""

    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, base_url: str, connections: int) -> None:
        super().__init__(base_url, connections)
        self._idle: Idle[HTTPConnection] = Idle(connections, lambda connection: connection.sock)

    def _connection(self, connect_s: float) -> HTTPConnection:
        return self._idle.taken() or super()._connection(connect_s)

    def _leave(self, connection: HTTPConnection) -> None:
        # It has no socket any more where the other side wanted to end it with the answer.
        self._idle.keep(connection)


class Lean:
    """A client that knows what our services' answers look like, and keeps its connections alive.

    Args:
        base_url: where the service is.
        connections: how many are kept.
    """

    def __init__(self, base_url: str, connections: int) -> None:
        self._wire = Wire(base_url, connections)

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> Answer:
        """Send over the connection that was used last, or a new one."""
        try:
            status, told, said = self._wire.send(method, target, body, headers, patience.connect_s, patience.read_s)
        except ConnectionRefusedError as error:
            raise NoConnectionError from error
        except TimeoutError as error:
            raise NoAnswerError from error
        except (OSError, ValueError) as error:
            raise BrokenError from error
        return Answer(status, told, said)


Opens = Callable[[str, int], Transport]
"""Gives the way to a service from where it is and how many connections are kept."""


def transport_of(profile: Profile) -> Opens:
    """Choose the profile's way of sending."""
    if profile.exchange == "lean":
        return Lean
    return Pooled if profile.connections == "kept" else PerCall
