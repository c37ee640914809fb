"""The auth service's composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.auth.models import metadata
from reference_services.auth.passwords import Passwords
from reference_services.auth.routes import OPERATIONS, auth_routes
from reference_services.auth.service import AuthService
from reference_services.auth.tokens import Tokens
from reference_services.common.app import Parts, complete_app, new_app
from reference_services.common.background import Background
from reference_services.common.database import open_database

if TYPE_CHECKING:
    from flask import Flask

    from reference_services.auth.config import AuthConfig


def create_app(config: AuthConfig) -> Flask:
    """Make the auth service.

    Raises:
        ConfigError: its database cannot be opened.
    """
    app = new_app(config.common)
    database = open_database(app, config.database_url, metadata, config.common)
    tokens = Tokens(config.keyring, config.token_lifetime_s)
    service = AuthService(database, Passwords(config.bcrypt_cost), tokens)
    parts = Parts(
        blueprints=[auth_routes(service)],
        operations=OPERATIONS,
        checks=[database.ready],
        background=Background(closers=[database.engine.dispose]),
    )
    return complete_app(app, parts)
