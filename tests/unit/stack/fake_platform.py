"""A platform of five do-nothing services, for tests of the stack: `python -m fake_platform SERVICE`.

What goes wrong with it is set in the environment:
FAKE_DIES=SERVICE ends at once, FAKE_DEAF=SERVICE is never healthy, FAKE_STUBBORN=SERVICE ignores SIGTERM,
FAKE_PAIR=1 gives every service a worker process that would live on without it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers `/health`, tells its environment, and dies when asked to."""

    service = ""

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path == "/die":
            sys.stderr.write("the last words\n")
            sys.stderr.flush()
            os._exit(7)
        deaf = os.environ.get("FAKE_DEAF") == self.service
        body = json.dumps({"message": "no database", "err": {}} if deaf else dict(os.environ)).encode()
        self.send_response(503 if deaf else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's names
        """Write to the log in time: tests read it."""
        sys.stdout.write(f"{self.service} {format % args}\n")
        sys.stdout.flush()


def main(service: str) -> None:
    """Serve until SIGTERM."""
    if os.environ.get("FAKE_DIES") == service:
        sys.exit(f"{service}: no such table: seats")
    if os.environ.get("FAKE_PAIR"):
        subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    Handler.service = service
    server = ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
    if os.environ.get("FAKE_STUBBORN") == service:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"{service} serves\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
