"""How long a token may be used."""

from __future__ import annotations

import base64
import json

import pytest

from seeders.tokens import expiry


def jwt(claims: object) -> str:
    """Write claims as a JWT with a signature that nobody checks."""
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{middle}.x"


@pytest.mark.parametrize(
    ("token", "expires"),
    [
        (jwt({"exp": 5_000}), 5_000),
        (jwt({"iat": 100_000, "exp": 100_600}), 1_600),
        (jwt({"sub": "nobody"}), 4_600),
        (jwt(["a list"]), 4_600),
        ("an-opaque-token", 4_600),
        ("a.b.c", 4_600),
    ],
)
def test_a_token_tells_when_it_expires_or_is_taken_to_last_an_hour(token: str, expires: float) -> None:
    """A JWT's own length of life counts, by our clock; what does not tell lasts for the platform's hour."""
    assert expiry(token, now=1_000) == expires
