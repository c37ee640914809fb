"""Where a request's time goes: noted while it is handled, told in `Server-Timing` (docs/attribution.md).

A service tells its whole time, and the parts that add up to it: the time in its database, that until it had a
connection to it, its own (what is left), and of each call to another service what that one told and what was lost on
the way. So the gateway's header holds the whole tree. Times are whole microseconds until they are written, so that the
parts add up exactly.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from reference_services.common.trace import continued, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

HEADER: Final = "Server-Timing"
BEGUN: Final = "X-Request-Start"
"""When the caller began to send, `t=` and µs since the epoch: as front ends and agents write it."""
DATABASE: Final = "db"
POOL: Final = "pool"
LONGEST: Final = 3000
"""Characters that are folded into an answer's header; what would make it longer counts as lost on the way."""
LONGEST_QUEUE_US: Final = 60_000_000
NS_PER_US: Final = 1000
_SENT: Final = re.compile(r"t=(\d{16})")
_FIRST: Final = re.compile(r"([a-z]+);dur=(\d{1,9})\.(\d{3})(?:, \1\.queue;dur=(\d{1,9})\.(\d{3}))?(?=, |$)")


class Span:
    """One request: when it began, what it has spent its time on, and what it is called by others.

    Work that a request hands to another thread is noted where that thread runs in a copy of the request's context.
    """

    __slots__ = ("_began", "_calls", "_environ", "_queue_us", "_spent", "_traceparent")

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._began = monotonic_ns()
        self._environ = environ
        self._queue_us = _queue(environ.get("HTTP_X_REQUEST_START"))
        self._spent: dict[str, int] = {}
        self._calls: list[tuple[str, int, str | None]] = []
        self._traceparent = ""

    def spend(self, kind: str, ns: int) -> None:
        """Note time that was spent, in ns."""
        self._spent[kind] = self._spent.get(kind, 0) + ns

    def call(self, name: str, ns: int, told: str | None) -> None:
        """Note a call to another service: how long it was waited for, and its own header."""
        self._calls.append((name, ns, told))

    def beside(self) -> Span:
        """Give an empty span of the same trace, for work that others share."""
        return Span(self._environ)

    def shared(self, with_others: Span) -> int:
        """Note what a shared span has spent as this one's own, too; give how much that is, in ns."""
        for kind, ns in with_others._spent.items():
            self.spend(kind, ns)
        self._calls += with_others._calls
        return sum(with_others._spent.values()) + sum(ns for _, ns, _ in with_others._calls)

    def outgoing(self) -> dict[str, str]:
        """Give the headers of a call to another service."""
        if not self._traceparent:
            self._traceparent = continued(self._environ.get("HTTP_TRACEPARENT", ""))
        state = self._environ.get("HTTP_TRACESTATE")
        head = {"traceparent": self._traceparent, BEGUN: f"t={time.time_ns() // NS_PER_US}"}
        return {**head, **state_of(state)} if state else head

    def header(self, service: str) -> str:
        """Write all that is known so far."""
        total = (monotonic_ns() - self._began) // NS_PER_US
        texts = [_part(service, total)]
        if self._queue_us:
            texts.append(_part(f"{service}.queue", self._queue_us))
        own, parts = total, []
        for kind, ns in self._spent.items():
            us = ns // NS_PER_US
            own -= us
            parts.append(_part(f"{service}.{kind}", us))
        folded, room = [], LONGEST
        for name, ns, told in self._calls:
            us = ns // NS_PER_US
            own -= us
            text = _folded(service, name, us, told if told and len(told) <= room else None)
            room -= len(text)
            folded.append(text)
        # Below zero only where work that was handed to another thread went on beside the request's own.
        return ", ".join([*texts, _part(f"{service}.own", max(own, 0)), *parts, *folded])


_span: ContextVar[Span | None] = ContextVar("span", default=None)


