"""A door of their own for the figures of a service: it answers while every thread of the service is busy.

`/figures` stands in the same queue as all other requests, and so it is silent in the seconds that are worth most. The
door is a thread with a socket of its own, on the loopback interface alone and on a port that the system chooses; the
service's own `/figures` tells it. A service that others may reach has none.
"""

from __future__ import annotations

import logging
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from reference_services.common.answers import JSON, envelope
from reference_services.common.background import Task
from reference_services.common.health import FIGURES, MORE, TOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_services.common.health import Health
    from reference_services.common.workers import Workers

LOOPBACK: Final = "127.0.0.1"
LOOK_S: Final = 0.5
"""So long the door's thread listens before it looks whether it should stop."""
PATIENCE_S: Final = 1.0
"""Whoever comes in has this long to say what it wants; the next one waits."""
log = logging.getLogger(__name__)


class SideDoor:
    """Lets in whoever asks for figures, one after another.

    Args:
        host: where the service listens.
        workers: the processes that serve it, of which the one on duty is at the door.
    """

    def __init__(self, host: str, workers: Workers) -> None:
        self._wanted = host == LOOPBACK
        self._workers = workers
        self._server: _Server | None = None

    def port(self) -> int | None:
        """Give where the door is; None where there is none (yet)."""
        return self._workers.door or None

    def tasks(self, health: Health) -> list[Task]:
        """Give the work of the thread that answers with these figures, if the service is to have a door."""
        if not self._wanted:
            return []

        def let_in() -> bool:
            if self._server is None:
                self._server = _Server(health)
                self._workers.open_door(int(self._server.server_address[1]))
            self._server.handle_request()
            return True

        return [Task("figures", let_in, every_s=0.0)]

    def close(self) -> None:
        """Close it."""
        if self._server is not None:
            self._server.server_close()


class _Server(TCPServer):
    timeout = LOOK_S

    def __init__(self, health: Health) -> None:
        self.health = health
        super().__init__((LOOPBACK, 0), _Visit)

    def handle_error(self, _request: object, _client: object) -> None:
        log.warning("somebody at the door for figures left without an answer")


class _Visit(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server: _Server

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == FIGURES:
            self._answer(200, dict(self.server.health.figures(more=query == MORE)), TOLD)
        else:
            self._answer(404, {}, f"Nothing but {FIGURES} is behind this door.", {"path": "not found"})

    def _answer(self, status: int, data: object, message: str, err: dict[str, str] | None = None) -> None:
        body = to_json(envelope(data, message, status, err))
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    log_message: Callable[..., Any] = staticmethod(lambda *_: None)  # it would go to stderr
