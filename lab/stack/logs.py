"""Read the services' logs: one, or all in the order of their time stamps, and on as they grow."""

from __future__ import annotations

import heapq
import os
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.errors import StackError, nearest
from lab.stack.control import ROOT
from lab.stack.layout import PARTS, SUPERVISOR, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ][ \d]\d:\d\d:\d\d(?:[.,]\d+)?")
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a service's log, without its end."""

    service: str
    text: str


def logs(root: Path = ROOT, service: str | None = None, *, follow: bool = False) -> Iterator[LogLine]:
    """Give the lines of the last start's logs.

    Args:
        root: the stack's folder.
        service: a service, `mail`, `mariadb`, `rabbitmq` or `supervisor`; None for all of them.
        follow: go on with what is written from now on, without end, also over a restart of the stack.

    Returns:
        The lines; those of several services are merged by time stamp, new ones come as they are written.

    Raises:
        StackError: no such service, or no stack was ever started here.
    """
    known = (*PARTS, SUPERVISOR)
    if service is not None and service not in known:
        raise StackError(f'no service "{service}"{nearest(service, known)}')
    layout = Layout(root.absolute())
    if not layout.logs.is_dir() and not follow:
        raise StackError(f"no logs in {layout.root}: no stack was started there; start one: airbourne-lab up")
    return _lines(layout, known if service is None else (service,), follow=follow)


def _lines(layout: Layout, names: tuple[str, ...], *, follow: bool) -> Iterator[LogLine]:
    tails = [_Tail(name, layout.log(name)) for name in names]
    try:
        yield from _merged([one.read() for one in tails])
        pause = threading.Event()
        while follow:
            fresh = [line for one in tails for line in one.read()]
            yield from fresh
            if not fresh:
                pause.wait(_POLL_SECONDS)
        for one in tails:
            yield from one.rest()
    finally:
        for one in tails:
            one.close()


def _merged(lists: list[list[LogLine]]) -> Iterator[LogLine]:
    """Merge by time stamp; a line without one (a traceback) stays behind the line before it."""
    return (line for _, line in heapq.merge(*map(_stamped, lists), key=lambda pair: pair[0]))


def _stamped(lines: list[LogLine]) -> Iterator[tuple[str, LogLine]]:
    latest = ""
    for line in lines:
        found = _TIME.search(line.text)
        if found:
            # A clock may be set back; a file's own order may not.
            # MariaDB writes an hour before ten with one digit.
            latest = max(latest, found.group().replace("T", " ").replace("  ", " 0").replace(",", "."))
        yield latest, line


class _Tail:
    """Reads whole lines from a log, and from the one that takes its place."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        self._file: BinaryIO | None = None
        self._partial = b""

    def read(self) -> list[LogLine]:
        """Give the lines that came since the last call."""
        lines = self._take()
        if self._replaced():
            # What was written between reading and replacing still belongs to the old file.
            lines += self._take() + self.rest()
            self.close()
            lines += self._take()
        return lines

    def rest(self) -> list[LogLine]:
        """Give the last line if it has no end."""
        partial, self._partial = self._partial, b""
        return [self._line(partial)] if partial else []

    def close(self) -> None:
        """Close the file; a later read opens it again from its start."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self) -> list[LogLine]:
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return []
        *whole, self._partial = (self._partial + self._file.read()).split(b"\n")
        return [self._line(line) for line in whole]

    def _replaced(self) -> bool:
        """Tell whether another file stands in the log's place, or this one was cut short."""
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino) or there.st_size < self._file.tell()

    def _line(self, line: bytes) -> LogLine:
        return LogLine(self._name, line.rstrip(b"\r").decode("utf-8", "replace"))
