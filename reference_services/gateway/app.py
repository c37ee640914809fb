"""The gateway's composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.common.app import Parts, complete_app, new_app
from reference_services.common.client import Upstream
from reference_services.gateway.limiter import Limiter
from reference_services.gateway.routes import OPERATIONS, gateway_routes
from reference_services.gateway.service import Gateway, Route
from reference_services.gateway.tokens import token_check_of

if TYPE_CHECKING:
    from flask import Flask

    from reference_services.gateway.config import GatewayConfig


def create_app(config: GatewayConfig) -> Flask:
    """Make the gateway."""
    common = config.common

    def upstream(name: str, url: str) -> Upstream:
        return Upstream(name, url, timeout_s=common.upstream_timeout_s, connections=common.threads)

    auth = upstream("auth", config.auth_url)
    routes = {
        "auth": Route(auth, open=True),
        "flights": Route(upstream("flights", config.flights_url)),
        "reminder": Route(upstream("reminder", config.reminder_url)),
        "bookingservice": Route(upstream("booking", config.booking_url)),
    }
    gateway = Gateway(routes, Limiter(config.rate_limit_per_minute), token_check_of(common.profile, auth))
    parts = Parts(
        blueprints=[gateway_routes(gateway)],
        operations=OPERATIONS,
        checks=[route.upstream.unready for route in routes.values()],
        prefix="",
    )
    return complete_app(new_app(common), parts)
