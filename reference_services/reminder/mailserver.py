"""Where the mail server is, how the way to it is encrypted, and who logs in there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from reference_services.common.errors import ConfigError
from reference_services.common.tls import client_context, read_options

VARIABLE = "SMTP_URL"
PORTS = {"smtp": 25, "smtps": 465}
KNOWN = ("cafile", "starttls", "verify")
STARTTLS = {"no": False, "required": True}


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server, and who hands mails over to it.

    There is no "STARTTLS if it is offered": who sits between could take the offer away, and read the password.

    Attributes:
        host: its host.
        port: its port.
        user: who logs in; empty when nobody does.
        password: with which password.
        tls: how the connection is encrypted; None when it is not.
        starttls: whether encryption begins by STARTTLS; otherwise, when there is any, with the first byte.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    starttls: bool = False

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Read `SMTP_URL`; no sentence repeats the URL, because it may hold a password.

            smtp://host:25                                      not encrypted, no login
            smtp://user:password@host:587?starttls=required     encrypted before the login
            smtps://user:password@host:465                      encrypted from the first byte
            …&cafile=/path   who signs the server's certificate; &verify=no   it is not verified

        Raises:
            ConfigError: it is no such URL, or an option of it is wrong.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in PORTS or parts.path.strip("/"):
            raise ConfigError(f"{VARIABLE}: is no smtp://host:port and no smtps://host:port")
        options = read_options(VARIABLE, parts.query, KNOWN)
        starttls = STARTTLS.get(options.get("starttls", "no"))
        if starttls is None or (starttls and parts.scheme == "smtps"):
            raise ConfigError(f'{VARIABLE}: starttls is "required" or "no", and only for smtp://')
        encrypted = starttls or parts.scheme == "smtps"
        if not encrypted and options.keys() & {"cafile", "verify"}:
            raise ConfigError(f"{VARIABLE}: cafile and verify are for smtps:// and starttls=required")
        return cls(
            host=host,
            port=port or PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=client_context(VARIABLE, options) if encrypted else None,
            starttls=starttls,
        )

    @property
    def name(self) -> str:
        """What sentences call it."""
        return f"the mail server at {self.host}:{self.port}"
