"""Who checks a token: one strategy per profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reference_services.common.errors import Refusal, UpstreamDownError

if TYPE_CHECKING:
    from reference_services.common.client import Upstream
    from reference_services.common.profile import Profile

OK, UNAUTHORIZED, UNAVAILABLE = 200, 401, 503


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token names.

    Attributes:
        user_id: the user, as text.
        email: the user's e-mail address, as it stands in a header (percent-encoded).
    """

    user_id: str
    email: str


class TokenCheck(Protocol):
    """Checks tokens."""

    def identify(self, token: str) -> Identity:
        """Give whom a token names.

        Raises:
            Refusal: 401, it is not valid; 503, the service that knows is not ready.
            UpstreamError: it could not be checked.
        """


class AskAuth:
    """Asks the auth service about every token; nothing is cached, so a token that ends is refused at once."""

    def __init__(self, auth: Upstream) -> None:
        self._auth = auth

    def identify(self, token: str) -> Identity:
        """Ask."""
        reply = self._auth.call("GET", "/api/v1/isAuthenticated", headers={"x-access-token": token})
        if reply.status == OK:
            return Identity(reply.headers["X-User-Id"], reply.headers["X-User-Email"])
        if reply.status == UNAUTHORIZED:
            raise Refusal(401, "The token is not valid (any more); sign in again.", {"x-access-token": "not valid"})
        if reply.status == UNAVAILABLE:
            sentence = f"The token cannot be checked: {reply.complaint('auth')}."
            raise Refusal(503, sentence, {"auth": "not ready"}, {"Retry-After": "1"})
        raise UpstreamDownError(reply.complaint("auth"), sent=True)


def token_check_of(profile: Profile, auth: Upstream) -> TokenCheck:
    """Choose the profile's way of checking tokens."""
    return {"auth": AskAuth}[profile.token_check](auth)
