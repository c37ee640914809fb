"""A small HTTP server that stands still once: `python benchmarks/parts/stall_server.py ORDER`, for stall.py.

ORDER is JSON: `service` (seconds of work), `fifo` (whether it does one thing at a time), `stall` (the second after its
first request at which it stands still) and `seconds` (for how long). It prints its port, serves until its standard
input ends, and then prints when each of its answers went out, in seconds after the first request.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import nullcontext
from time import monotonic, sleep
from typing import Any

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers everybody, with a thread for each connection."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._turn: Any = threading.Lock() if order["fifo"] else nullcontext()
        self._first = 0.0
        self.answered: list[float] = []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)

    def serve(self) -> None:
        """Take connections for ever."""
        while True:
            connection, _ = self.socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        came = b""
        while data := connection.recv(65_536):
            came += data
            while b"\r\n\r\n" in came:
                _, came = came.split(b"\r\n\r\n", 1)
                with self._turn:
                    self._work()
                    connection.sendall(ANSWER)
                self.answered.append(monotonic() - self._first)

    def _work(self) -> None:
        now = monotonic()
        self._first = self._first or now
        begin = self._first + self._order["stall"]
        if begin <= now < begin + self._order["seconds"]:
            sleep(begin + self._order["seconds"] - now)
        sleep(self._order["service"])


def main() -> None:
    """Serve."""
    server = Server(json.loads(sys.argv[1]))
    threading.Thread(target=server.serve, daemon=True).start()
    print(server.socket.getsockname()[1], flush=True)
    sys.stdin.read()
    print(json.dumps(server.answered), flush=True)


if __name__ == "__main__":
    main()
