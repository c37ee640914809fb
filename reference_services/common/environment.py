"""Reading a service's configuration from environment variables, each problem a sentence that names the variable."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reference_services.common.errors import ConfigError
from reference_services.common.profile import Profile, profile_named
from reference_services.common.workers import ALONE, MOST_WORKERS, Workers, workers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTS = {"auth": 3001, "flights": 3002, "booking": 3003, "reminder": 3004, "gateway": 3005}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Environment:
    """Typed access to environment variables; an empty variable counts as missing."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        """Give a variable's text.

        Raises:
            ConfigError: it is missing and has no default.
        """
        value = self._variables.get(name, "").strip() or default
        if value is None:
            raise ConfigError(f"{name}: is not set, and this service cannot start without it")
        return value

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """Give a variable's number within [low, high].

        Raises:
            ConfigError: it is no number or lies outside.
        """
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            raise ConfigError(f'{name}: "{text}" is no number') from None
        if not low <= value <= high:
            raise ConfigError(f"{name}: {text} lies outside {low:g}…{high:g}")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """Give a variable's whole number within [low, high].

        Raises:
            ConfigError: it is no whole number or lies outside.
        """
        value = self.number(name, default, low=low, high=high)
        if value != int(value):
            raise ConfigError(f"{name}: {value:g} is no whole number")
        return int(value)

    def switch(self, name: str, *, default: bool) -> bool:
        """Give whether a variable is on or off.

        Raises:
            ConfigError: it is neither.
        """
        text = self.text(name, "on" if default else "off").lower()
        if text not in {"on", "off"}:
            raise ConfigError(f'{name}: "{text}" is neither on nor off')
        return text == "on"

    def base_url(self, name: str) -> str:
        """Give the `http://host:port` of another service, without a slash at its end.

        Raises:
            ConfigError: it is missing or no http URL.
        """
        text = self.text(name).rstrip("/")
        parts = urlsplit(text)
        if parts.scheme != "http" or not parts.hostname or parts.path:
            raise ConfigError(f'{name}: "{text}" is no http://host:port')
        return text


@dataclass(frozen=True, slots=True)
class Common:
    """What every service is told.

    Attributes:
        service: its name.
        host: the address that it listens on.
        port: the port that it listens on.
        threads: requests that it handles at once.
        profile: its ways of working.
        log_level: least level that it logs.
        max_body_bytes: largest body that it takes.
        upstream_timeout_s: how long it waits for another service, in seconds.
        server_timing: whether its answers tell where their time went.
        workers: the processes that serve it.
    """

    service: str
    host: str
    port: int
    threads: int
    profile: Profile
    log_level: str
    max_body_bytes: int
    upstream_timeout_s: float
    server_timing: bool = True
    workers: Workers = field(default_factory=Workers)

    @classmethod
    def read(cls, service: str, env: Environment) -> Common:
        """Read the variables that all services have in common.

        Raises:
            ConfigError: one of them is wrong.
        """
        profile = profile_named(env.text("PROFILE", "safe"))
        log_level = env.text("LOG_LEVEL", "INFO" if profile.access_log else "WARNING").upper()
        if log_level not in LOG_LEVELS:
            raise ConfigError(f'LOG_LEVEL: "{log_level}" is none of {", ".join(LOG_LEVELS)}')
        return cls(
            service=service,
            host=env.text("HOST", "127.0.0.1"),
            port=env.integer("PORT", PORTS[service], low=1, high=65535),
            threads=env.integer("THREADS", 32, low=1, high=512),
            profile=profile,
            log_level=log_level,
            max_body_bytes=env.integer("MAX_BODY_BYTES", 1 << 20, low=1024, high=1 << 30),
            upstream_timeout_s=env.number("UPSTREAM_TIMEOUT_S", 5.0, low=0.05, high=300.0),
            server_timing=env.switch("SERVER_TIMING", default=True),
            workers=_workers(service, profile, env),
        )


def _workers(service: str, profile: Profile, env: Environment) -> Workers:
    count = workers_of(profile, service, len(os.sched_getaffinity(0)))
    told = env.integer("WORKERS", count, low=1, high=MOST_WORKERS)
    return Workers(count if profile.workers == "one" or service in ALONE else told, counting=service == "gateway")
