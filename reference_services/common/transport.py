"""How a request gets to another service and its answer back: one strategy per profile, one exchange per call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from urllib3 import HTTPConnectionPool, Timeout
from urllib3.connectionpool import connection_from_url
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from reference_services.common.wire import Wire

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
        return _exchanged(self._pool, method, target, body, headers, patience)


class PerCall:
    """urllib3 with a new connection for every call, as who never heard of keep-alive does it.

    Args:
        base_url: where the service is.
        connections: how many would be kept; none is.
    """

    def __init__(self, base_url: str, connections: int) -> None:  # noqa: ARG002 - the strategies share one signature
        self._base_url = base_url

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], patience: Patience
    ) -> Answer:
        """Send over a connection that ends with the answer, whatever the other side would like."""
        pool = connection_from_url(self._base_url, maxsize=1, retries=False)
        try:
            return _exchanged(pool, method, target, body, {**headers, "Connection": "close"}, patience)
        finally:
            pool.close()


def _exchanged(  # noqa: PLR0913, PLR0917 - what an exchange is
    pool: HTTPConnectionPool,
    method: str,
    target: str,
    body: bytes | None,
    headers: Mapping[str, str],
    patience: Patience,
) -> Answer:
    try:
        reply = pool.urlopen(
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
