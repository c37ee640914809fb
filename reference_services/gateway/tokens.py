"""Who checks a token: one strategy per profile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote

from reference_services.common.errors import Refusal, UpstreamDownError
from reference_services.common.keyring import Claims, Keys, read_token

if TYPE_CHECKING:
    from reference_services.common.client import Upstream
    from reference_services.common.keyring import Keyring
    from reference_services.common.revocations import Revocations

OK, UNAUTHORIZED, UNAVAILABLE = 200, 401, 503
MOST_KNOWN: Final = 20_000


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
            raise _not_valid()
        if reply.status == UNAVAILABLE:
            sentence = f"The token cannot be checked: {reply.complaint('auth')}."
            raise Refusal(503, sentence, {"auth": "not ready"}, {"Retry-After": "1"})
        raise UpstreamDownError(reply.complaint("auth"), sent=True)


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was verified.

    Attributes:
        keys: the keys that it was verified with.
        claims: what it says.
        identity: whom it names.
    """

    keys: Keys
    claims: Claims
    identity: Identity


class Verify:
    """Verifies tokens here. A signature is looked at once, all that can change each time.

    Not less safe than to ask: while the list of revocations is older than it may be, it asks.

    Args:
        keyring: the keys that auth signs with.
        revocations: whose tokens count no more.
        otherwise: decides when the list does not.
    """

    def __init__(self, keyring: Keyring, revocations: Revocations, otherwise: TokenCheck) -> None:
        self._keyring = keyring
        self._revocations = revocations
        self._otherwise = otherwise
        self._known: dict[str, Known] = {}

    def identify(self, token: str) -> Identity:
        """Verify."""
        keys = self._keyring.keys()
        known = self._known.get(token)
        if known is None or known.keys is not keys:
            known = self._verified(token)
        if time.time() >= known.claims.ends_s:
            self._known.pop(token, None)
            raise _not_valid()
        allowed = self._revocations.allows(known.claims)
        if allowed is None:
            return self._otherwise.identify(token)
        if not allowed:
            raise _not_valid()
        return known.identity

    def _verified(self, token: str) -> Known:
        keys, claims = read_token(self._keyring, token)
        if claims is None:
            raise _not_valid()
        known = Known(keys, claims, Identity(str(claims.user_id), quote(claims.email, safe="@+")))
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[token] = known
        return known


def _not_valid() -> Refusal:
    return Refusal(401, "The token is not valid (any more); sign in again.", {"x-access-token": "not valid"})
