"""What the gateway is told."""

from __future__ import annotations

from dataclasses import dataclass

from reference_services.common.environment import Common, Environment
from reference_services.common.keyring import Keyring, keyring_of


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Configuration of the gateway.

    Attributes:
        common: what every service is told.
        auth_url: where the auth service is.
        flights_url: where the flights service is.
        booking_url: where the booking service is.
        reminder_url: where the reminder service is.
        rate_limit_per_minute: requests that one client address may send in a minute.
        keyring: the keys that auth signs with, where the gateway verifies tokens itself.
    """

    common: Common
    auth_url: str
    flights_url: str
    booking_url: str
    reminder_url: str
    rate_limit_per_minute: int
    keyring: Keyring | None = None

    @classmethod
    def read(cls, env: Environment) -> GatewayConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        common = Common.read("gateway", env)
        return cls(
            common=common,
            auth_url=env.base_url("AUTH_URL"),
            flights_url=env.base_url("FLIGHTS_URL"),
            booking_url=env.base_url("BOOKING_URL"),
            reminder_url=env.base_url("REMINDER_URL"),
            rate_limit_per_minute=env.integer("RATE_LIMIT_PER_MINUTE", 1_000_000, low=1, high=10**9),
            keyring=keyring_of(env) if common.profile.token_check == "local" else None,  # noqa: S105 - a way of checking
        )
