"""The stack's own servers before they run: programs, folders, configuration."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from lab.errors import StackError
from lab.stack import mariadb, programs, rabbitmq, serverfolder
from lab.stack.layout import Layout
from lab.stack.passwords import password

if TYPE_CHECKING:
    from pathlib import Path

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who alone keeps the servers' data elsewhere")


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that stands for /var/tmp."""
    folder = tmp_path / "outside"
    folder.mkdir()
    monkeypatch.setattr(serverfolder, "OUTSIDE", folder)
    return folder


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only folder in which programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(programs, "PLACES", ())
    return folder


def program(path: Path) -> Path:
    """Make something that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_debians_wrapper_is_passed_by(path: Path) -> None:
    """The wrapper that changes the user is not called: the script beside it is, also through a link."""
    real = program(path.parent / "lib" / "rabbitmq-server")
    wrapper = program(path.parent / "lib" / "rabbitmq-script-wrapper")
    (path / "rabbitmq-server").symlink_to(wrapper)

    assert programs.broker() == real


def test_mysql_will_do(path: Path) -> None:
    """Where there is no MariaDB, MySQL's server is taken."""
    server = program(path / "mysqld")

    assert programs.database() == server
    with pytest.raises(StackError, match=r"RabbitMQ is not installed here.*apt-get install rabbitmq-server"):
        programs.require()


def test_commands_and_configuration_hold_what_they_must(tmp_path: Path) -> None:
    """The servers listen on loopback alone, take no configuration of the system, and their commands hold no secret."""
    secrets = tmp_path / "secrets"
    command = " ".join(mariadb.command(tmp_path / "mariadbd", tmp_path, 4711, mariadb=True))
    environment = rabbitmq.environment(tmp_path, 4713)
    sql = mariadb.statements(secrets)

    assert "--no-defaults" in command
    assert "--bind-address=127.0.0.1" in command
    assert "listeners.tcp.1 = 127.0.0.1:4712" in rabbitmq.configuration(4712, "s3cret")
    assert "{127,0,0,1}" in environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
    assert "/etc" not in " ".join(environment.values())
    told = command + " ".join(environment.values())
    assert not [file for file in secrets.iterdir() if file.read_text(encoding="ascii") in told]
    assert len(set(re.findall(r"ALTER USER .* IDENTIFIED BY '(\w{64})'", sql))) == 5
    assert not [line for line in sql.splitlines() if not line.endswith(";")]


def test_a_password_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    """The same name gives the same password, another name another one, each in a file of mode 0600."""
    folder = tmp_path / "secrets"

    assert password(folder, "one") == password(folder, "one") != password(folder, "two")
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@as_root
def test_a_servers_folder_lies_outside_for_root_and_goes_with_the_stack(outside: Path, tmp_path: Path) -> None:
    """A link in the stack's folder leads to a folder that others can pass and not list; `remove` takes both away."""
    layout = Layout(tmp_path / "stack")
    layout.prepare()

    folder = serverfolder.make(layout.root)

    assert folder.parent == outside
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711
    assert (layout.root / "servers").resolve() == folder
    (folder / "data").write_text("kept", encoding="ascii")
    assert serverfolder.make(layout.root) == folder
    assert (folder / "data").exists()
    layout.remove()
    assert list(outside.iterdir()) == []
    assert not layout.root.exists()


@as_root
def test_data_of_a_deleted_stack_is_swept_away(outside: Path, tmp_path: Path) -> None:
    """Server data is thrown away once its stack's folder has been deleted, at the next start of any stack."""
    gone, other = tmp_path / "gone", tmp_path / "other"
    for root in (gone, other):
        root.mkdir()
    left = serverfolder.make(gone)
    (gone / "servers").unlink()

    made = serverfolder.make(other)

    assert not left.exists()
    assert list(outside.iterdir()) == [made]


@as_root
@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("kind", ["another user's", "a link"])
def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, kind: str) -> None:
    """Whoever can write to /var/tmp cannot lead the servers' data elsewhere."""
    root, trap = tmp_path / "stack", serverfolder.place(tmp_path / "stack")
    root.mkdir()
    (root / "servers").symlink_to(trap)
    if kind == "a link":
        trap.symlink_to(tmp_path)
    else:
        trap.mkdir()
        os.chown(trap, 65534, 65534)

    with pytest.raises(StackError, match="belongs to somebody else"):
        serverfolder.make(root)


def test_without_root_the_folder_lies_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own servers run as that user and need no other place."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert serverfolder.make(tmp_path) == tmp_path / "servers"
    assert stat.S_IMODE((tmp_path / "servers").stat().st_mode) == 0o700
