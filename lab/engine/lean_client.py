"""The lean client: sends a user's requests over kept-alive connections, and counts each exactly once.

What may be sent again? A connection that the server closed while it was idle is noticed before anything is sent, and
opened again. Where the end comes between that look and the first byte, nobody has seen the request, and it is sent
again, too. Where bytes have left and no answer comes, only what may be sent twice by HTTP's own rules (GET, PUT,
DELETE …) is sent again, once, and only when the connection had been used before; a POST is a failure then.
"""

from __future__ import annotations

import time
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from geventhttpclient.response import HTTPConnectionClosed
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, LocustBadStatusCode

from lab.engine.lean_answer import JudgedResponse, LeanResponse
from lab.engine.lean_request import EXTRA, body_of, head
from lab.engine.lean_wire import connect
from lab.engine.parts import begun
from lab.engine.reasons import reason
from lab.engine.tags import LATE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from locust.event import EventHook

    from lab.engine.lean_answer import Judgement
    from lab.engine.lean_request import Head
    from lab.engine.lean_wire import Connection, Limits, Origin
    from lab.engine.listen import KnownLines
    from lab.engine.recorder import Recorder

US: Final = 1_000_000
MS: Final = 1_000
MAX_HEADS: Final = 4_000
GOOD: Final = frozenset({*range(200, 209), 226, 301, 302, 303, 304, 307, 308})
"""The statuses that are no failure: Locust's."""
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""The methods that may be sent twice."""
OWN: Final = frozenset({"locust.runners", "lab.engine.listen"})
"""Whose listeners to Locust's `request` event need not hear of a request: it is recorded without them."""
_NOTHING: Final[Mapping[str, Any]] = {}


class Shared:
    """What all users of a process share: who records, on which lines, who else listens, and the prepared requests."""

    def __init__(self, recorder: Recorder, known: KnownLines, event: EventHook) -> None:
        self.recorder = recorder
        self.known = known
        self.event = event
        self.heads: dict[tuple[str, ...], Head] = {}

    def others_listen(self) -> bool:
        """Tell whether anybody but the lab and Locust's runner wants to hear of requests."""
        return any(getattr(handler, "__module__", "") not in OWN for handler in self.event._handlers)  # noqa: SLF001 - Locust has no other way to ask


