"""A stack on its own MariaDB and RabbitMQ: its data, its secrets, its end, and the servers' death."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import urllib3

from lab.errors import StackError
from lab.stack import logins, programs, rabbitmq, serverfolder
from lab.stack.backend import Backend
from lab.stack.control import down, find, up
from lab.stack.layout import PARTS, SERVERS, SERVICES, Layout
from lab.stack.logs import logs
from lab.stack.owned import running
from lab.stack.ports import LOOPBACK, claim_any, is_free
from lab.stack.state import StackEvent, load
from lab.stack.status import status
from tests.processes import alive_in, wait_until
from tests.real import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.stack.state import StackState

REPOSITORY = Path(__file__).resolve().parents[2]
OWN = Backend.of("services")
ANNA = {"email": "anna@example.org", "password": "quite-a-secret"}
OWNER = """
import pathlib, signal, sys
from lab.stack.backend import Backend
from lab.stack.owned import running
with running(pathlib.Path(sys.argv[1]), port_offset=int(sys.argv[2]), backend=Backend.of("services")):
    signal.pause()
"""


@pytest.fixture(autouse=True)
def _installed() -> None:
    require("mariadb", "rabbitmq")


def everything_of(root: Path) -> list[psutil.Process]:
    """Give all processes of a stack, those outside of its folder too."""
    return alive_in(root) + alive_in(serverfolder.place(root))


def post(state: StackState, path: str) -> int:
    """Send Anna through the gateway to the auth service; gives the status."""
    url = f"{state.target().through_gateway('auth')}/api/v1/{path}"
    return urllib3.request("POST", url, json=ANNA, retries=False).status


def secrets_of(root: Path) -> set[str]:
    """Give the text of all secrets of a stack, after a look at who may read them."""
    found = set()
    for path in Layout(root).secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found.add(path.read_text(encoding="ascii").strip())
    return found


def told(root: Path, events: list[StackEvent]) -> Iterator[tuple[str, str]]:
    """Give every text that others may read or that is kept: command lines, state, status, steps, logs."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            yield f"the command of {process.pid}", " ".join(process.cmdline())
    yield "state.json", Layout(root).state.read_text(encoding="utf-8")
    yield "status", repr(status(root))
    yield "the steps", repr(events)
    for path in Layout(root).logs.iterdir():
        yield path.name, path.read_text(encoding="utf-8", errors="replace")


def test_a_stack_on_its_own_servers_keeps_data_and_secrets(root: Path, offset: int) -> None:
    """All parts are seen, serve on loopback as nobody special, and tell no secret; what was done outlives `down`."""
    events: list[StackEvent] = []
    state = up(root, backend=OWN, port_offset=offset, on_event=events.append)

    wait_until(lambda: status(root).healthy)
    seen = status(root)
    assert [part.name for part in seen.parts] == list(PARTS)
    assert all(part.pid == state.processes[part.name] and part.memory > 1 and part.port for part in seen.parts)
    assert set(state.pids) == set(SERVICES)
    assert (state.backend, state.planned) == ("services", PARTS)
    assert {event.service for event in events if event.state == "ready"} == set(PARTS)
    assert {line.service for line in logs(root)} >= {*SERVERS, *SERVICES}
    assert post(state, "signup") == 201

    for server in (psutil.Process(state.processes[name]) for name in SERVERS):
        assert {found.laddr.ip for found in server.net_connections("tcp") if found.status == "LISTEN"} == {"127.0.0.1"}
        assert server.uids().real != 0
        assert server.uids().real == server.uids().saved
        assert 0 not in server.gids()
        assert server.nice() >= 5
    secrets = secrets_of(root)
    assert len(secrets) == 7
    leaks = [where for where, text in told(root, events) if any(secret in text for secret in secrets)]
    assert leaks == []
    assert stat.S_IMODE((serverfolder.place(root) / "mariadb").stat().st_mode) == 0o700

    ports = [part.port for part in state.parts]
    assert down(root)
    assert everything_of(root) == []
    assert all(is_free(port) for port in ports)

    again = up(root, backend=OWN, port_offset=offset)
    assert post(again, "signin") == 200
    with pytest.raises(StackError, match=r"backend services.*to have backend embedded, stop it first: airbourne-lab"):
        up(root, port_offset=offset)

    down(root)
    Layout(root).forget()
    assert not serverfolder.place(root).exists()
    assert not (root / serverfolder.NAME).is_symlink()


