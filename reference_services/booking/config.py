"""What the booking service is told."""

from __future__ import annotations

from dataclasses import dataclass

from reference_services.common.bus import BusConfig
from reference_services.common.environment import Common, Environment


@dataclass(frozen=True, slots=True)
class BookingConfig:
    """Configuration of the booking service.

    Attributes:
        common: what every service is told.
        database_url: its database.
        flights_url: where the flights service is.
        bus: where notifications go.
    """

    common: Common
    database_url: str
    flights_url: str
    bus: BusConfig

    @classmethod
    def read(cls, env: Environment) -> BookingConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        return cls(
            common=Common.read("booking", env),
            database_url=env.text("DATABASE_URL"),
            flights_url=env.base_url("FLIGHTS_URL"),
            bus=BusConfig.read(env),
        )
