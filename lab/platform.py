"""A small JSON client: a request in, the target's `data` out, or one sentence that says what went wrong."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from lab.errors import CallError
from lab.model.target import API

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from urllib3 import BaseHTTPResponse

    from lab.model.target import Target

BUSY: Final = frozenset({429, 502, 503, 504})
"""Answers that may be others when asked again."""
PAUSES_S: Final = (0.2, 0.6, 1.5)
"""How long to wait before each further try: a target that is gone is given up after some two seconds."""
LONGEST_PAUSE_S: Final = 60.0
"""The longest `Retry-After` that is obeyed; a rate limit's window is a minute."""
LARGEST_ANSWER: Final = 32 * 1024 * 1024
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds: to connect, between two pieces of an answer, and for a whole answer."""

    connect: float = 3.0
    read: float = 15.0
    whole: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the target said: a status that the caller asked for, and the answer's `data`."""

    status: int
    data: Any


class Client:
    """Calls a target's services; may be used from as many threads as it was made for.

    `token` is sent with every call once it is set; `halt` makes waiting calls give up, when it is set.
    """

    def __init__(self, target: Target, *, connections: int = 8, timeouts: Timeouts | None = None) -> None:
        from urllib3 import PoolManager, Timeout  # noqa: PLC0415 - `airbourne-lab --help` needs no HTTP

        self.target = target
        self.timeouts = timeouts or Timeouts()
        self.token = ""
        self.halt = Event()
        self._pool = PoolManager(
            num_pools=8,
            maxsize=connections,
            retries=False,
            timeout=Timeout(connect=self.timeouts.connect, read=self.timeouts.read),
        )

    def close(self) -> None:
        """Close the connections, and let no call begin another try."""
        self.halt.set()
        self._pool.clear()

    def get(self, service: str, path: str, *, token: str = "", accept: Collection[int] = ()) -> Answer:
        """Read something; what the target is too busy for, or loses, is tried again a few times.

        Args:
            service: the service's name, as in a target.
            path: the path after `/api/v1`.
            token: sent instead of the client's own.
            accept: statuses beside 200 and 201 that are answers to the caller, and not errors.

        Raises:
            CallError: names the call, the status and the target's message.
        """
        return self._tried("GET", self._url(service, path), self._headers(token), None, accept)

    def post(self, service: str, path: str, body: Mapping[str, object], *, accept: Collection[int] = ()) -> Answer:
        """Send `body` as JSON; otherwise like `get`.

        What was answered and lost may so be sent twice: the platform's own uniqueness rules answer 409 then.

        Raises:
            CallError: names the call, the status and the target's message.
        """
        headers = self._headers("") | {"Content-Type": "application/json"}
        return self._tried("POST", self._url(service, path), headers, json.dumps(body).encode(), accept)

    def listing(
        self,
        service: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        page: int = PAGE,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """Read a list from `offset` to its end, page by page; a target that knows no pages gives it all at once.

        Raises:
            CallError: as `call`, or the answer is no list of objects with an id.
        """
        rows: dict[int | str, dict[str, Any]] = {}
        while True:
            where = f"{path}?{urlencode({**(query or {}), 'limit': page, 'offset': offset})}"
            found = self.get(service, where).data
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise CallError(f"GET {self._url(service, where)}: the answer's data is no list of objects")
            fresh = {identity(row, where): row for row in found}
            if fresh.keys() <= rows.keys():
                return list(rows.values())
            rows |= fresh
            offset += len(found)

    def _url(self, service: str, path: str) -> str:
        return f"{self.target.url(service)}{API}{path}"

    def _headers(self, token: str) -> dict[str, str]:
        shown = token or self.token
        return {"Accept": "application/json"} | ({"x-access-token": shown} if shown else {})

    def _tried(
        self, method: str, url: str, headers: Mapping[str, str], payload: bytes | None, accept: Collection[int]
    ) -> Answer:
        from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError  # noqa: PLC0415 - as PoolManager

        name = f"{method} {url}"
        for pause in (*PAUSES_S, None):
            wait = pause
            try:
                response, text = self._sent(method, url, headers, payload)
            except HTTPError as error:
                problem = f"{name}: no answer ({_reason(error)})"
                # What took its full time once is not waited for again.
                if not isinstance(error, (NewConnectionError, ProtocolError)):
                    break
            else:
                if response.status in {200, 201, *accept}:
                    return Answer(response.status, _data(name, response, text))
                problem = f"{name} answered {_status(response.status)}{_told(text)}"
                if response.status not in BUSY:
                    break
                wait = _pause(response, pause)
            if wait is None or self.halt.wait(wait):
                break
        raise CallError(problem)

    def _sent(
        self, method: str, url: str, headers: Mapping[str, str], payload: bytes | None
    ) -> tuple[BaseHTTPResponse, bytes]:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as PoolManager

        end = time.monotonic() + self.timeouts.whole
        response = self._pool.request(method, url, headers=headers, body=payload, redirect=False, preload_content=False)
        pieces, size = [], 0
        # Piece by piece: the time-out of a socket starts anew with every byte of an answer that only trickles.
        while piece := response.read1(64 * 1024):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                response.close()
                raise HTTPError(f"more than {LARGEST_ANSWER} bytes")
            if time.monotonic() > end:
                response.close()
                raise HTTPError(f"not finished after {self.timeouts.whole:g} s")
        response.release_conn()
        return response, b"".join(pieces)


def identity(row: Mapping[str, Any], where: str) -> int | str:
    """Give the id of something that the target described.

    Raises:
        CallError: it has none.
    """
    value = row.get("id")
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise CallError(f"{where}: the answer has no id that is a number or a text")
    return value


def _data(name: str, response: BaseHTTPResponse, text: bytes) -> Any:  # noqa: ANN401 - JSON of any kind
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        begin = text[:60].decode("utf-8", "replace")
        raise CallError(
            f"{name} answered {_status(response.status)} with {kind} that is no JSON ({begin!r}); "
            "does the target's URL lead to the platform's API?"
        ) from None
    if not isinstance(answer, dict) or "data" not in answer:
        raise CallError(f"{name} answered {_status(response.status)} without `data`: is it the platform's API?")
    return answer["data"]


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _told(text: bytes) -> str:
    """Give the target's own message, or the beginning of what it said, after a colon."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        said = text[:100].decode("utf-8", "replace").strip()
        return f": {said!r}" if said else ""
    if not isinstance(answer, dict):
        return ""
    parts = [answer.get("message"), answer.get("err")]
    said = ", ".join(str(part)[:300] for part in parts if part)
    return f": {said}" if said else ""


def _reason(error: Exception) -> str:
    """Say in few words why there was no answer; urllib3's own words carry the addresses of Python objects."""
    from urllib3 import exceptions as urllib3  # noqa: PLC0415 - as PoolManager

    kinds = (
        (urllib3.NameResolutionError, "the host name is unknown"),
        (urllib3.NewConnectionError, "the connection was refused"),
        (urllib3.ConnectTimeoutError, "it could not be reached in time"),
        (urllib3.ReadTimeoutError, "it took too long"),
        (urllib3.SSLError, "the TLS handshake failed"),
        (urllib3.ProtocolError, "the connection broke, or it does not speak HTTP"),
    )
    return next((words for kind, words in kinds if isinstance(error, kind)), str(error))


def _pause(response: BaseHTTPResponse, pause: float | None) -> float | None:
    """Give how long to wait, in s: what `Retry-After` asks for; None when this was the last try or it is too long."""
    asked = response.headers.get("Retry-After", "")
    if pause is None or not asked.isdecimal():
        return pause
    return float(asked) if float(asked) <= LONGEST_PAUSE_S else None