def test_the_death_of_a_server_is_said(root: Path, offset: int) -> None:
    """A broker that is killed shows in `status`, ends the owned stack's block as an error, and leaves only logs."""

    def run() -> None:
        with running(root, port_offset=offset, backend=OWN) as state:
            os.kill(state.processes["rabbitmq"], signal.SIGKILL)
            wait_until(lambda: bool((find(state.folder) or state).failed))
            seen = {part.name: part for part in status(state.folder).parts}
            assert seen["rabbitmq"].state == "failed"
            assert "SIGKILL" in seen["rabbitmq"].detail
            assert seen["mariadb"].state == "ready"

    with pytest.raises(StackError, match=r"rabbitmq \(port \d+\) ended after .* with signal SIGKILL"):
        run()

    (folder,) = root.glob("run-*")
    assert everything_of(folder) == []
    assert not serverfolder.place(folder).exists()
    assert (folder / "logs" / "rabbitmq.log").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
@pytest.mark.parametrize("nets", ["all", "kernel"])
def test_whatever_is_killed_no_server_stays(root: Path, offset: int, nets: str) -> None:
    """SIGKILL of the owner ends the servers, and so does the kernel alone when supervisor and guard are killed, too."""
    path = f"{REPOSITORY}{os.pathsep}{os.environ['PYTHONPATH']}"
    command = [sys.executable, "-c", OWNER, str(root), str(offset)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as owner:
        wait_until(lambda: any(are_servers(folder) for folder in root.glob("run-*")))
        (folder,) = root.glob("run-*")

        if nets == "kernel":
            supervisor = psutil.Process(owner.pid).children()[0]
            guard = next(child for child in supervisor.children() if "guard.py" in " ".join(child.cmdline()))
            guard.kill()
            supervisor.kill()
        owner.kill()

    try:
        wait_until(lambda: everything_of(folder) == [])
        if nets == "all":
            wait_until(lambda: not folder.exists() and not serverfolder.place(folder).exists())
    finally:
        for process in everything_of(folder):
            process.kill()
        serverfolder.remove(folder)


def are_servers(folder: Path) -> bool:
    """Tell whether the launchers of a stack have become the servers."""
    state = load(folder)
    names = set()
    for pid in state.processes.values() if state else ():
        with suppress(psutil.Error):
            names.add(psutil.Process(pid).name())
    return "beam.smp" in names and bool(names & {"mariadbd", "mysqld"})


def test_a_broker_that_is_too_busy_to_answer_is_not_ready_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes connections and says nothing is a reason to wait on, and no end of the supervisor."""
    monkeypatch.setattr(logins, "TIMEOUT", 0.3)
    with socket.create_server((LOOPBACK, 0)) as mute:
        port = mute.getsockname()[1]
        assert logins.rabbitmq(port, rabbitmq.url(port, "secret")) is not None


def test_no_port_mapper_is_started(tmp_path: Path) -> None:
    """RabbitMQ asks for Erlang's port mapper once a minute: none starts, to listen on every network."""
    port, claim = claim_any("nobody")
    claim.__exit__(None, None, None)
    environment = {**rabbitmq.environment(tmp_path, port), "ERL_EPMD_PORT": str(port)}
    asked = ["erl", "-boot", "no_dot_erlang", "-sname", "epmd-starter-1", "-noinput", "-s", "erlang", "halt"]
    try:
        subprocess.run(asked, env=environment, cwd=tmp_path, capture_output=True, check=False)
        assert is_free(port)
    finally:
        subprocess.run(["epmd", "-port", str(port), "-kill"], env=environment, capture_output=True, check=False)  # noqa: S607 - what a failure starts


@pytest.mark.parametrize(("there", "missing"), [([], "MariaDB"), (["mariadbd"], "RabbitMQ")])
def test_a_missing_program_is_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[str], missing: str
) -> None:
    """The error says which server is not installed and how to install it; nothing is made or started."""
    for name in there:
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "PLACES", ())

    with pytest.raises(StackError, match=f"{missing} is not installed"), running(root, backend=OWN):
        pass
    with pytest.raises(StackError, match=f"{missing} is not installed") as caught:
        up(root, backend=OWN)

    assert all(command in str(caught.value) for command in ("apt-get install", "dnf install", "brew install"))
    assert load(root) is None
    assert not serverfolder.place(root).exists()
