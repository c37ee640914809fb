"""Calls to another service: a time-out on each, repeated once where that is harmless, the request id passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic_ns

from pydantic_core import from_json

from reference_services.common import timing
from reference_services.common.errors import UpstreamDownError, UpstreamSlowError
from reference_services.common.log import request_id
from reference_services.common.transport import (
    BrokenError,
    NoAnswerError,
    NoConnectionError,
    Opens,
    Patience,
    Pooled,
)

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# One lost SYN is repeated after a second: let that happen once.
CONNECT_TIMEOUT_S = 3.0
HEALTH_PATIENCE = Patience(1.0, 1.0)
OK = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What another service answered.

    Attributes:
        status: its HTTP status.
        headers: its headers.
        body: its body.
        attempts: how often the request was sent (2 after a connection that broke).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    attempts: int

    def complaint(self, name: str) -> str:
        """Write a clause that says what a service answered that is no use, with its own sentence where it has one."""
        try:
            said = from_json(self.body)["message"]
        except (ValueError, KeyError, TypeError):
            said = ""
        return f"{name} answered {self.status}" + (f" ({said})" if said else "")


class Upstream:
    """Another service; `over` says how requests get there, and never blocks for a free connection.

    Attributes:
        name: its name.
        timeout_s: how long it is waited for, in seconds.
    """

    def __init__(self, name: str, base_url: str, *, timeout_s: float, connections: int, over: Opens = Pooled) -> None:
        self.name = name
        self.timeout_s = timeout_s
        self._patience = _patience(timeout_s)
        self._transport = over(base_url, connections)

    def call(  # noqa: PLR0913 - what a request is
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        timeout_s: float | None = None,
    ) -> Reply:
        """Send a request for `target` (path and query) and give the whole answer.

        A kept-alive connection may be closed by the other side at the moment that it is used. Such a break is
        hidden by one repetition where that is harmless: for idempotent methods, and for calls that the caller
        declares `repeatable` because they carry a key. `timeout_s` is for a call that has less
        time than usual.

        Raises:
            UpstreamDownError: the service could not be reached or hung up.
            UpstreamSlowError: it did not answer in time.
        """
        sent_headers = {"X-Request-ID": request_id.get(), **timing.outgoing(), **(headers or {})}
        patience = self._patience if timeout_s is None else _patience(timeout_s)
        last = 2 if repeatable or method in IDEMPOTENT else 1
        begin, told = monotonic_ns(), None
        try:
            reply = self._sent(method, target, body, sent_headers, patience, last)
            told = reply.headers.get(timing.HEADER)
        finally:
            timing.called(self.name, begin, told)
        return reply

    def _sent(  # noqa: PLR0913, PLR0917 - what a request is
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        patience: Patience,
        last: int,
    ) -> Reply:
        """Send a request, at most `last` times."""
        sent = False
        for attempt in range(1, last + 1):
            try:
                answer = self._transport.exchange(method, target, body, headers, patience)
            except NoConnectionError as error:
                raise UpstreamDownError(f"{self.name} cannot be reached", sent=sent) from error
            except NoAnswerError as error:
                raise UpstreamSlowError(f"{self.name} did not answer in {patience.read_s:g} s", sent=True) from error
            except BrokenError as error:
                sent = True
                if attempt == last:
                    raise UpstreamDownError(f"{self.name} broke the connection", sent=True) from error
            else:
                return Reply(answer.status, answer.headers, answer.body, attempt)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def unready(self) -> str | None:
        """Give None when the service's `/health` is 200, or the reason why it is not; waits a second at most."""
        try:
            status = self._transport.exchange("GET", "/health", None, {}, HEALTH_PATIENCE).status
        except (NoConnectionError, NoAnswerError, BrokenError):
            return f"{self.name} cannot be reached"
        return None if status == OK else f"{self.name} is not ready"


def _patience(timeout_s: float) -> Patience:
    return Patience(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
