"""Tokens that the gateway verifies itself: keys that change, revocations, and when it asks after all."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from pydantic_core import to_json

from reference_services.auth.tokens import Tokens, now_ms
from reference_services.common.client import Reply
from reference_services.common.errors import ConfigError, Refusal, UpstreamDownError
from reference_services.common.keyring import LOOK_EVERY_S, Keyring
from reference_services.common.revocations import OLDEST_S, Revocations
from reference_services.gateway.tokens import Identity, Verify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNAUTHORIZED = 401
OLD, NEW = "o" * 32, "n" * 40
ASKED = Identity("0", "asked")


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.moment = 100.0

    def __call__(self) -> float:
        """Give the time that was set."""
        return self.moment


class Auth:
    """The auth service: has a list of revocations, and hears who asks for it."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.highest = 7
        self.revoked: list[dict[str, int]] = []
        self.status = 200
        self.asked = 0

    def call(self, method: str, target: str, *, headers: Mapping[str, str]) -> Reply:
        """Answer."""
        assert (method, target) == ("GET", "/api/v1/revocations")
        assert self._tokens.is_of_the_gateway(headers["x-access-token"])
        data = {"highest": self.highest, "revoked": self.revoked}
        return Reply(self.status, {}, to_json({"data": data, "message": "no"}), 1)

    def identify(self, _token: str) -> Identity:
        """Be asked about a token."""
        self.asked += 1
        return ASKED


class Gate:
    """A gateway's check with all that it needs."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.path = path
        path.write_text(OLD + "\n", encoding="ascii")
        self.keyring = Keyring(path, self.clock)
        self.tokens = Tokens(self.keyring, 600)
        self.auth = Auth(self.tokens)
        self.revocations = Revocations(self.auth, self.keyring, self.clock)  # type: ignore[arg-type]  # all that it calls
        self.check = Verify(self.keyring, self.revocations, self.auth)
        self.revocations.fetch()

    def write_keys(self, *keys: str) -> None:
        """Change the file, and let the time pass after which it is looked at again."""
        self.path.write_text("\n".join(keys), encoding="ascii")
        os.utime(self.path, ns=(time.time_ns(), time.time_ns()))
        self.clock.moment += LOOK_EVERY_S
        self.revocations.fetch()

    def refuses(self, token: str) -> bool:
        """Tell whether a token is a 401."""
        try:
            self.check.identify(token)
        except Refusal as refusal:
            return refusal.status == UNAUTHORIZED
        return False


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gateway that has fetched the list."""
    return Gate(tmp_path / "keys")


def test_a_token_is_verified_without_asking(gate: Gate) -> None:
    """User and address stand in the token, the address as a header holds it."""
    token = gate.tokens.issue(7, "ann é@example.test")
    assert [gate.check.identify(token) for _ in range(2)] == [Identity("7", "ann%20%C3%A9@example.test")] * 2
    assert gate.auth.asked == 0


def test_keys_are_changed_while_tokens_are_in_use(gate: Gate) -> None:
    """A new key on top signs, the old one still verifies; without it its tokens are refused, also known ones."""
    before = gate.tokens.issue(7, "ann@example.test")
    assert not gate.refuses(before)
    gate.write_keys(NEW, OLD)
    after = gate.tokens.issue(7, "ann@example.test")
    assert not gate.refuses(before)
    assert not gate.refuses(after)
    gate.write_keys(NEW)
    assert gate.refuses(before)
    assert not gate.refuses(after)


def test_a_key_that_auth_found_first_is_looked_for_at_once(gate: Gate) -> None:
    """Each process looks into the file in its own time; nobody's new token is refused for that."""
    gate.path.write_text(f"{NEW}\n{OLD}\n", encoding="ascii")
    auths = Tokens(Keyring(gate.path), 600)
    assert gate.check.identify(auths.issue(7, "ann@example.test")) == Identity("7", "ann@example.test")
    assert gate.tokens.claims(auths.issue(7, "ann@example.test")) is not None
    gate.path.write_text(f"{OLD * 2}\n", encoding="ascii")
    assert gate.refuses(Tokens(Keyring(gate.path), 600).issue(7, "ann@example.test") + "x")


@pytest.mark.parametrize("content", ["", "short", f"{NEW}\nshort"])
def test_a_file_of_keys_that_is_no_good_changes_nothing(gate: Gate, content: str) -> None:
    """At the start it is refused; later the keys stay as they were."""
    token = gate.tokens.issue(7, "ann@example.test")
    gate.write_keys(content)
    assert not gate.refuses(token)
    with pytest.raises(ConfigError, match="JWT_SECRET_FILE"):
        Keyring(gate.path)


def test_a_revoked_token_is_refused_and_a_later_one_is_not(gate: Gate) -> None:
    """What was issued until the revocation counts no more, though its signature is right and was seen before."""
    token = gate.tokens.issue(7, "ann@example.test")
    assert not gate.refuses(token)
    gate.auth.revoked = [{"user": 7, "before": now_ms()}]
    gate.revocations.fetch()
    assert gate.refuses(token)
    gate.auth.revoked = [{"user": 7, "before": now_ms() - 1000}, {"user": 6, "before": now_ms() + 1000}]
    gate.revocations.fetch()
    assert not gate.refuses(gate.tokens.issue(7, "ann@example.test"))


def test_a_list_that_is_too_old_decides_nothing(gate: Gate) -> None:
    """A second after the list was asked for, auth is asked about each token; so it is while auth gives none."""
    token = gate.tokens.issue(7, "ann@example.test")
    gate.clock.moment += OLDEST_S
    assert gate.check.identify(token) != ASKED
    gate.clock.moment += 0.001
    assert gate.check.identify(token) == ASKED
    gate.auth.status = 503
    with pytest.raises(UpstreamDownError, match="auth answered 503"):
        gate.revocations.fetch()
    assert gate.check.identify(token) == ASKED


def test_a_user_whom_the_list_does_not_know_is_asked_about(gate: Gate) -> None:
    """A right signature on a number that nobody has, or has had for less than a moment, is auth's to judge."""
    assert gate.check.identify(gate.tokens.issue(8, "new@example.test")) == ASKED


def test_an_ended_token_is_refused_though_it_is_known(gate: Gate) -> None:
    """The end is looked at each time."""
    token = Tokens(gate.keyring, 1).issue(7, "ann@example.test")
    until = time.time() + 60
    while not gate.refuses(token):
        assert time.time() < until
        gate.revocations.fetch()


def test_a_token_of_a_clock_that_is_ahead_is_believed(gate: Gate) -> None:
    """Auth's clock is not the gateway's: a token that was issued in a moment is no forgery."""
    moment = now_ms() + 3000
    claims = {
        "sub": "7",
        "email": "ann@example.test",
        "iat": moment // 1000,
        "iatMs": moment,
        "exp": moment // 1000 + 60,
    }
    assert gate.check.identify(gate.keyring.keys().sign(claims)).user_id == "7"


def test_the_gateways_proof_is_nobodys_token(gate: Gate) -> None:
    """What proves that the gateway asks names no user, and a user's token proves nothing."""
    token = gate.tokens.issue(7, "ann@example.test")
    assert not gate.tokens.is_of_the_gateway(token)
    moment = int(time.time())
    proof = gate.keyring.keys().sign({"aud": "revocations", "iat": moment, "exp": moment + 60, "sub": "7"})
    assert gate.tokens.is_of_the_gateway(proof)
    assert gate.tokens.claims(proof) is None
    assert gate.refuses(proof)
