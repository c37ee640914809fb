"""A small platform in this process that speaks the contract, and misbehaves when it is told to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lab.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIQUE = {"city": "name", "airports": "name", "airplane": "", "flights": "flightNumber"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` is sent as it is when it is bytes; `drop` closes the connection instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    drop: bool = False


def said(status: int, message: str) -> Reply:
    """Give an error in the contract's shape."""
    return Reply(status, {"data": {}, "success": False, "message": message, "err": {}})


@dataclass(slots=True)
class Platform:
    """What the fake holds. `misbehave` sees each call (method, path, how many calls came before) and may answer it."""

    url: str = ""
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {kind: [] for kind in UNIQUE})
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    misbehave: Callable[[str, str, int], Reply | None] = lambda *_: None
    page_limit: int = 50
    needs_token: bool = False
    lock: Lock = field(default_factory=Lock)

    @staticmethod
    def reply(*args: Any, **kwargs: Any) -> Reply:
        """Make an answer; here, since a test cannot import a conftest."""
        return Reply(*args, **kwargs)

    @staticmethod
    def refusal(status: int, message: str) -> Reply:
        """Make an error in the contract's shape."""
        return said(status, message)

    @property
    def target(self) -> Target:
        """Give the fake as a target whose five services are one."""
        return Target(self.url, self.url, self.url, self.url, self.url, name="fake")

    def answer(self, method: str, url: str, body: dict[str, Any], token: str) -> Reply:
        """Answer a call by the contract."""
        parts = urlsplit(url)
        path = parts.path.removeprefix("/auth").removeprefix("/api/v1").strip("/")
        if parts.path.startswith("/flights/api"):
            path = parts.path.removeprefix("/flights/api/v1").strip("/")
            if self.needs_token and token not in self.tokens:
                return said(401, "a token is needed")
        with self.lock:
            self.shown.append(token)
            before = self.calls.total()
            self.calls[f"{method} {path}"] += 1
            reply = self.misbehave(method, path, before)
            if reply is not None:
                return reply
            kind, _, wanted = path.partition("/")
            if kind in UNIQUE and wanted:
                found = [row for row in self.rows[kind] if str(row["id"]) == wanted]
                return Reply(200, {"data": found[0], "success": True}) if found else said(404, "unknown")
            if path in UNIQUE:
                return self._crud(method, path, parse_qs(parts.query), body)
            return self._auth(path, body, token)

    def _crud(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        rows = self.rows[path]
        if method == "GET":
            offset = int(query.get("offset", ["0"])[0])
            limit = min(int(query.get("limit", ["10"])[0]), self.page_limit)
            return Reply(200, {"data": rows[offset : offset + limit], "success": True})
        name = UNIQUE[path]
        if name and any(row[name] == body[name] for row in rows):
            return said(409, f"{name} is taken")
        row = {"id": len(rows) + 1, **body}
        rows.append(row)
        return Reply(201, {"data": row, "success": True})

    def _auth(self, path: str, body: dict[str, Any], token: str) -> Reply:
        if path == "isAuthenticated":
            known = self.tokens.get(token)
            return Reply(200, {"data": known}) if known else said(401, "no such token")
        user = self.users.get(body["email"])
        if path == "signup":
            if user:
                return said(409, "email is taken")
            user = {"id": len(self.users) + 1, **body}
            self.users[body["email"]] = user
            return Reply(201, {"data": user, "success": True})
        if not user or user["password"] != body["password"]:
            return said(401, "wrong email or password")
        fresh = f"token-{len(self.tokens)}"
        self.tokens[fresh] = user["id"]
        return Reply(200, {"data": {"token": fresh, "id": user["id"]}, "success": True})


def _handler(platform: Platform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 20

        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = json.loads(self.rfile.read(size) or b"{}")
            reply = platform.answer(self.command, self.path, body, self.headers.get("x-access-token", ""))
            if reply.drop:
                self.close_connection = True
                return
            text = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that give up are what these tests are about."""


@pytest.fixture
def platform() -> Iterator[Platform]:
    """Serve an empty platform on a free port of loopback."""
    fake = Platform()
    server = _Server(("127.0.0.1", 0), _handler(fake))
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
