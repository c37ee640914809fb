"""The JSON client against targets that refuse, disappear, dawdle and answer rubbish."""

from __future__ import annotations

import socket
import time
from contextlib import closing, contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from lab.errors import CallError
from lab.model.target import Target
from lab.platform import Client, Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.seeders.conftest import Platform

SHORT = Timeouts(connect=0.5, read=0.3, whole=0.5)


@contextmanager
def raw_server(speak: Callable[[socket.socket], None]) -> Iterator[Target]:
    """Serve connections one after the other with a function that gets the socket after the request."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        if connection.recv(65536):
                            speak(connection)
                    except OSError:
                        continue

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield Target(f"http://127.0.0.1:{server.getsockname()[1]}")
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def failure(target: Target, timeouts: Timeouts | None = None) -> str:
    """Read cities from a target that does not give them, and give the error's sentence."""
    with closing(Client(target, timeouts=timeouts)) as client, pytest.raises(CallError) as caught:
        client.get("flights", "/city")
    return str(caught.value)


def test_a_call_gives_the_data(platform: Platform) -> None:
    """A creation gives the row with its id, and a status that the caller accepts is an answer."""
    with closing(Client(platform.target)) as client:
        made = client.post("flights", "/city", {"name": "Rome"})
        again = client.post("flights", "/city", {"name": "Rome"}, accept=(409,))
    assert (made.status, made.data) == (201, {"id": 1, "name": "Rome"})
    assert again.status == 409


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_a_list_is_read_to_its_end(platform: Platform, limit: int) -> None:
    """Whatever a target's longest page is, all rows come, each once."""
    platform.page_limit = limit
    platform.rows["city"] = [{"id": number, "name": str(number)} for number in range(23)]
    with closing(Client(platform.target)) as client:
        assert [row["id"] for row in client.listing("flights", "/city")] == list(range(23))


def test_a_target_that_knows_no_pages_gives_its_list_at_once(platform: Platform) -> None:
    """When a second page repeats the first, the list is complete, and nobody asks for ever."""
    rows = [{"id": number} for number in range(300)]
    platform.misbehave = lambda *_: platform.reply(200, {"data": rows})
    with closing(Client(platform.target)) as client:
        assert len(client.listing("flights", "/city")) == 300


def test_an_error_names_the_call_the_status_and_the_targets_message(platform: Platform) -> None:
    """What the target says about a refusal reaches the user, and it is not asked again."""
    platform.misbehave = lambda *_: platform.refusal(500, "the disk is full")
    assert failure(platform.target) == (
        f"GET {platform.url}/api/v1/city answered 500 Internal Server Error: the disk is full"
    )
    assert platform.calls.total() == 1


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            b"<html><h1>Welcome to nginx</h1></html>",
            "text/html; charset=utf-8",
            "200 OK with text/html that is no JSON",
        ),
        (b"\xff\xfe rubbish", "application/json", "with application/json that is no JSON"),
        (b"", "application/json", "that is no JSON"),
        (b"[" * 200_000, "application/json", "that is no JSON"),
        (b"[1, 2]", "application/json", "without `data`"),
        (b'{"status": "ok"}', "application/json", "without `data`"),
    ],
)
def test_an_answer_that_is_no_contract_json_is_told_plainly(
    platform: Platform, body: bytes, kind: str, words: str
) -> None:
    """A web page or rubbish where JSON should be ends in a question about the target's URL."""
    platform.misbehave = lambda *_: platform.reply(200, body, kind=kind)
    sentence = failure(platform.target)
    assert words in sentence
    assert len(sentence) < 300
    assert "the platform's API?" in sentence


