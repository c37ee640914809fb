"""What the auth service is told."""

from __future__ import annotations

from dataclasses import dataclass

from reference_services.common.environment import Common, Environment

SHORTEST_KEY = 32


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Configuration of the auth service.

    Attributes:
        common: what every service is told.
        database_url: its database.
        key: the key that tokens are signed with.
        token_lifetime_s: how long a token is valid, in seconds.
        bcrypt_cost: the cost of a password's hash, a power of two.
    """

    common: Common
    database_url: str
    key: str
    token_lifetime_s: int = 3600
    bcrypt_cost: int = 10

    @classmethod
    def read(cls, env: Environment) -> AuthConfig:
        """Read it from the environment.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        return cls(
            common=Common.read("auth", env),
            database_url=env.text("DATABASE_URL"),
            key=env.secret("JWT_SECRET_FILE", least=SHORTEST_KEY),
        )
