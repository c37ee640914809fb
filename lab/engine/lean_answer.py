"""Answers of the lean client: read with the least effort that is right, and decoded only as far as anybody looks.

An answer of the usual kind (HTTP/1.1, one length, kept alive, not packed) is told by a few searches in its bytes. All
others (chunks, no length, HTTP/1.0, packed, answers to HEAD, 1xx, and whatever is broken) go through geventhttpclient's
parser, which is Locust's own, so that they are judged by the same rules and in the same words.
"""

from __future__ import annotations

import json
import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPConnectionClosed, HTTPSocketResponse
from locust.exception import CatchResponseError, LocustError, ResponseError

from lab.model.server_timing import timing_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, Self

    from lab.engine.lean_wire import Connection

    Judgement = BaseException | Literal[True] | None
    Report = Callable[["LeanResponse", Judgement], None]

_START: Final = b"HTTP/1.1 "
_LENGTH: Final = b"\r\ncontent-length:"
_HOLD: Final = b"\r\nconnection:"
_KEEP: Final = b"\r\nconnection: keep-alive\r\n"
_UNUSUAL: Final = (b"\r\ntransfer-encoding:", b"\r\ncontent-encoding:")
_TIMING: Final = b"\r\nserver-timing:"
_BODILESS: Final = frozenset({204, 304})
_GZIP: Final = 16 + zlib.MAX_WBITS
_scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # what `decode` calls; typeshed leaves it out
_NOT_JUDGED: Final = "to say whether a request succeeded, send it with catch_response=True, in a with block"


