"""Forwarding a request to the service that its first path segment names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_services.common.client import Upstream
from reference_services.common.errors import Refusal, UpstreamDownError, UpstreamSlowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reference_services.common.client import Reply
    from reference_services.gateway.limiter import Limiter
    from reference_services.gateway.tokens import TokenCheck

# What a client may say to a service: everything else, X-User-Id above all, is the gateway's to say.
PASSED_ON = (
    ("Content-Type", "CONTENT_TYPE"),
    ("Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"),
    ("x-access-token", "HTTP_X_ACCESS_TOKEN"),
    ("Accept", "HTTP_ACCEPT"),
)
PASSED_BACK = ("Content-Type", "Allow", "Retry-After")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a prefix leads.

    Attributes:
        upstream: the service.
        open: whether its calls need no token.
    """

    upstream: Upstream
    open: bool = False


class Gateway:
    """Checks, then forwards."""

    def __init__(self, routes: Mapping[str, Route], limiter: Limiter, tokens: TokenCheck) -> None:
        self._routes = routes
        self._limiter = limiter
        self._tokens = tokens

    def admit(self, address: str) -> None:
        """Count a client's request.

        Raises:
            Refusal: 429.
        """
        self._limiter.admit(address)

    def route(self, prefix: str) -> Route:
        """Give where a prefix leads.

        Raises:
            Refusal: 404, nowhere.
        """
        route = self._routes.get(prefix)
        if route is None:
            known = ", ".join(f"/{name}" for name in self._routes)
            raise Refusal(404, f"Nothing is behind /{prefix[:40]}; known are {known}.", {"path": "not found"})
        return route

    def identity_headers(self, route: Route, token: str | None) -> dict[str, str]:
        """Check the token where one is needed, and give the headers that tell services who asks.

        Raises:
            Refusal: 401 no valid token; 502 or 504 it could not be checked.
        """
        if route.open:
            return {}
        if not token:
            raise Refusal(401, "The header x-access-token is missing.", {"x-access-token": "missing"})
        try:
            identity = self._tokens.identify(token)
        except (UpstreamDownError, UpstreamSlowError) as problem:
            raise bad_gateway(problem) from problem
        return {"X-User-Id": identity.user_id, "X-User-Email": identity.email}

    def forward(self, route: Route, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """Send a request on.

        A call that is not idempotent is sent once, unless the client's Idempotency-Key makes it repeatable: the
        gateway cannot know whether a broken connection broke before or after the service did its work.

        Raises:
            Refusal: 502 the service is not reachable; 504 it is too slow.
        """
        try:
            repeatable = "Idempotency-Key" in headers
            return route.upstream.call(method, target, body=body, headers=headers, repeatable=repeatable)
        except (UpstreamDownError, UpstreamSlowError) as problem:
            raise bad_gateway(problem) from problem


def bad_gateway(problem: UpstreamDownError | UpstreamSlowError) -> Refusal:
    """Turn the silence of a service into an answer."""
    status = 504 if isinstance(problem, UpstreamSlowError) else 502
    return Refusal(status, f"The gateway got no answer: {problem}.", {"upstream": str(problem)})


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the headers of a client's request that services get to see."""
    return {name: value for name, key in PASSED_ON if (value := environ.get(key)) is not None}


def passed_back(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Give the headers of a service's answer that clients get to see."""
    return [(name, value) for name in PASSED_BACK if (value := headers.get(name)) is not None]
