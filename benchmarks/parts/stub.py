"""The booking service that does nothing but answer: stub.c where there is a C compiler, else the same in Python.

Run as a script it is the Python one. Both print the port that they listen on, on loopback only.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = Path(__file__).with_suffix(".c")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SEATS: Final = re.compile(rb'"NoOfSeats": *(\d+)')


@contextmanager
def stub(folder: Path, core: int) -> Iterator[tuple[str, str]]:
    """Run the server on a core of its own; gives its URL and what it is written in."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    command = [sys.executable, __file__]
    if compiler:
        command = [str(folder / "stub")]
        subprocess.run([compiler, "-O2", "-o", command[0], str(SOURCE)], check=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        os.sched_setaffinity(server.pid, {core})
        assert server.stdout is not None  # noqa: S101 - piped above
        port = int(server.stdout.readline())
        try:
            yield f"http://127.0.0.1:{port}", "C" if compiler else "Python"
        finally:
            server.kill()


class _Talk(asyncio.Protocol):
    """One connection: requests one after another."""

    booked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing read."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server makes
        self._out, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n") + 4) > 3:
            length = _LENGTH.search(self._read, 0, end)
            whole = end + (int(length[1]) if length else 0)
            if len(self._read) < whole:
                return
            self._answer(self._read[end:whole])
            self._read = self._read[whole:]

    def _answer(self, body: bytes) -> None:
        if body:
            _Talk.booked += 1
            found = _SEATS.search(body)
            text = _booking(_Talk.booked, int(found[1]) if found else 1)
        else:
            text = json.dumps({"booked": _Talk.booked})
        lines = (
            "HTTP/1.1 200 OK",
            "server: stub",
            "content-type: application/json",
            f"x-request-id: {_Talk.booked:016x}",
            f"content-length: {len(text)}",
            "date: Mon, 23 Nov 2026 09:00:00 GMT",
        )
        self._out.write("\r\n".join([*lines, "", text]).encode())


def _booking(number: int, seats: int) -> str:
    made = "2026-11-23T09:00:00.123456Z"
    data = {"id": number, "flightId": 17, "userId": 4711, "status": "Booked", "NoOfSeats": seats}
    data |= {"totalCost": seats * 240, "createdAt": made, "updatedAt": made}
    answer = {"data": data, "success": True, "message": "Successfully booked the flight", "err": {}}
    return json.dumps(answer, separators=(",", ":"))


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Talk, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
