"""What services are told by the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    """A key that could be guessed does not sign tokens."""
    (tmp_path / "key").write_text("short")
    variables = {"DATABASE_URL": "sqlite://", "JWT_SECRET_FILE": str(tmp_path / "key")}
    with pytest.raises(ConfigError, match="JWT_SECRET_FILE"):
        read_config("auth", variables)
