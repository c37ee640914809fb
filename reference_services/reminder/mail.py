"""Sending mails over one SMTP connection that is kept open."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import time
from typing import TYPE_CHECKING

from reference_services.common.errors import ServiceError

if TYPE_CHECKING:
    from reference_services.reminder.mailserver import MailServer

TIMEOUT_S = 10.0
# A connection that was idle this long is tried out first: mail servers hang up on the idle.
FRESH_S = 20.0
READY_TIMEOUT_S = 1.0
OK = 250
OUR_NAME = "reminder.airbourne.invalid"
# Answers to a mail that are about the session: closing; encryption first; login first, refused, or too weak.
ABOUT_THE_SESSION = frozenset({421, 523, 530, 534, 535, 538})


class MailRefusedError(ServiceError):
    """The mail server refused this mail."""


class MailServerAwayError(ServiceError):
    """The mail server cannot be reached or hung up, or encryption or login failed: no mail's fault."""


class HungUpError(MailServerAwayError):
    """The mail server was there, and ended the session over this mail: it may be the mail's fault after all."""


class Mailbox:
    """A connection to the mail server, opened when it is needed, and again after it broke."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._proven = False
        self._trouble: str | None = None

    def send(self, recipient: str, content: bytes) -> None:
        """Hand a mail over.

        Raises:
            MailRefusedError: the server does not want it.
            HungUpError: the server hung up before it took the mail, or took none in this session.
            MailServerAwayError: the server is away.
        """
        connection = self._open()
        try:
            connection.sendmail(self._sender, [recipient], content)
        except smtplib.SMTPRecipientsRefused as error:
            raise self._refusal(*next(iter(error.recipients.values()))) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise HungUpError(f"{self._server.name} hung up: {_told(error)}") from error
        except ValueError as error:  # it cannot be written into the commands of SMTP
            raise MailRefusedError(str(error)) from error

    def prove(self) -> None:
        """Open a connection and log in, unless that was done since the last trouble.

        Raises:
            MailServerAwayError: it does not work.
        """
        if not self._proven:
            self._open()

    def close(self) -> None:
        """Say goodbye to the server."""
        if self._connection is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            self._connection = None

    def ready(self) -> str | None:
        """Give None when the server takes connections, and took the last encryption and login; or why not."""
        if self._trouble is not None:
            return self._trouble
        try:
            socket.create_connection((self._server.host, self._server.port), READY_TIMEOUT_S).close()
        except OSError as error:
            return f"{self._server.name} is away: {_told(error)}"
        return None

    def _open(self) -> smtplib.SMTP:
        if self._connection is not None and time.monotonic() - self._used_at > FRESH_S and not self._alive():
            self.close()
        self._used_at = time.monotonic()
        if self._connection is None:
            self._proven = False
            try:
                self._connection = open_session(self._server)
            except SessionError as error:
                self._trouble = str(error)
                raise MailServerAwayError(self._trouble) from error
            except (smtplib.SMTPException, OSError) as error:
                self._trouble = None  # `ready` finds out by itself
                raise MailServerAwayError(f"{self._server.name} is away: {_told(error)}") from error
            self._proven, self._trouble = True, None
        return self._connection

    def _alive(self) -> bool:
        try:
            return self._connection is not None and self._connection.noop()[0] == OK
        except (smtplib.SMTPException, OSError):
            return False

    def _refusal(self, code: int, said: bytes | str) -> ServiceError:
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        if code not in ABOUT_THE_SESSION:
            return MailRefusedError(f"{code} {text}")
        self.close()
        self._proven, self._trouble = False, f"{self._server.name} takes no mails in this session: {code} {text}"
        return HungUpError(self._trouble)


class SessionError(Exception):
    """The server answers, but no session comes about; its sentence says what to change."""


def open_session(server: MailServer) -> smtplib.SMTP:
    """Connect, encrypt and log in.

    Raises:
        SessionError: the server's certificate, or our login, is not accepted, or it does not offer either.
        smtplib.SMTPException: it refuses us for another reason, or hung up.
        OSError: it cannot be reached.
    """
    connection: smtplib.SMTP | None = None
    try:
        if server.tls is not None and not server.starttls:
            connection = smtplib.SMTP_SSL(server.host, server.port, OUR_NAME, timeout=TIMEOUT_S, context=server.tls)
        else:
            connection = smtplib.SMTP(server.host, server.port, OUR_NAME, timeout=TIMEOUT_S)
        connection.ehlo()
        if server.starttls:
            connection.starttls(context=server.tls)
            connection.ehlo()
        if server.user:
            connection.login(server.user, server.password)
    except (smtplib.SMTPException, OSError) as error:
        if connection is not None:
            connection.close()
        sentence = _what(error, server)
        if sentence is None:
            raise
        raise SessionError(f"{server.name} {sentence}") from error
    return connection


def _what(error: Exception, server: MailServer) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not accepted ({error.verify_message}): name who signs it by cafile="
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as we do: {error.reason or error}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f'refuses the login of "{server.user}" ({error.smtp_code}): check user and password in SMTP_URL'
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"does not offer what SMTP_URL asks for: {error}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"refuses us: {error.smtp_code} {_told(error)}"
    return None


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