class LeanResponse:
    """What a request was answered: `status_code` is 0 and `content` empty where nothing came back.

    `error` is then why, and `elapsed_us` counts from sending to the last byte, in µs. Redirects are shown as they are.
    """

    lab_recorded = True

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url
        self.status_code = 0
        self.content = b""
        self.error: BaseException | None = None
        self.elapsed_us = 0
        self._head: bytes | Headers = b""

    @property
    def ok(self) -> bool:
        """Tell whether there was an answer, and of a status below 400."""
        return 0 < self.status_code < 400  # noqa: PLR2004 - where errors begin in HTTP

    @cached_property
    def headers(self) -> Headers:
        """Give the answer's headers, whose names may be asked for in any case."""
        if isinstance(self._head, Headers):
            return self._head
        found = Headers()
        for line in self._head.decode("latin-1").split("\r\n")[1:]:
            name, colon, value = line.partition(":")
            if colon:
                found.add(name, value.strip())
        return found

    @property
    def server_timing(self) -> str:
        """Give the header `Server-Timing`, or ""; several of them as one."""
        if isinstance(self._head, Headers):
            return timing_of(self._head)
        at, lines = -1, []
        lower = self._head.lower()
        while (at := lower.find(_TIMING, at + 1)) >= 0:
            end = lower.find(b"\r\n", at + 2)
            lines.append(self._head[at + len(_TIMING) : end if end > 0 else None])
        return b",".join(lines).strip().decode("latin-1") if lines else ""

    @cached_property
    def text(self) -> str:
        """Give the body as text, by the character set that the headers name, or as UTF-8."""
        kind = str(self.headers.get("content-type", "")).lower()
        named = kind.partition("charset=")[2].partition(";")[0].strip(" \"'")
        try:
            return self.content.decode(named or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:  # noqa: ANN401 - whatever it holds
        """Give the body's JSON.

        Raises:
            ValueError: it is none.
        """
        try:
            text = self.content.decode()
            value, end = _scan(text, 0)
        except (StopIteration, UnicodeDecodeError):
            return json.loads(self.content)
        return json.loads(text) if text[end:].strip(" \t\r\n") else value

    def success(self) -> None:
        """Say that the request succeeded: only in a with block."""
        raise LocustError(_NOT_JUDGED)

    def failure(self, said: object) -> None:
        """Say that the request failed: only in a with block."""
        del said
        raise LocustError(_NOT_JUDGED)

    def report_by(self, report: Report) -> None:
        """Record the answer by its status."""
        report(self, None)

    def __enter__(self) -> Self:
        """Refuse: nobody would hear what is said in the block."""
        raise LocustError(_NOT_JUDGED)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool | None:
        """Never come to."""

    def read(self, connection: Connection) -> bool:
        """Take the answer from a connection that a request went through.

        Returns:
            True when the connection may carry the next request.

        Raises:
            OSError, HTTPParseError, zlib.error: there was no whole answer.
        """
        try:
            data = connection.answer()
        except ConnectionResetError:
            raise HTTPConnectionClosed("connection closed.") from None
        size = data.find(b"\r\n\r\n") + 4
        length = _usual(data, size) if self.method != "HEAD" else -1
        if length < 0:
            return self._parse(connection, data)
        if len(data) < size + length:
            data = _rest(connection, data, size + length)
        if len(data) != size + length:  # cut short, or with more than was asked for
            return self._parse(connection, data)
        self.status_code = int(data[9:12])
        self._head = data[: size - 4]
        self.content = data[size:]
        return True

    def _parse(self, connection: Connection, data: bytes) -> bool:
        """Read an answer of any kind, of which `data` has come already."""
        parser = HTTPSocketResponse(cast("Any", connection), method=self.method, pre_buffered=data)
        content = parser.read()
        coding = str(parser.get("content-encoding", "")).lower()
        if coding == "gzip":
            content = zlib.decompress(content, _GZIP)
        elif coding == "deflate":
            content = _inflated(content)
        self.status_code, self._head, self.content = parser.get_code(), parser.info(), content
        return not parser.should_close()


class JudgedResponse(LeanResponse):
    """An answer in a with block, in which the caller says `success()` or `failure("why")`; else its status says it.

    It is recorded once, when the block ends; where there is no block, when nobody has it any more.
    """

    def __init__(self, method: str, url: str) -> None:
        super().__init__(method, url)
        self._said: Judgement = None
        self._report: Report | None = None

    def report_by(self, report: Report) -> None:
        """Record the answer, once it is judged, by this."""
        self._report = report

    def success(self) -> None:
        """Say that the request succeeded, whatever its status."""
        self._said = True

    def failure(self, said: object) -> None:
        """Say that the request failed, and why: words, or an exception."""
        self._said = said if isinstance(said, Exception) else CatchResponseError(said)

    def __enter__(self) -> Self:
        """Begin to look at the answer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        """Record the request, which was answered whatever became of the block; a ResponseError is a judgement, too."""
        judged = self._said is None and isinstance(error, ResponseError)
        if judged:
            self._said = error
        self._judge()
        return judged

    def __del__(self) -> None:
        """Count what nobody judged."""
        self._judge()

    def _judge(self) -> None:
        report, self._report = self._report, None
        if report is not None:
            report(self, self._said)


def _usual(data: bytes, size: int) -> int:
    """Give the length of the body when the first `size` bytes are the head of a usual answer, else -1."""
    if not data.startswith(_START) or data[9:10] not in b"2345" or size < 4:  # noqa: PLR2004 - the head's end was not found
        return -1
    head = data[: size - 2].lower()
    at = head.find(_LENGTH)
    if at < 0 or head.find(_LENGTH, at + 1) > 0 or any(name in head for name in _UNUSUAL):
        return -1
    if _HOLD in head and (_KEEP not in head or head.count(_HOLD) > 1):
        return -1
    number = head[at + len(_LENGTH) : head.index(b"\r\n", at + 2)].strip(b" \t")
    if not (number.isdigit() and data[9:12].isdigit()) or int(data[9:12]) in _BODILESS:
        return -1
    return int(number)


def _rest(connection: Connection, begun: bytes, size: int) -> bytes:
    """Read on until `size` bytes are there, or no more come."""
    parts, missing = [begun], size - len(begun)
    while missing > 0:
        more = connection.recv()
        if not more:
            break
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompress(content, -zlib.MAX_WBITS)
    except zlib.error:
        return zlib.decompress(content)
