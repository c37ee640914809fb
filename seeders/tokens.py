"""How long a token may be used: read from a JWT, without a check of its signature, or else assumed."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

ASSUMED_LIFE_S: Final = 3600.0
"""How long a token that does not tell is taken to be good for: the platform's own hour."""


def expiry(token: str, now: float) -> float:
    """Give when a token that was fetched at `now` expires, in seconds since 1970 by this machine's clock.

    A JWT that says when it was issued gives its length of life, so that the target's clock need not agree with ours.
    """
    claims = _claims(token)
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, (int, float)):
        return now + ASSUMED_LIFE_S
    if not isinstance(issued, (int, float)):
        return float(expires)
    return now + expires - issued


def _claims(token: str) -> dict[str, object]:
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims and signature
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
