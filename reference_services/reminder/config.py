"""What the reminder service is told."""

from __future__ import annotations

from dataclasses import dataclass

from reference_services.common.bus import BusConfig
from reference_services.common.environment import Common, Environment
from reference_services.reminder.mailserver import VARIABLE, MailServer


@dataclass(frozen=True, slots=True)
class ReminderConfig:
    """Configuration of the reminder service.

    Attributes:
        common: what every service is told.
        database_url: its database.
        bus: where messages come from.
        mail_server: who takes its mails.
        mail_from: the sender of every mail.
    """

    common: Common
    database_url: str
    bus: BusConfig
    mail_server: MailServer
    mail_from: str

    @classmethod
    def read(cls, env: Environment) -> ReminderConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        return cls(
            common=Common.read("reminder", env),
            database_url=env.text("DATABASE_URL"),
            bus=BusConfig.read(env),
            mail_server=MailServer.parse(env.text(VARIABLE)),
            mail_from=env.text("MAIL_FROM", "tickets@airbourne.invalid"),
        )
