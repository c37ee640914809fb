"""The gateway's composition root: the one place that turns its profile into strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.common.app import Parts, complete_app, new_app
from reference_services.common.background import Background, Task
from reference_services.common.client import Upstream
from reference_services.common.revocations import FETCH_EVERY_S, PATIENCE_S, Revocations
from reference_services.common.transport import transport_of
from reference_services.gateway.limiter import Limiter
from reference_services.gateway.routes import OPERATIONS, gateway_routes
from reference_services.gateway.service import Gateway, Route
from reference_services.gateway.tokens import AskAuth, TokenCheck, Verify

if TYPE_CHECKING:
    from flask import Flask

    from reference_services.gateway.config import GatewayConfig


def create_app(config: GatewayConfig) -> Flask:
    """Make the gateway."""
    common = config.common

    def upstream(name: str, url: str) -> Upstream:
        return Upstream(
            name,
            url,
            timeout_s=common.upstream_timeout_s,
            connections=common.threads,
            over=transport_of(common.profile),
        )

    auth = upstream("auth", config.auth_url)
    routes = {
        "auth": Route(auth, open=True),
        "flights": Route(upstream("flights", config.flights_url)),
        "reminder": Route(upstream("reminder", config.reminder_url)),
        "bookingservice": Route(upstream("booking", config.booking_url)),
    }
    limiter = Limiter(config.rate_limit_per_minute, counting=common.workers.counts)
    tokens, tasks = _token_check(config, auth)
    gateway = Gateway(routes, limiter, tokens)
    parts = Parts(
        blueprints=[gateway_routes(gateway)],
        operations=OPERATIONS,
        checks=[route.upstream.unready for route in routes.values()],
        background=Background(tasks),
        prefix="",
    )
    return complete_app(new_app(common), parts)


def _token_check(config: GatewayConfig, auth: Upstream) -> tuple[TokenCheck, list[Task]]:
    """Choose the profile's way of checking tokens, with what must go on in the background for it."""
    asking = AskAuth(auth)
    if config.keyring is None:
        return asking, []
    patience_s = min(PATIENCE_S, config.common.upstream_timeout_s)
    listed = Revocations(Upstream("auth", config.auth_url, timeout_s=patience_s, connections=1), config.keyring)
    return Verify(config.keyring, listed, asking), [
        Task("revocations", listed.fetch, every_s=FETCH_EVERY_S, everywhere=True)
    ]
