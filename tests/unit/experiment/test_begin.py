"""What the command line says of an experiment's sides: what is refused, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.errors import ConfigError
from lab.experiment.begin import Words, arms, begun, forgotten, refuse_beside_resume, rungs
from lab.model.experiment import Making

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "command",
    [
        "PASSWORD=hunter2 make restart",
        "export DB_PASSWORD='hunter2' && make restart",
        "./deploy --password hunter2",
        "./deploy --api-key=hunter2",
        "curl -u admin:hunter2 http://127.0.0.1/reset",
        "curl -H 'Authorization: Bearer hunter2' http://127.0.0.1/reset",
        "mysql -u root -phunter2 < reset.sql",
        "psql postgres://lab:hunter2@127.0.0.1/lab -f reset.sql",
    ],
)
def test_a_command_with_a_password_is_refused(command: str) -> None:
    """It would be written down; the error does not say it again."""
    with pytest.raises(ConfigError, match="seems to hold a password") as caught:
        arms(Words("target:a", ["target:a"], "make old", [command]), {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "command",
    [
        "git checkout main && make restart",
        "PGPASSWORD=$DB_PASSWORD psql -h 127.0.0.1 -p 5432 -f reset.sql",
        './deploy --password "$PASSWORD" --token-file=/run/token',
        "mysql --port 3306 -p$PASSWORD < reset.sql",
        "docker run -u 1000:1000 reset",
        "./reset --passwords-from vault",
        "make TOKENS= restart",
    ],
)
def test_a_command_that_reads_it_from_elsewhere_is_taken(command: str) -> None:
    """A variable of the environment, a file, or nothing of the kind."""
    found = arms(Words("target:a", ["target:a"], "make old", [command]), {})
    assert [one.command for one in found] == ["make old", command]


@pytest.mark.parametrize(("before", "after"), [("", "make new"), ("make old", "")])
def test_a_deployment_that_only_one_side_puts_into_place_is_refused(before: str, after: str) -> None:
    """The other side's runs would find it as this one left it."""
    with pytest.raises(ConfigError, match="give both --baseline-cmd and --candidate-cmd"):
        arms(Words("target:a", ["target:a"], before, [after]), {})
    elsewhere = arms(Words("target:a", ["target:b"], before, [after]), {})
    assert [one.command for one in elsewhere] == [before, after]


def test_what_an_experiment_has_already_is_refused_when_it_goes_on() -> None:
    """Each option is named; those that were not given are not."""
    with pytest.raises(ConfigError, match=r"leave out --pairs, --seed$"):
        refuse_beside_resume(["--resume", "--pairs", "--seed", "--metric"])
    refuse_beside_resume(["--resume", "--out", "--db-url", "--html", "--fail-on"])


def test_what_cannot_begin_leaves_no_folder_and_what_was_begun_stays(tmp_path: Path) -> None:
    """A refusal after the folder was made takes a new one away, and never one that is gone on with."""
    sides = rungs("as-found", "safe", {})
    made = {"pairs": 6, "seed": 1, "alpha": 0.05, "cool_down": 0.0, "command": ""}
    folder, _ = begun(tmp_path, sides, Making("smoke"), "smoke", **made)  # type: ignore[arg-type]  # by name
    with pytest.raises(ConfigError), forgotten(folder, new=False):
        raise ConfigError("no such backend")
    assert folder.file.is_file()
    with pytest.raises(ConfigError), forgotten(folder, new=True):
        raise ConfigError("no such backend")
    assert not folder.path.exists()
