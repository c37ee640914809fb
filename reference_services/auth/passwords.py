"""Hashing passwords with bcrypt, which lets other threads run meanwhile."""

from __future__ import annotations

import base64
import hashlib

import bcrypt


class Passwords:
    """Hashes and checks passwords at one cost."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._nobody = self.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Hash a password."""
        return bcrypt.hashpw(_fit(password), bcrypt.gensalt(self._cost)).decode("ascii")

    def matches(self, password: str, hashed: str | None) -> bool:
        """Check a password; without a hash it takes as long, so that time does not tell who has an account."""
        right = bcrypt.checkpw(_fit(password), (hashed or self._nobody).encode("ascii"))
        return right and hashed is not None


def _fit(password: str) -> bytes:
    # bcrypt takes 72 bytes and no NUL; fifty characters may be 200 bytes. A digest in base64 always fits.
    return base64.b64encode(hashlib.sha256(password.encode("utf-8")).digest())
