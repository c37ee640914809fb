"""What the page's process and its parent say to each other: a JSON object a line, orders out and news in."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import gevent.socket

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK: Final = 65_536


def say(**words: Any) -> None:
    """Say something to the parent."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def news(file: int = 0) -> Iterator[dict[str, Any]]:
    """Give what the parent says, until it is gone; others work while nothing comes."""
    rest = b""
    while True:
        gevent.socket.wait_read(file)
        chunk = os.read(file, CHUNK)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)
