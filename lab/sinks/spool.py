"""Points that could not be sent, as line protocol in the run folder."""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Spool:
    """A file of lines: added to at its end, and given out and forgotten from its begin. For several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._count = 0
        self._forgotten = 0

    def __len__(self) -> int:
        """Count the lines that wait."""
        with self._lock:
            return self._count - self._forgotten

    def add(self, lines: Sequence[str]) -> None:
        """Keep lines.

        Raises:
            OSError: the disk does not take them, and has none of them.
        """
        if not lines:
            return
        with self._lock:
            with self._path.open("ab", buffering=0) as file:
                size = file.tell()
                rest = ("\n".join(lines) + "\n").encode()
                try:
                    while rest:
                        rest = rest[file.write(rest) :]
                except OSError:
                    # What it took of them would stand among those that are counted.
                    file.truncate(size)
                    raise
            self._count += len(lines)

    def first(self, most: int) -> list[str]:
        """Give the oldest lines that wait."""
        with self._lock:
            if self._count == self._forgotten:
                return []
            with self._path.open(encoding="utf-8") as file:
                chosen = islice(file, self._forgotten, min(self._forgotten + most, self._count))
                return [line.rstrip("\n") for line in chosen]

    def forget(self, number: int) -> None:
        """Let go of the oldest lines: they were sent."""
        with self._lock:
            self._forgotten += number

    def close(self) -> None:
        """Leave in the file what waits; without such lines there is no file."""
        with self._lock:
            if not self._forgotten:
                return
            kept = []
            if self._forgotten < self._count:
                with self._path.open(encoding="utf-8") as file:
                    kept = list(islice(file, self._forgotten, None))
            if kept:
                temporary = self._path.with_suffix(".new")
                temporary.write_text("".join(kept), encoding="utf-8")
                temporary.replace(self._path)
            else:
                self._path.unlink(missing_ok=True)
            self._count, self._forgotten = len(kept), 0


def read(path: Path) -> Iterator[str]:
    """Read the lines of a spool, which need not be there; a last one that was cut off by a kill is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line.rstrip("\n") for line in file if line.endswith("\n"))
