"""Calls between services, against a server that misbehaves."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from reference_services.booking.seats import seats_of
from reference_services.common.client import Upstream
from reference_services.common.errors import UpstreamDownError, UpstreamSlowError
from reference_services.common.profile import profile_named
from reference_services.common.transport import Lean, Opens, PerCall, Pooled, transport_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def server(answers: Sequence[bytes | None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection per answer: bytes are sent, None hangs up without a word. Gives the URL and what came."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def run() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(65536))
                if answer is not None:
                    connection.sendall(answer)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    thread.join(5)
    listener.close()


@pytest.fixture(params=[Pooled, PerCall, Lean], ids=lambda one: one.__name__)
def over(request: pytest.FixtureRequest) -> Opens:
    """Give each way of sending: what a call promises, all of them keep."""
    found: Opens = request.param
    return found


def upstream(url: str, timeout_s: float = 2.0, over: Opens = Pooled) -> Upstream:
    """Make the client under test."""
    return Upstream("flights", url, timeout_s=timeout_s, connections=2, over=over)


@pytest.mark.parametrize(("method", "repeatable"), [("GET", False), ("DELETE", False), ("POST", True)])
def test_a_broken_connection_is_repaired_once_where_that_is_harmless(
    over: Opens,
    method: str,
    repeatable: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Idempotent calls, and those with a key, survive a connection that the other side closed."""
    with server([None, ANSWER]) as (url, heard):
        reply = upstream(url, over=over).call(method, "/x", repeatable=repeatable)
    assert (reply.status, reply.body, reply.attempts, len(heard)) == (200, b"ok", 2, 2)


def test_a_call_that_may_have_been_done_is_not_repeated(over: Opens) -> None:
    """A POST without a key is sent once, and its failure says that it may have arrived."""
    with server([None]) as (url, heard):
        with pytest.raises(UpstreamDownError) as failure:
            upstream(url, over=over).call("POST", "/x", body=b"{}")
        assert failure.value.sent
    assert len(heard) == 1


def test_a_service_that_is_not_there_surely_did_nothing(over: Opens) -> None:
    """A refused connection says that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(UpstreamDownError) as failure:
        upstream(url, over=over).call("POST", "/x", repeatable=True)
    assert not failure.value.sent


def test_a_service_that_says_nothing_is_slow(over: Opens) -> None:
    """A call ends with its time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(UpstreamSlowError):
            upstream(url, 0.1, over).call("GET", "/x")


@pytest.mark.parametrize("profile", ["safe", "as-found"])
def test_an_answer_of_flights_that_is_no_json_counts_as_none(profile: str) -> None:
    """A proxy before flights, or a server that dies, answers in HTML: that is no failure of booking."""
    page = b"<html>Bad Gateway</html>"
    answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(page) + page
    with server([answer]) as (url, _):
        seats = seats_of(profile_named(profile), upstream(url))
        with pytest.raises(UpstreamDownError, match="flights answered 502"):
            seats.take(1, 1, "key")


def test_a_connection_per_call_is_never_used_twice() -> None:
    """Each call asks for the end of its connection, and makes a new one though the other side would keep it."""
    with server([ANSWER, ANSWER]) as (url, heard):
        calls = Upstream("flights", url, timeout_s=2.0, connections=2, over=PerCall)
        assert [calls.call("POST", "/x", body=b"{}").attempts for _ in range(2)] == [1, 1]
    assert all(b"\r\nConnection: close\r\n" in one for one in heard)
    assert len(heard) == 2


@pytest.mark.parametrize(("profile", "over"), [("as-found", PerCall), ("pooled", Pooled), ("lean", Lean)])
def test_the_profile_says_how_calls_are_sent(profile: str, over: type) -> None:
    """One strategy for each way of having connections."""
    assert transport_of(profile_named(profile)) is over
