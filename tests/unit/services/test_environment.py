"""What services are told by the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_services.auth.config import AuthConfig
from reference_services.auth.passwords import Passwords
from reference_services.common.composition import read_config
from reference_services.common.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = {f"{name}_URL": "http://127.0.0.1:1" for name in ("AUTH", "FLIGHTS", "BOOKING", "REMINDER")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "70000"),
        ("PROFILE", "fast"),
        ("LOG_LEVEL", "loud"),
        ("AUTH_URL", "ftp://x"),
        ("AUTH_URL", ""),
        ("MAX_BODY_BYTES", "1.5e3.2"),
        ("RATE_LIMIT_PER_MINUTE", "0"),
        ("UPSTREAM_TIMEOUT_S", "nan"),
    ],
)
def test_a_wrong_variable_is_a_sentence_that_names_it(name: str, value: str) -> None:
    """The reason why a service does not start begins with the variable."""
    with pytest.raises(ConfigError, match=f"^{name}: "):
        read_config("gateway", {**GATEWAY, name: value})


def test_the_contract_gives_the_defaults() -> None:
    """Without variables a service listens on loopback at its port of the contract, in the safe profile."""
    common = read_config("gateway", GATEWAY).common
    assert (common.host, common.port, common.profile.name) == ("127.0.0.1", 3005, "safe")


@pytest.fixture
def auth(tmp_path: Path) -> dict[str, str]:
    """What the auth service must be told."""
    (tmp_path / "key").write_text("k" * 32)
    return {"DATABASE_URL": "sqlite://", "JWT_SECRET_FILE": str(tmp_path / "key")}


@pytest.mark.parametrize(("variables", "cost"), [({}, 10), ({"BCRYPT_COST": "4"}, 4)])
def test_passwords_are_hashed_at_the_contracts_cost_unless_told(
    auth: dict[str, str], variables: dict[str, str], cost: int
) -> None:
    """A hash has the cost of the contract, or that of BCRYPT_COST, and says so itself."""
    config = read_config("auth", auth | variables)
    assert isinstance(config, AuthConfig)
    assert Passwords(config.bcrypt_cost).hash("a secret").startswith(f"$2b${cost:02}$")


@pytest.mark.parametrize("value", ["3", "16", "ten"])
def test_a_cost_that_cannot_be_is_refused(auth: dict[str, str], value: str) -> None:
    """A cost that bcrypt does not know, or that nobody would wait for, ends the start with its name."""
    with pytest.raises(ConfigError, match=r"^BCRYPT_COST: "):
        read_config("auth", auth | {"BCRYPT_COST": value})


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    """A key that could be guessed does not sign tokens."""
    (tmp_path / "key").write_text("short")
    variables = {"DATABASE_URL": "sqlite://", "JWT_SECRET_FILE": str(tmp_path / "key")}
    with pytest.raises(ConfigError, match="JWT_SECRET_FILE"):
        read_config("auth", variables)
