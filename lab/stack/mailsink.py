"""A mail server that delivers nothing and keeps everything: `python -m lab.stack.mailsink FD FILE`.

It serves on the listening loopback socket FD that it inherits, and appends each mail as one JSON line to FILE before it
says 250: what a sender was told is accepted can be read in the file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import TYPE_CHECKING

from lab.stack.smtp import Conversation

if TYPE_CHECKING:
    from email.message import Message


class Keeper:
    """Appends accepted mails to a file descriptor."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def take(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Keep one mail; what cannot be written is refused for now, so that the sender tries again."""
        encoded = json.dumps(record(sender, recipients, content)).encode() + b"\n"
        try:
            # One write to a file opened for appending: a reader never sees two mails mixed.
            written = os.write(self._handle, encoded)
        except OSError as error:
            return f"451 Cannot keep the mail: {error.strerror}"
        return "250 Kept" if written == len(encoded) else "451 Cannot keep the mail: no room"


def record(sender: str, recipients: list[str], content: bytes) -> dict[str, object]:
    """Give what is kept of a mail; `received` is in seconds since the epoch."""
    message = message_from_bytes(content)
    return {
        "received": time.time(),
        "message_id": str(message.get("Message-ID", "")).strip(),
        "sender": sender,
        "recipients": list(recipients),
        "subject": _readable(str(message.get("Subject", ""))),
        "body": _body(message),
    }


def _readable(header: str) -> str:
    if "=?" not in header:
        return header
    try:
        return str(make_header(decode_header(header)))
    except (ValueError, LookupError):
        return header


def _body(message: Message) -> str:
    """Give the first plain text, or else the first part, decoded."""
    leaves = [part for part in message.walk() if not part.is_multipart()]
    plain = [part for part in leaves if part.get_content_type() == "text/plain"]
    for part in plain or leaves:
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            try:
                return payload.decode(part.get_content_charset() or "utf-8", "replace")
            except LookupError:
                return payload.decode("utf-8", "replace")
    return ""


async def serve(listener: socket.socket, handle: int) -> None:
    """Keep mails until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for interrupt in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(interrupt, stop.set)
    keeper = Keeper(handle)
    server = await loop.create_server(lambda: Conversation(keeper.take), sock=listener)
    await stop.wait()
    server.close()


def main(arguments: list[str]) -> None:
    """Serve on an inherited socket."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    handle = os.open(arguments[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    asyncio.run(serve(socket.socket(fileno=int(arguments[0])), handle))


if __name__ == "__main__":
    main(sys.argv[1:])
