"""A hand between two services: it passes requests on, and holds those that a test wants held."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.services.client import Service


@contextmanager
def between(service: Service, answered: Callable[[str, str], None]) -> Iterator[str]:
    """Give the URL of a server that passes everything on to a service.

    Args:
        service: who does the work.
        answered: is called with method and path when the service has answered and its caller has not heard it yet.
    """

    class Hand(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
            heard = {
                name: value for name, value in self.headers.items() if name.lower() in {"content-type", "x-request-id"}
            }
            answer = service.send(self.command, self.path, raw, heard)
            answered(self.command, self.path)
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(answer.data)))
                self.end_headers()
                self.wfile.write(answer.data)
            except OSError:
                self.close_connection = True  # the caller has waited long enough

        do_GET = do_POST = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # many callers connect at once

    with Server(("127.0.0.1", 0), Hand) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
