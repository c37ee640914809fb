"""The small HTTP client, against servers that answer as they like."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from reference_services.common.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE_S = 30.0


@contextmanager
def server(connections: Sequence[Sequence[bytes]]) -> Iterator[tuple[Wire, list[bytes]]]:
    """Serve connections, each with some answers; an answer is sent a byte at a time, then the connection ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def run() -> None:
        for answers in connections:
            connection, _ = listener.accept()
            with connection, suppress(OSError):  # who has heard enough hangs up
                for answer in answers:
                    heard.append(connection.recv(65536))
                    for byte in answer:
                        connection.send(bytes([byte]))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield Wire(f"http://127.0.0.1:{listener.getsockname()[1]}", 2), heard
    thread.join(PATIENCE_S)
    listener.close()


def get(wire: Wire, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    """Send a request; give status and body."""
    status, _, content = wire.send(method, "/a?b", body, {"X-Thing": "7"}, PATIENCE_S, PATIENCE_S)
    return status, content


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Mixed: Yes\r\n\r\nok"


def test_a_request_is_written_and_its_answer_read() -> None:
    """Line, host, headers, length and body arrive; status, headers in any case, and body come back."""
    with server([[OK]]) as (wire, heard):
        status, headers, body = wire.send("POST", "/a?b", b"{}", {"X-Thing": "7"}, PATIENCE_S, PATIENCE_S)
    assert (status, body, headers["x-mixed"], headers.get("absent")) == (200, b"ok", "Yes", None)
    head, _, sent = heard[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a?b HTTP/1.1"
    assert lines[1].startswith(b"Host: 127.0.0.1:")
    assert lines[2:] == [b"X-Thing: 7", b"Content-Length: 2"]
    assert sent == b"{}"


def test_a_connection_is_used_again_until_the_other_side_ends_it() -> None:
    """Two answers come over one connection; one that was closed while idle is noticed before it is used."""
    with server([[OK, OK], [OK]]) as (wire, heard):
        assert [get(wire) for _ in range(3)] == [(200, b"ok")] * 3
    assert len(heard) == 3


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", (200, b"")),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length:3\r\nconnection: close\r\n\r\nno!", (404, b"no!")),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", (200, b"until the end")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, (200, b"ok")),
    ],
)
def test_answers_of_all_usual_kinds(answer: bytes, found: tuple[int, bytes]) -> None:
    """Without a body, of no length, until the connection ends, and after a `100 Continue`."""
    with server([[answer]]) as (wire, _):
        assert get(wire) == found


def test_an_answer_to_head_has_no_body() -> None:
    """Its length is that of the body that a GET would have."""
    with server([[b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"]]) as (wire, _):
        assert get(wire, "HEAD") == (200, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 2xx OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_understood_is_an_error(answer: bytes) -> None:
    """No status line, no length, chunks: nothing is guessed."""
    with server([[answer]]) as (wire, _), pytest.raises(ValueError, match=r"status|length|chunks"):
        get(wire)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-", OK[:-1]])
def test_half_an_answer_is_a_broken_connection(answer: bytes) -> None:
    """An answer that ends before its end is none."""
    with server([[answer]]) as (wire, _), pytest.raises(ConnectionError):
        get(wire)


def test_no_header_can_hold_a_second_one() -> None:
    """A line break in a value is refused before anything is sent."""
    wire = Wire("http://127.0.0.1:1", 1)
    for value in ("a\r\nX-User-Id: 1", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="line break"):
            wire.send("GET", "/", None, {"X-Thing": value}, 1, 1)


def test_nobody_there_and_nobody_answering_are_told_apart() -> None:
    """A refused connection sent nothing; a silent one is a time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TimeoutError):
            Wire(f"http://127.0.0.1:{port}", 1).send("GET", "/", None, {}, PATIENCE_S, 0.05)
    with pytest.raises(ConnectionRefusedError):
        Wire(f"http://127.0.0.1:{port}", 1).send("GET", "/", None, {}, PATIENCE_S, PATIENCE_S)
