"""The lab's mail sink as a mail server that has its troubles: it can refuse mails, be gone, and come back."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import psutil

from lab.stack.plan import importable
from tests.integration.services.lone import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from lab.stack.brood import Brood, Child

UNLIMITED: Final = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class MailServer:
    """An SMTP server on one port, and the file of the mails that it said 250 to."""

    def __init__(self, brood: Brood, folder: Path) -> None:
        self._brood = brood
        self._file = folder / "mail.jsonl"
        self._log = folder / "mail.log"
        self._port = free_port()
        self.url = f"smtp://127.0.0.1:{self._port}"
        self._child: Child | None = None

    def start(self) -> None:
        """Take mails, on the same port and into the same file as before."""
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            listener.listen()
            handle = listener.fileno()
            command = [sys.executable, "-m", "lab.stack.mailsink", str(handle), str(self._file)]
            self._child = self._brood.start(command, self._log, importable(os.environ), [handle])

    def refuse(self) -> None:
        """Answer every mail with a 451, as a server does whose disk is full: it may write no further byte."""
        self._limit((0, resource.RLIM_INFINITY))

    def accept(self) -> None:
        """Take mails again."""
        self._limit(UNLIMITED)

    def suspend(self) -> None:
        """Hang: answer nothing, and keep what was sent for later."""
        self._process().suspend()

    def resume(self) -> None:
        """Go on."""
        self._process().resume()

    def stop(self) -> None:
        """Be gone: connections break, and new ones are refused."""
        if self._child is not None:
            self._brood.stop([self._child], 2.0, time.sleep)

    def mails(self) -> Counter[tuple[str, str]]:
        """Count what was taken, by Message-ID and recipient."""
        return Counter((mail["message_id"], to) for mail in self._lines() for to in mail["recipients"])

    def next_after(self, moment: float) -> float:
        """Give how long after a moment (in seconds since the epoch) the next mail was taken, in s."""
        return float(min(mail["received"] for mail in self._lines() if mail["received"] > moment)) - moment

    def _lines(self) -> list[dict[str, Any]]:
        lines = self._file.read_text(encoding="utf-8").split("\n")[:-1] if self._file.exists() else []
        return [json.loads(line) for line in lines]

    def _limit(self, bytes_written: tuple[int, int]) -> None:
        self._process().rlimit(resource.RLIMIT_FSIZE, bytes_written)

    def _process(self) -> psutil.Process:
        assert self._child is not None
        return psutil.Process(self._child.pid)
