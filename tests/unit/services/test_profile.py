"""The ladder of profiles: what each has, how it is spelt, and that the lab and the services mean the same."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import cli
from lab.errors import ConfigError as LabConfigError
from lab.stack.profiles import DEFAULT, RUNGS, check_profile
from reference_services.common.app import background_of
from reference_services.common.composition import SERVICES, make_app, read_config
from reference_services.common.errors import ConfigError
from reference_services.common.profile import CHANGES, LADDER, Profile, profile_named

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {field.name for field in fields(Profile)} - {"name"}
WORDS = (*LADDER, "fast", "")
SPELLINGS = [
    *WORDS,
    *(f"{rung}+{change}" for rung, change in product(WORDS, WORDS)),
    "safe+pooled+lean",
    "safe+lean+lean",
    "as-found+safe+lean",
    "as-found+indexed+lean",
]


def test_a_rung_has_its_change_and_all_below_it() -> None:
    """Each rung differs from the one below in what its change sets, and in nothing else."""
    for below, change in zip(LADDER, CHANGES[1:], strict=False):
        assert change.sets
        assert profile_named(change.name) == replace(profile_named(below), name=change.name, **change.sets)


def test_each_way_of_working_belongs_to_one_change() -> None:
    """Every field is set by exactly one change, so that each can be had alone."""
    told = [name for change in CHANGES for name in change.sets]
    assert sorted(told) == sorted(FIELDS)


def test_safe_is_as_found_with_atomic_seats_and_an_outbox() -> None:
    """What makes it safe makes it no faster: connections, tokens, indexes, transactions and logs are as they were."""
    found, safe = profile_named("as-found"), profile_named("safe")
    assert {name for name in FIELDS if getattr(found, name) != getattr(safe, name)} == {
        "seats",
        "notify",
        "acknowledge",
    }


@pytest.mark.parametrize("change", CHANGES[2:], ids=lambda change: change.name)
def test_a_change_can_be_had_alone(change: object) -> None:
    """`safe+CHANGE` is safe with that change and no other."""
    assert change in CHANGES
    one = CHANGES[LADDER.index(getattr(change, "name", ""))]
    alone = profile_named(f"safe+{one.name}")
    assert alone == replace(profile_named("safe"), name=f"safe+{one.name}", **one.sets)


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("fast", '"fast" is no change'),
        ("safe+fast", '"fast" is no change'),
        ("pooled+safe", "has safe twice"),
        ("as-found+lean", "lean needs safe too"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(spelling: str, said: str) -> None:
    """The sentence names the variable and what is wrong with the word."""
    with pytest.raises(ConfigError, match=f"^PROFILE: .*{said}"):
        profile_named(spelling)


def test_the_lab_and_the_services_know_the_same_profiles() -> None:
    """Of every spelling both say the same: it is one, or it is none."""
    assert RUNGS == LADDER
    assert DEFAULT in LADDER
    for spelling in SPELLINGS:
        verdicts = []
        for check, error in ((check_profile, LabConfigError), (profile_named, ConfigError)):
            try:
                check(spelling)
            except error:
                verdicts.append(False)
            else:
                verdicts.append(True)
        assert verdicts[0] is verdicts[1], spelling


def test_the_command_lists_the_ladder() -> None:
    """`profiles --json` tells each rung, what it changes and should gain, and which is the default."""
    told = json.loads(CliRunner().invoke(cli.app, ["profiles", "--json"]).stdout)
    assert [one["name"] for one in told] == list(LADDER)
    assert [one["name"] for one in told if one["default"]] == [DEFAULT]
    assert all(one["changes"] and one["gains"] for one in told)
    assert all(name in CliRunner().invoke(cli.app, ["profiles"]).stdout for name in LADDER)


@pytest.mark.parametrize("profile", [*LADDER, *(f"safe+{name}" for name in LADDER[2:]), "as-found+local-tokens"])
def test_every_service_can_be_made_on_every_profile(tmp_path: Path, profile: str) -> None:
    """The composition roots have a strategy for each way of working."""
    key = tmp_path / "key"
    key.write_text("k" * 32)
    variables = {
        **{f"{name.upper()}_URL": "http://127.0.0.1:1" for name in SERVICES},
        "JWT_SECRET_FILE": str(key),
        "BUS_URL": f"queue://{tmp_path}/bus",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "BCRYPT_COST": "4",
        "PROFILE": profile,
    }
    for service in SERVICES:
        told = {**variables, "DATABASE_URL": f"sqlite:///{tmp_path}/{service}.db"}
        app = make_app(service, read_config(service, told))
        assert app.test_client().get("/openapi.json").status_code == 200
        background_of(app).stop()
