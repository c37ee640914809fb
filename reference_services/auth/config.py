"""What the auth service is told."""

from __future__ import annotations

from dataclasses import dataclass

from reference_services.common.environment import Common, Environment
from reference_services.common.keyring import Keyring, keyring_of

BCRYPT_COST = 10
LOWEST_COST, HIGHEST_COST = 4, 15
"""The least that bcrypt knows, and one at which a sign-in takes more than a second of a core."""


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Configuration of the auth service.

    Attributes:
        common: what every service is told.
        database_url: its database.
        keyring: the keys that tokens are signed with.
        token_lifetime_s: how long a token is valid, in seconds.
        bcrypt_cost: the cost of a password's hash: each more doubles the time.
    """

    common: Common
    database_url: str
    keyring: Keyring
    token_lifetime_s: int = 3600
    bcrypt_cost: int = BCRYPT_COST

    @classmethod
    def read(cls, env: Environment) -> AuthConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        return cls(
            common=Common.read("auth", env),
            database_url=env.text("DATABASE_URL"),
            keyring=keyring_of(env),
            bcrypt_cost=env.integer("BCRYPT_COST", BCRYPT_COST, low=LOWEST_COST, high=HIGHEST_COST),
        )
