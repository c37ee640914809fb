"""What the flights service is told."""

from __future__ import annotations

from dataclasses import dataclass

from reference_services.common.environment import Common, Environment


@dataclass(frozen=True, slots=True)
class FlightsConfig:
    """Configuration of the flights service.

    Attributes:
        common: what every service is told.
        database_url: its database.
    """

    common: Common
    database_url: str

    @classmethod
    def read(cls, env: Environment) -> FlightsConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        return cls(common=Common.read("flights", env), database_url=env.text("DATABASE_URL"))
