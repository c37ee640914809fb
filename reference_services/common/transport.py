"""How a request gets to another service and its answer back: one strategy per profile, one exchange per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from urllib3 import Timeout
from urllib3.connectionpool import connection_from_url
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from reference_services.common.wire import Headers, Wire

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


class Pooled:
    """urllib3, whose connections are kept alive; nobody waits for a free one.

    Args:
        base_url: where the service is.
        connections: how many are kept.
    """

    def __init__(self, base_url: str, connections: int) -> None:
        self._pool = connection_from_url(base_url, maxsize=connections, block=False, retries=False)

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> Answer:
        """Send over a kept connection, or a new one."""
        try:
            reply = self._pool.urlopen(
                method,
                target,
                body=body,
                headers=headers,
                timeout=Timeout(connect=patience.connect_s, read=patience.read_s),
                retries=False,
                redirect=False,
                assert_same_host=False,
                decode_content=False,
            )
        except NewConnectionError as error:
            raise NoConnectionError from error
        except Urllib3Timeout as error:
            raise NoAnswerError from error
        except (HTTPError, MaxRetryError, OSError) as error:
            raise BrokenError from error
        return Answer(reply.status, reply.headers, reply.data)


class PerCall:
    """The standard library's client with a new connection for every call, as who never heard of keep-alive does it.

    Args:
        base_url: `http://host:port`.
        connections: how many would be kept; none is.
    """

    def __init__(self, base_url: str, connections: int) -> None:  # noqa: ARG002 - the strategies share one signature
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or 80

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> Answer:
        """Send over a connection that ends with the answer, whatever the other side would like."""
        connection = HTTPConnection(self._host, self._port, timeout=patience.connect_s)
        try:
            connection.connect()
        except TimeoutError as error:
            raise NoAnswerError from error
        except OSError as error:
            raise NoConnectionError from error
        try:
            connection.sock.settimeout(patience.read_s)
            connection.request(method, target, body, {**headers, "Connection": "close"})
            reply = connection.getresponse()
            return Answer(reply.status, Headers.of(reply.getheaders()), reply.read())
        except TimeoutError as error:
            raise NoAnswerError from error
        except (HTTPException, OSError, ValueError) as error:
            raise BrokenError from error
        finally:
            connection.close()


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
