"""Tokens: JWTs signed with one key (HS256)."""

from __future__ import annotations

import time

import jwt

from reference_services.common.fields import INT_MAX

ALGORITHM = "HS256"


class Tokens:
    """Makes and reads tokens."""

    def __init__(self, key: str, lifetime_s: int) -> None:
        self._key = key
        self._lifetime_s = lifetime_s

    def issue(self, user_id: int, email: str) -> str:
        """Make a token that names a user."""
        issued = int(time.time())
        claims = {"sub": str(user_id), "email": email, "iat": issued, "exp": issued + self._lifetime_s}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def user_id(self, token: str) -> int | None:
        """Give the id of the user that a token names, or None when the token is not valid."""
        try:
            options: jwt.types.Options = {"require": ["sub", "exp"]}
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM], options=options)
            user_id = int(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            return None
        return user_id if 0 < user_id <= INT_MAX else None
