"""What the services stand on: files of this machine, servers that the lab starts, or servers that are elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, cast

from lab import redact
from lab.errors import ConfigError, nearest
from lab.stack.dburl import DatabaseUrl

Kind = Literal["embedded", "services", "external"]

KINDS: Final = ("embedded", "services", "external")
_AMQP: Final = ("amqp", "amqps")
_SMTP: Final = ("smtp", "smtps")


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to have databases, a message broker and a mail server; made by `Backend.of`.

    Attributes:
        kind: `embedded` (SQLite and a queue on disk), `services` (the lab's own MariaDB and RabbitMQ), or `external`.
        db_url: an external MariaDB or MySQL server, with a user who may use the four databases.
        amqp_url: an external RabbitMQ.
        smtp_url: an external mail server; "" for the lab's own mail sink, which keeps what it gets.
    """

    kind: Kind = "embedded"
    db_url: str = field(default="", repr=False)
    amqp_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)

    @classmethod
    def of(cls, kind: str, *, db_url: str = "", amqp_url: str = "", smtp_url: str = "") -> Backend:
        """Make a backend of what the user wrote.

        Raises:
            ConfigError: no such backend, a URL is missing, of the wrong kind, or given to a backend that takes none.
        """
        if kind not in KINDS:
            raise ConfigError(f'unknown backend "{kind}"{nearest(kind, KINDS)}')
        urls = {"--db-url": db_url, "--amqp-url": amqp_url, "--smtp-url": smtp_url}
        if kind != "external":
            given = [option for option, url in urls.items() if url]
            if given:
                raise ConfigError(f"{given[0]} is for --backend external; leave it out, or choose that backend")
            return cls(cast("Kind", kind))
        for option in ("--db-url", "--amqp-url"):
            if not urls[option]:
                raise ConfigError(f"--backend external needs {option}; give it, or use --backend services")
        DatabaseUrl.parse(db_url)
        _check("--amqp-url", amqp_url, _AMQP)
        if smtp_url:
            _check("--smtp-url", smtp_url, _SMTP)
        return cls("external", db_url, amqp_url, smtp_url)

    @property
    def has_mail_sink(self) -> bool:
        """Whether mails go to the lab's own sink."""
        return not self.smtp_url

    @property
    def shown(self) -> str:
        """What it is, without users and passwords."""
        where = ", ".join(redact.url(url) for url in (self.db_url, self.amqp_url, self.smtp_url) if url)
        return f"{self.kind} ({where})" if where else self.kind


def _check(option: str, url: str, schemes: tuple[str, ...]) -> None:
    """Refuse a URL without telling what stands in it."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in schemes or not rest.rpartition("@")[2].strip("/"):
        raise ConfigError(f"{option} is no URL of the kind {schemes[0]}://user:password@host:port; correct it")


EMBEDDED: Final = Backend()
"""The backend that needs nothing."""