@pytest.mark.parametrize("rows", [{"rows": []}, "text", [1, 2], [{"name": "no id"}], [{"id": None}], [{"id": True}]])
def test_a_list_that_is_none_is_told_plainly(platform: Platform, rows: object) -> None:
    """Other shapes of a list, or rows without an id, are a sentence and no traceback."""
    platform.misbehave = lambda *_: platform.reply(200, {"data": rows})
    with closing(Client(platform.target)) as client, pytest.raises(CallError, match=r"no list of objects|no id that"):
        client.listing("flights", "/city")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_target_is_asked_again(platform: Platform, status: int) -> None:
    """Too many requests, or a service that is away for a moment, costs two more tries and no failure."""
    platform.misbehave = lambda _method, _path, before: (
        platform.reply(status, {"message": "later"}, {"Retry-After": "0"}) if before < 2 else None
    )
    with closing(Client(platform.target)) as client:
        assert client.get("flights", "/city").data == []
    assert platform.calls.total() == 3


def test_a_target_that_stays_busy_is_given_up(platform: Platform) -> None:
    """After four tries the target's own words end the call."""
    platform.misbehave = lambda *_: platform.reply(503, {"message": "starting up"}, {"Retry-After": "0"})
    assert failure(platform.target).endswith("answered 503 Service Unavailable: starting up")
    assert platform.calls.total() == 4


def test_a_wait_that_is_too_long_is_not_waited(platform: Platform) -> None:
    """Who asks for an hour's patience gets an error at once."""
    platform.misbehave = lambda *_: platform.reply(429, {"message": "slow down"}, {"Retry-After": "3600"})
    assert "429 Too Many Requests: slow down" in failure(platform.target)
    assert platform.calls.total() == 1


def test_a_dropped_connection_is_tried_again(platform: Platform) -> None:
    """A keep-alive connection that the target closed meanwhile is no failure."""
    platform.misbehave = lambda _method, _path, before: platform.reply(drop=True) if before == 1 else None
    with closing(Client(platform.target)) as client:
        client.get("flights", "/city")
        client.get("flights", "/city")
    assert platform.calls.total() == 3


def test_a_target_that_is_not_there_is_said_so() -> None:
    """Nobody listens: the sentence names the URL and says that the connection was refused."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert failure(Target(url)) == f"GET {url}/flights/api/v1/city: no answer (the connection was refused)"


def test_a_redirect_is_not_followed(platform: Platform) -> None:
    """A redirect could lead anywhere: load and seeding go only where the user said."""
    platform.misbehave = lambda *_: platform.reply(302, b"", {"Location": "/api/v1/airports"})
    assert "answered 302 Found" in failure(platform.target)
    assert platform.calls.total() == 1


@pytest.mark.parametrize(
    ("pieces", "pause", "words"),
    [
        ([], 1.0, "it took too long"),
        ([b"220 mail.example ESMTP\r\n"], 0.0, "the connection broke, or it does not speak HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"], 0.0, "the connection broke"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", *[b" "] * 20], 0.1, "not finished after 0.5 s"),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 20],
            0.1,
            "not finished after 0.5 s",
        ),
    ],
    ids=["silence", "no http", "cut off", "trickle", "chunked trickle"],
)
def test_no_target_can_make_a_call_hang(
    monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], pause: float, words: str
) -> None:
    """Silence, half an answer and an answer that only trickles all end within the client's time-outs."""
    monkeypatch.setattr("lab.platform.PAUSES_S", (0.01, 0.01, 0.01))

    def speak(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        if not pieces:
            time.sleep(pause)

    with raw_server(speak) as target:
        assert words in failure(target, SHORT)


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch, platform: Platform) -> None:
    """An answer that is larger than any list of the platform is not read into memory."""
    monkeypatch.setattr("lab.platform.LARGEST_ANSWER", 1000)
    platform.misbehave = lambda *_: platform.reply(200, b" " * 1_000_000)
    assert "more than 1000 bytes" in failure(platform.target)


def test_the_token_goes_with_every_call(platform: Platform) -> None:
    """Once it is known, `x-access-token` is sent; a call's own token goes before it."""
    with closing(Client(platform.target)) as client:
        client.get("flights", "/city")
        client.token = "mine"
        client.get("flights", "/city")
        client.get("flights", "/city", token="another")
    assert platform.shown == ["", "mine", "another"]