class LeanClient:
    """A user's requests: `self.client.post(url, json=…, headers=…, name=…, context=…)`.

    `pace`, where there is one, is called before each request and may wait: the cap of requests a second.
    """

    def __init__(
        self,
        shared: Shared,
        base_url: str,
        limits: Limits,
        context: Callable[[], Mapping[str, Any]],
        pace: Callable[[], object] | None = None,
    ) -> None:
        """Be ready to connect.

        Args:
            shared: what all users share.
            base_url: goes before a URL that does not begin with http:// or https://.
            limits: how long to wait.
            context: gives the tags that every request of the user has at the moment, and how late its iteration is.
            pace: see above.
        """
        self._shared = shared
        self._recorder = shared.recorder
        self._base = base_url
        self._limits = limits
        self._context = context
        self.pace = pace
        self._idle: dict[Origin, list[Connection]] = {}

    def get(self, url: str, **call: Any) -> LeanResponse:
        """Send a GET request; see `request`."""
        return self.request("GET", url, **call)

    def head(self, url: str, **call: Any) -> LeanResponse:
        """Send a HEAD request; see `request`."""
        return self.request("HEAD", url, **call)

    def options(self, url: str, **call: Any) -> LeanResponse:
        """Send an OPTIONS request; see `request`."""
        return self.request("OPTIONS", url, **call)

    def post(self, url: str, data: Any = None, json: Any = None, **call: Any) -> LeanResponse:  # noqa: ANN401 - as `request`
        """Send a POST request; see `request`."""
        return self.request("POST", url, data=data, json=json, **call)

    def put(self, url: str, data: Any = None, **call: Any) -> LeanResponse:  # noqa: ANN401 - as `request`
        """Send a PUT request; see `request`."""
        return self.request("PUT", url, data=data, **call)

    def patch(self, url: str, data: Any = None, **call: Any) -> LeanResponse:  # noqa: ANN401 - as `request`
        """Send a PATCH request; see `request`."""
        return self.request("PATCH", url, data=data, **call)

    def delete(self, url: str, **call: Any) -> LeanResponse:
        """Send a DELETE request; see `request`."""
        return self.request("DELETE", url, **call)

    def request(  # noqa: PLR0913 - what a request is
        self,
        method: str,
        url: str,
        *,
        name: str | None = None,
        data: str | bytes | Mapping[str, object] | None = None,
        json: Any = None,  # noqa: ANN401 - whatever JSON has
        headers: Mapping[str, object] | None = None,
        context: Mapping[str, Any] | None = None,
        catch_response: bool = False,
    ) -> LeanResponse:
        """Send a request, wait for its answer, and record it. What goes wrong on the way is a failure, not an error.

        Args:
            method: HTTP's.
            url: absolute, or what follows the user's `host`.
            name: what the request is called in the figures, instead of its URL.
            data: the body as it is, or as a form when it is a mapping.
            json: the body as JSON, when there is no `data`.
            headers: names and values; they go before those that the client would send.
            context: tags.
            catch_response: whether the caller says, in a with block, if the answer is a success or a failure.

        Raises:
            ValueError: the URL or a header cannot be sent as it is; nothing was sent.
        """
        if self.pace is not None:
            self.pace()
        body, kind = body_of(data, json)
        if self._recorder.tells_time:
            headers = {**begun(), **(headers or _NOTHING)}
        key = (method, self._base, url, kind, "body" if body else "", *(headers or ()))
        prepared = self._shared.heads.get(key) or self._prepare(key, method, url)
        wire = prepared.render(headers.values() if headers else (), body)
        around = self._context()
        told = {**around, **context} if around and context else around or context or _NOTHING
        answer = JudgedResponse(method, url) if catch_response else LeanResponse(method, url)
        self._recorder.sent()
        finished = False
        begin = perf_counter()
        try:
            self._exchange(prepared, wire, answer)
            finished = True
        except FAILURE_EXCEPTIONS as error:
            answer.error = error
            finished = True
        finally:
            self._recorder.done(finished=finished)
        answer.elapsed_us = int((perf_counter() - begin) * US + 0.5)
        answer.report_by(partial(self._record, prepared, name or url, told))
        return answer

    def close(self) -> None:
        """Close all connections."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _prepare(self, key: tuple[str, ...], method: str, url: str) -> Head:
        absolute = url if url[:8].lower().startswith(("http://", "https://")) else self._base + url
        _, _, _, kind, body, *names = key
        prepared = head(method, absolute, names, EXTRA[kind], with_body=bool(body))
        if len(self._shared.heads) >= MAX_HEADS:  # URLs with an id in them: begin again
            self._shared.heads.clear()
        self._shared.heads[key] = prepared
        return prepared

    def _exchange(self, prepared: Head, wire: bytes, answer: LeanResponse) -> None:
        """Send the bytes of a request, and read its answer.

        Raises:
            OSError, HTTPParseError, zlib.error: there was no whole answer.
        """
        idle = self._idle.get(prepared.origin)
        if idle is None:
            idle = self._idle[prepared.origin] = []
        while idle:
            connection = idle.pop()
            if connection.usable():
                if self._over(connection, idle, wire, answer):
                    return
                break
            connection.close()
        if not self._over(connect(prepared.origin, self._limits), idle, wire, answer, fresh=True):
            raise HTTPConnectionClosed("connection closed.")

    @staticmethod
    def _over(
        connection: Connection, idle: list[Connection], wire: bytes, answer: LeanResponse, *, fresh: bool = False
    ) -> bool:
        """Use one connection.

        Returns:
            False when it was closed by the server, and the request may be sent again.
        """
        keep = False
        try:
            if not connection.send(wire):
                return False
            keep = answer.read(connection)
        except HTTPConnectionClosed:
            if fresh or answer.method not in REPEATABLE:
                raise
            return False
        finally:
            if keep:
                idle.append(connection)
            else:
                connection.close()
        return True

    def _record(
        self,
        prepared: Head,
        name: str,
        context: Mapping[str, Any],
        answer: LeanResponse,
        said: Judgement,
    ) -> None:
        """Count an answer: by its status, or as the caller said."""
        line = self._shared.known.line(prepared.method, name, context)
        failure = None if said is True else said or answer.error
        if failure is None and (said is True or answer.status_code in GOOD):
            line.ok(answer.elapsed_us, len(answer.content), context.get(LATE))
            if told := answer.server_timing:
                line.timed(answer.elapsed_us, told)
        else:
            failure = failure or LocustBadStatusCode(prepared.url, code=answer.status_code)
            line.fail(answer.elapsed_us, len(answer.content), context.get(LATE), reason(failure, answer))
        if self._shared.others_listen():
            self._tell(prepared, name, context, answer, failure)

    def _tell(
        self, prepared: Head, name: str, context: Mapping[str, Any], answer: LeanResponse, failure: BaseException | None
    ) -> None:
        """Fire Locust's event, with what Locust's own clients put into it."""
        self._shared.event.fire(
            request_type=prepared.method,
            name=name,
            context=context,
            response=answer,
            exception=failure,
            start_time=time.time() - answer.elapsed_us / US,
            url=prepared.url,
            response_length=len(answer.content),
            response_time=answer.elapsed_us / MS,
        )
