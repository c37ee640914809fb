"""Sending mails over one SMTP connection that is kept open."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Row

TIMEOUT_S = 10.0
# A connection that was idle this long is tried out first: mail servers hang up on the idle.
FRESH_S = 20.0
READY_TIMEOUT_S = 1.0
OK = 250


class MailRefusedError(Exception):
    """The mail server refused this mail."""


class MailServerAwayError(Exception):
    """The mail server cannot be reached, or hung up."""


class Mailbox:
    """A connection to the mail server, opened when it is needed, and again after it broke."""

    def __init__(self, host: str, port: int, sender: str) -> None:
        self._host = host
        self._port = port
        self._sender = sender
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, recipient: str, content: bytes) -> None:
        """Hand a mail over.

        Raises:
            MailRefusedError: the server does not want it.
            MailServerAwayError: the server is away, or hung up before it took the mail.
        """
        try:
            self._open().sendmail(self._sender, [recipient], content)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise MailRefusedError(str(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise MailServerAwayError(f"mail server at {self._host}:{self._port}: {error}") from error

    def close(self) -> None:
        """Say goodbye to the server."""
        if self._connection is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            self._connection = None

    def ready(self) -> str | None:
        """Give None when the server takes connections, or the reason why it does not."""
        try:
            socket.create_connection((self._host, self._port), READY_TIMEOUT_S).close()
        except OSError as error:
            return f"mail server at {self._host}:{self._port}: {error}"
        return None

    def _open(self) -> smtplib.SMTP:
        if self._connection is not None and time.monotonic() - self._used_at > FRESH_S and not self._alive():
            self.close()
        self._used_at = time.monotonic()
        if self._connection is None:
            self._connection = smtplib.SMTP(
                self._host, self._port, local_hostname="reminder.airbourne.invalid", timeout=TIMEOUT_S
            )
            self._connection.ehlo()
        return self._connection

    def _alive(self) -> bool:
        try:
            return self._connection is not None and self._connection.noop()[0] == OK
        except (smtplib.SMTPException, OSError):
            return False


def compose(ticket: Row[object], sender: str) -> bytes:
    """Write a ticket's mail; its Message-ID stays the same when it is sent again."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = str(ticket.recepientEmail)
    mail["Subject"] = str(ticket.subject)
    mail["Date"] = formatdate()
    mail["Message-ID"] = message_id(ticket)
    mail.set_content(str(ticket.content))
    return mail.as_bytes()


def message_id(ticket: Row[object]) -> str:
    """Give what a ticket's mail is known by: its message's id, or its own when it was made by hand."""
    name = str(ticket.messageId or f"ticket-{ticket.id}")
    safe = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    return f"<{safe}.ticket@airbourne.local>"
