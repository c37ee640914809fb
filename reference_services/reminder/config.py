"""What the reminder service is told."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from reference_services.common.bus import BusConfig
from reference_services.common.environment import Common, Environment
from reference_services.common.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ReminderConfig:
    """Configuration of the reminder service.

    Attributes:
        common: what every service is told.
        database_url: its database.
        bus: where messages come from.
        smtp_host: the mail server's host.
        smtp_port: the mail server's port.
        mail_from: the sender of every mail.
    """

    common: Common
    database_url: str
    bus: BusConfig
    smtp_host: str
    smtp_port: int
    mail_from: str

    @classmethod
    def read(cls, env: Environment) -> ReminderConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        smtp_url = env.text("SMTP_URL")
        try:
            parts = urlsplit(smtp_url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if host is None or port is None or parts.scheme != "smtp":
            raise ConfigError(f'SMTP_URL: "{smtp_url}" is no smtp://host:port')
        return cls(
            common=Common.read("reminder", env),
            database_url=env.text("DATABASE_URL"),
            bus=BusConfig.read(env),
            smtp_host=host,
            smtp_port=port,
            mail_from=env.text("MAIL_FROM", "tickets@airbourne.invalid"),
        )
