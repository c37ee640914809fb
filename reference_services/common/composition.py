"""Making a service from its name and the environment; imports only the service that is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

from reference_services.common.environment import PORTS, Common, Environment
from reference_services.common.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask


class ServiceConfig(Protocol):
    """The configuration of any service."""

    @property
    def common(self) -> Common:
        """What every service is told."""


SERVICES = tuple(sorted(PORTS))


def read_config(service: str, variables: Mapping[str, str]) -> ServiceConfig:
    """Read a service's configuration, of the class `<Service>Config`; its `common` is what all have.

    Raises:
        ConfigError: there is no such service, or a variable is missing or wrong.
    """
    if service not in SERVICES:
        raise ConfigError(f'there is no service "{service}"; known are: {", ".join(SERVICES)}')
    module = importlib.import_module(f"reference_services.{service}.config")
    config: ServiceConfig = getattr(module, f"{service.title()}Config").read(Environment(variables))
    return config


def make_app(service: str, config: ServiceConfig) -> Flask:
    """Make a service's app; its background work is not started.

    Raises:
        ConfigError: what the service needs cannot be opened.
    """
    app: Flask = importlib.import_module(f"reference_services.{service}.app").create_app(config)
    return app