def spent(kind: str, begin: int, *, within: str = "") -> None:
    """Note what the present request has spent since a moment of `monotonic_ns`; background work is nobody's.

    Args:
        kind: what on.
        begin: the moment.
        within: the kind that counts this time as well, and must not.
    """
    span = _span.get()
    if span is not None:
        ns = monotonic_ns() - begin
        span.spend(kind, ns)
        if within:
            span.spend(within, -ns)


def called(name: str, begin: int, told: str | None) -> None:
    """Note a call of the present request to another service, which began at a moment of `monotonic_ns`."""
    span = _span.get()
    if span is not None:
        span.call(name, monotonic_ns() - begin, told)


@contextmanager
def for_all() -> Iterator[Span | None]:
    """Note what is spent meanwhile in a span of its own, for `shared` to give to everybody whose work it was."""
    span = _span.get()
    if span is None:
        yield None
        return
    work = span.beside()
    mark = _span.set(work)
    try:
        yield work
    finally:
        _span.reset(mark)


def shared(work: Span | None) -> int:
    """Note what work that was done for the present request and others has spent; give how much that is, in ns."""
    span = _span.get()
    return span.shared(work) if span is not None and work is not None else 0


def waited(kind: str, ns: int) -> None:
    """Note time of the present request, in ns."""
    span = _span.get()
    if span is not None and ns > 0:
        span.spend(kind, ns)


def outgoing() -> dict[str, str]:
    """Give the headers that a call to another service carries for the present request."""
    span = _span.get()
    return {} if span is None else span.outgoing()


class Timed:
    """A WSGI application whose answers tell where their time went.

    Args:
        inner: the application.
        service: its name.
        told: whether answers tell it; what is asked of others carries the trace all the same.
    """

    def __init__(self, inner: Callable[..., Iterable[bytes]], service: str, *, told: bool) -> None:
        self._inner = inner
        self._service = service
        self._told = told
        self._busy: list[None] = []  # append and pop are atomic, as adding to a number is not

    def busy(self) -> int:
        """Count the requests that are being answered, without the one that asks, where it is a request that does."""
        return max(len(self._busy) - (_span.get() is not None), 0)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        span = Span(environ)
        mark = _span.set(span)
        self._busy.append(None)

        def begun(status: str, headers: list[tuple[str, str]], *failure: object) -> Any:  # noqa: ANN401 - as WSGI has it
            headers.append((HEADER, span.header(self._service)))
            return start_response(status, headers, *failure)

        try:
            return self._inner(environ, begun if self._told else start_response)
        finally:
            self._busy.pop()
            _span.reset(mark)


def _part(name: str, us: int) -> str:
    return f"{name};dur={us // 1000}.{us % 1000:03d}"


def _folded(service: str, name: str, waited: int, told: str | None) -> str:
    """Give the parts of a call: what the other service told, and what of the wait that leaves.

    Of what is left, the other service may know how long the request waited for it. It knows that by another clock than
    ours, so it cannot be more than what is left.
    """
    found = _FIRST.match(told) if told else None
    if found is None or told is None:
        return _way(name, waited, service)
    left = waited - _us(found[2], found[3])
    if left < 0:
        return _way(name, waited, service)
    queue = min(_us(found[4], found[5]), left) if found[4] else 0
    texts = [_way(name, left - queue, service), f"{found[1]};dur={found[2]}.{found[3]}"]
    if queue:
        texts.append(_part(f"{found[1]}.queue", queue))
    return ", ".join(texts) + told[found.end() :]


def _way(name: str, us: int, caller: str) -> str:
    return f"{name}.net;desc={caller};dur={us // 1000}.{us % 1000:03d}"


def _us(whole: str, thousandths: str) -> int:
    return int(whole) * 1000 + int(thousandths)


def _queue(sent: str | None) -> int:
    """Give how many µs ago the caller began to send; 0 where that is not known, or cannot be."""
    found = _SENT.fullmatch(sent) if sent else None
    if found is None:
        return 0
    us = time.time_ns() // NS_PER_US - int(found[1])
    return us if 0 < us <= LONGEST_QUEUE_US else 0
