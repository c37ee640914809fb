"""Tokens: JWTs that name a user (HS256), signed with the first key of the keyring."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reference_services.common.keyring import Claims, read_token
from reference_services.common.revocations import AUDIENCE

if TYPE_CHECKING:
    from reference_services.common.keyring import Keyring


class Tokens:
    """Makes and reads tokens.

    Attributes:
        lifetime_s: how long one is valid, in seconds.
    """

    def __init__(self, keyring: Keyring, lifetime_s: int) -> None:
        self._keyring = keyring
        self.lifetime_s = lifetime_s

    def issue(self, user_id: int, email: str) -> str:
        """Make a token that names a user."""
        issued = now_ms()
        ends = issued // 1000 + self.lifetime_s
        claims = {"sub": str(user_id), "email": email, "iat": issued // 1000, "iatMs": issued, "exp": ends}
        return self._keyring.keys().sign(claims)

    def claims(self, token: str) -> Claims | None:
        """Give what a token says, or None when it is not valid."""
        return read_token(self._keyring, token)[1]

    def is_of_the_gateway(self, token: str) -> bool:
        """Tell whether this comes from somebody who has the keys, and asks for the list of revocations."""
        return self._keyring.keys().verified(token, audience=AUDIENCE) is not None


def now_ms() -> int:
    """Give this moment in ms since the epoch."""
    return time.time_ns() // 1_000_000
