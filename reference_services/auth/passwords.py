"""Hashing passwords with bcrypt, which lets other threads run meanwhile."""

from __future__ import annotations

import base64
import hashlib
from time import monotonic_ns
from typing import Final

import bcrypt

from reference_services.common import timing

HASHING: Final = "hash"
"""What hashing is called in a request's timing."""


class Passwords:
    """Hashes and checks passwords at one cost."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._nobody = self.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Hash a password."""
        begin = monotonic_ns()
        hashed = bcrypt.hashpw(_fit(password), bcrypt.gensalt(self._cost)).decode("ascii")
        timing.spent(HASHING, begin)
        return hashed

    def matches(self, password: str, hashed: str | None) -> bool:
        """Check a password; without a hash it takes as long, so that time does not tell who has an account."""
        begin = monotonic_ns()
        right = bcrypt.checkpw(_fit(password), (hashed or self._nobody).encode("ascii"))
        timing.spent(HASHING, begin)
        return right and hashed is not None


def _fit(password: str) -> bytes:
    # bcrypt takes 72 bytes and no NUL; fifty characters may be 200 bytes. A digest in base64 always fits.
    return base64.b64encode(hashlib.sha256(password.encode("utf-8")).digest())
