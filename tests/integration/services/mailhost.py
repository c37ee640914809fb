"""A real mail server in this process, with TLS, logins and moods as a test wants them."""

from __future__ import annotations

import ssl
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.integration.services.lone import free_port
from tests.real import require

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

USER, PASSWORD = "clerk", "open-sesame-9"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for 127.0.0.1 that signs itself."""

    cert: Path
    key: Path

    def server_side(self) -> ssl.SSLContext:
        """Give the TLS of a server that has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


def make_certificate(folder: Path) -> Certificate:
    """Make one, by the program openssl."""
    require("openssl")
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    where = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(made.key), "-out", str(made.cert)]
    subprocess.run([*command, *where], check=True, capture_output=True)
    return made


# Without slots: aiosmtpd looks at every member of its handler, and in Python 3.11.2 (Debian 12's own) such a class
# has one that cannot be looked at.
@dataclass
class Moods:
    """What the server answers to mails, and what it took.

    Attributes:
        answers: by recipient, what is said to its next mails; when there is nothing left, 250.
        heard: by recipient, how often it was named.
        taken: who got which Message-ID, in order.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    heard: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    taken: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        self.heard[address] += 1
        if self.answers.get(address):
            return self.answers[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a mail, or refuse it as `answers["DATA"]` says."""
        if self.answers.get("DATA"):
            return self.answers["DATA"].pop(0)
        name = str(message_from_bytes(envelope.original_content or b"")["Message-ID"]).strip()
        self.taken += [(recipient, name) for recipient in envelope.rcpt_tos]
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        """Who got a mail, in order."""
        return [recipient for recipient, _ in self.taken]


class MailHost:
    """A mail server on a port of its own, which may stop and start again."""

    def __init__(self, **options: Any) -> None:
        self.moods = Moods()
        self.passwords = {USER: PASSWORD}
        self.port = free_port()
        self._options = options
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def url(self) -> str:
        """Its URL without encryption and login."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        options = {"hostname": "127.0.0.1", "port": self.port, "ready_timeout": 10, **self._options}
        self._controller = Controller(self.moods, authenticator=self._let_in, server_hostname="localhost", **options)
        self._controller.start()

    def stop(self) -> None:
        """Hang up on everybody."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def _let_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: object) -> AuthResult:
        right = isinstance(login, LoginPassword) and self.passwords.get(login.login.decode()) == login.password.decode()
        return AuthResult(success=right, handled=False)
