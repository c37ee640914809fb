"""Signing out where clocks do not agree: who is out stays out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reference_services.auth import service, tokens
from reference_services.common.app import background_of
from reference_services.common.composition import make_app, read_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

WHO = {"email": "ann@example.test", "password": "a password"}
AHEAD_MS = 60_000


class Auth:
    """The auth service, with a clock that the test sets."""

    def __init__(self, client: FlaskClient, patch: pytest.MonkeyPatch) -> None:
        self._client = client
        self._patch = patch
        self._moment = tokens.now_ms()

    def sign_in(self, ahead_ms: int = 0) -> str:
        """Sign in at a clock that is ahead by so much; gives the token."""
        self._set(ahead_ms)
        token: str = self._post("signin", json=WHO)["token"]
        return token

    def sign_out(self, token: str, ahead_ms: int = 0) -> None:
        """Sign out."""
        self._set(ahead_ms)
        self._post("signout", headers={"x-access-token": token})

    def counts(self, token: str) -> bool:
        """Tell whether a token counts."""
        status = self._client.get("/api/v1/isAuthenticated", headers={"x-access-token": token}).status_code
        assert status in {200, 401}
        return status == 200

    def _set(self, ahead_ms: int) -> None:
        for module in (service, tokens):
            self._patch.setattr(module, "now_ms", lambda: self._moment + ahead_ms)

    def _post(self, path: str, **how: Any) -> dict[str, Any]:
        answer = self._client.post(f"/api/v1/{path}", **how)
        assert answer.status_code < 300, answer.text
        data: dict[str, Any] = answer.get_json()["data"]
        return data


@pytest.fixture
def auth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Auth]:
    """Give the service, with an account."""
    keys = tmp_path / "keys"
    keys.write_text("k" * 40, encoding="ascii")
    app = make_app(
        "auth", read_config("auth", {"DATABASE_URL": f"sqlite:///{tmp_path / 'auth.db'}", "JWT_SECRET_FILE": str(keys)})
    )
    client = app.test_client()
    assert client.post("/api/v1/signup", json=WHO).status_code == 201
    yield Auth(client, monkeypatch)
    background_of(app).stop()


def test_a_token_of_a_clock_that_was_ahead_ends_with_its_sign_out(auth: Auth) -> None:
    """The clock was put back, or another process has another one: the token with which one signs out is out."""
    token = auth.sign_in(AHEAD_MS)
    assert auth.counts(token)
    auth.sign_out(token)
    assert not auth.counts(token)


def test_a_second_sign_out_brings_no_token_back(auth: Auth) -> None:
    """What one sign-out ended, another one with an earlier clock leaves ended."""
    first, second = auth.sign_in(AHEAD_MS), auth.sign_in(2 * AHEAD_MS)
    auth.sign_out(first, ahead_ms=AHEAD_MS)
    assert not auth.counts(first)
    auth.sign_out(second)
    assert not auth.counts(second)
    assert not auth.counts(first)
