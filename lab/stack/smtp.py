"""SMTP as a server that accepts everything speaks it (RFC 5321, with PIPELINING): bytes in, replies out.

A mail server beside the load takes the platform's processors, so this one does per mail no more than it must: commands
are answered as they are read, several in one write where they came together, and no task or timer is made for any.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, cast

Take = Callable[[str, list[str], bytes], str]
"""Gets sender, recipients and content of a mail, and gives the reply to it."""

MOST_LINE_BYTES: Final = 4096
MOST_MAIL_BYTES: Final = 32 << 20
MOST_RECIPIENTS: Final = 1000
OFFERED: Final = f"250-localhost\r\n250-SIZE {MOST_MAIL_BYTES}\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 HELP".encode()
END: Final = b"\r\n.\r\n"
_PATH: Final = re.compile(rb'[A-Za-z]+:\s*<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?: .*)?')
_STUFFED: Final = re.compile(rb"(^|\r\n)\.")


class Conversation(asyncio.Protocol):
    """One connection.

    Args:
        take: what is done with a mail.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._looked = 0
        self._replies: list[bytes] = []
        self._greeted = False
        self._in_data = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._answers: dict[bytes, Callable[[bytes], bytes]] = {
            b"EHLO": self._hello,
            b"HELO": self._hello,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._reset,
            b"NOOP": lambda _: b"250 OK",
            b"HELP": lambda _: b"214 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT",
            b"VRFY": lambda _: b"252 Cannot tell, but mail to it is accepted",
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 localhost Airbourne mail sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what came."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._read += data
        open_still = True
        while open_still and (self._content() if self._in_data else self._line()):
            open_still = self._replies[-1:] != [_BYE]
        if self._replies:
            transport.write(b"\r\n".join(self._replies) + b"\r\n")
            self._replies = []
        if not open_still or self._too_long():
            transport.close()

    def _line(self) -> bool:
        """Answer the first line that was read; false where it is not complete."""
        end = self._read.find(b"\n")
        if end < 0:
            return False
        line = bytes(self._read[:end]).rstrip(b"\r")
        del self._read[: end + 1]
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        if verb == b"QUIT":
            self._replies.append(_BYE)
        else:
            answer = self._answers.get(verb)
            self._replies.append(answer(rest.strip()) if answer else b"500 No such command")
        return True

    def _content(self) -> bool:
        """Take the mail that was read; false where it is not complete."""
        read = self._read
        if read.startswith(b".\r\n"):
            content, used = b"", 3
        else:
            at = read.find(END, max(self._looked - len(END), 0))
            self._looked = len(read)
            if at < 0:
                return False
            content, used = bytes(read[: at + 2]), at + len(END)
        del read[:used]
        self._in_data = False
        if b"\r\n." in content or content.startswith(b"."):
            content = _STUFFED.sub(rb"\1", content)
        self._replies.append(self._take(self._sender or "", self._recipients, content).encode())
        self._forget()
        return True

    def _too_long(self) -> bool:
        """Tell whether more was read than any command or mail may be, and say so."""
        if len(self._read) <= (MOST_MAIL_BYTES if self._in_data else MOST_LINE_BYTES):
            return False
        if self._transport is not None:
            self._transport.write(b"552 Too long\r\n" if self._in_data else b"500 Line too long\r\n")
        return True

    def _forget(self) -> None:
        self._sender, self._recipients = None, []

    def _hello(self, rest: bytes) -> bytes:
        if not rest:
            return b"501 Say who you are"
        self._greeted = True
        self._forget()
        return OFFERED

    def _mail(self, rest: bytes) -> bytes:
        found = _path(rest, b"FROM:")
        if not self._greeted:
            return b"503 Say EHLO first"
        if self._sender is not None:
            return b"503 There is a sender already"
        if found is None:
            return b"501 Syntax: MAIL FROM:<address>"
        self._sender = found
        return b"250 OK"

    def _rcpt(self, rest: bytes) -> bytes:
        found = _path(rest, b"TO:")
        if self._sender is None:
            return b"503 Say MAIL first"
        if not found:
            return b"501 Syntax: RCPT TO:<address>"
        if len(self._recipients) >= MOST_RECIPIENTS:
            return b"452 Too many recipients"
        self._recipients.append(found)
        return b"250 OK"

    def _data(self, _: bytes) -> bytes:
        if not self._recipients:
            return b"503 Say RCPT first"
        self._in_data, self._looked = True, 0
        return b"354 End with a dot on a line of its own"

    def _reset(self, _: bytes) -> bytes:
        self._forget()
        return b"250 OK"


_BYE: Final = b"221 Bye"


def _path(rest: bytes, word: bytes) -> str | None:
    """Read the address of `FROM:<…>` or `TO:<…>`."""
    found = _PATH.fullmatch(rest) if rest[: len(word)].upper() == word else None
    return found[1].decode("utf-8", "replace") if found else None
