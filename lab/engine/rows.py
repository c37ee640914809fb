"""Where a ledger's rows go when several processes write one ledger: whole lines, never one inside another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Lines(Protocol):
    """What a ledger writes to."""

    def write(self, text: str, /) -> object:
        """Take a line in."""

    def flush(self) -> object:
        """Send on what was taken in."""


class Appended:
    """Lines for a file that several processes on one machine append to.

    What `flush` hands over goes in one call, which Linux appends as a whole: a process that is killed leaves no half
    line, and nobody writes into another's line.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._taken: list[str] = []

    def write(self, text: str, /) -> None:
        """Take a line in."""
        self._taken.append(text)

    def flush(self) -> None:
        """Hand what was taken in to the operating system."""
        rest = "".join(self._taken).encode()
        self._taken.clear()
        while rest:  # more than one turn only where the disk is full
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Close the file."""
        self.flush()
        os.close(self._file)


class Sent:
    """Lines for a master on another machine: `flush` puts them on the wire, in order with all that is sent later."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._taken: list[str] = []

    def write(self, text: str, /) -> None:
        """Take a line in."""
        self._taken.append(text)

    def flush(self) -> None:
        """Send what was taken in."""
        if self._taken:
            text = "".join(self._taken)
            self._taken.clear()
            self._send(text)
