"""The URL of an external database server, as a user writes it and as a service needs it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from lab.errors import ConfigError
from lab.stack.mariadb import CHARSET, DATABASES

_SCHEMES: Final = frozenset({"mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"})
_PREFIX: Final = re.compile(r"[A-Za-z0-9_]{0,40}")
_PORT: Final = 3306


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where the server is and who logs in; `prefix` stands before each database's name."""

    server: SplitResult = field(repr=False)
    prefix: str

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Read `mysql://user:password@host:port[/prefix][?options]`.

        Raises:
            ConfigError: it is none; the sentence holds nothing of the URL, for a password may stand anywhere in it.
        """
        try:
            parts = urlsplit(text)
            port = parts.port or _PORT
        except ValueError:
            raise _wrong() from None
        if parts.scheme not in _SCHEMES or not parts.hostname or parts.fragment:
            raise _wrong()
        prefix = parts.path.strip("/")
        if not _PREFIX.fullmatch(prefix):
            raise ConfigError("--db-url: what follows the host is the databases' prefix: up to 40 letters, digits or _")
        user, at, _ = parts.netloc.rpartition("@")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(parts._replace(scheme="mysql+pymysql", netloc=f"{user}{at}{host}:{port}"), prefix)

    @property
    def where(self) -> str:
        """The host and the port."""
        return self.server.netloc.rpartition("@")[2]

    @property
    def names(self) -> dict[str, str]:
        """The name of each service's database."""
        return {service: f"{self.prefix}_{name}" if self.prefix else name for service, name in DATABASES.items()}

    def url(self, database: str = "") -> str:
        """Give the SQLAlchemy URL of a database, or of the server alone."""
        options = {"charset": CHARSET, **dict(parse_qsl(self.server.query))}
        return urlunsplit(self.server._replace(path=f"/{database}", query=urlencode(options)))


def _wrong() -> ConfigError:
    return ConfigError("--db-url is no URL of the kind mysql://user:password@host:port; correct it")
