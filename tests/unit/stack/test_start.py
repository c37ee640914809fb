"""Ports, and the small scripts that keep processes tied together."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import lab.stack
from lab.errors import StackError
from lab.model.target import PORTS
from lab.stack import ports
from lab.stack.control import down, find
from lab.stack.plan import importable
from lab.stack.status import status

SCRIPTS = Path(lab.stack.__file__).parent
WAITS = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"


def test_looking_makes_nothing(tmp_path: Path) -> None:
    """To ask for a stack, its status or its end where none ever was leaves no folder behind."""
    root = tmp_path / ".airbourne"

    assert find(root) is None
    assert not status(root).up
    assert not down(root)

    assert not root.exists()


def test_the_guard_kills_what_it_was_told_of() -> None:
    """When the guard's input ends, the groups that it was told of are killed; one that has gone is no error."""
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, process_group=0) as stray:
        assert stray.stdout is not None
        stray.stdout.readline()
        gone = subprocess.Popen([sys.executable, "-c", ""], process_group=0)
        gone.wait()
        named = f"{gone.pid}\n{stray.pid}\n".encode()

        try:
            subprocess.run([sys.executable, str(SCRIPTS / "guard.py")], input=named, check=True)

            assert stray.wait(30) == -9
        finally:
            stray.kill()


def test_the_guard_leaves_a_stranger_with_an_old_number_alone() -> None:
    """A number that another session's process has got since is not the stack's group any more."""
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, start_new_session=True) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        try:
            named = f"{stranger.pid}\n".encode()
            subprocess.run([sys.executable, str(SCRIPTS / "guard.py")], input=named, check=True)
            with pytest.raises(subprocess.TimeoutExpired):
                stranger.wait(0.3)
        finally:
            stranger.kill()


def test_the_tether_notices_a_parent_that_is_gone() -> None:
    """A command whose parent is not the one that started it is not run."""
    command = [sys.executable, str(SCRIPTS / "tether.py"), "1", sys.executable, "-c", "print('ran')"]

    ended = subprocess.run(command, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, b"")


def test_the_tether_becomes_the_command() -> None:
    """The command runs in the same process, with its output and exit code."""
    code = "import sys; print('ran'); sys.exit(5)"
    command = [sys.executable, str(SCRIPTS / "tether.py"), str(os.getpid()), sys.executable, "-c", code]

    ended = subprocess.run(command, capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (5, b"ran\n")


def test_a_port_is_taken_while_somebody_listens() -> None:
    """A listening port is not free and names its holder, also when it listens on all addresses; later it is free."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - what is tested
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert f"pid {os.getpid()}" in ports.holder(port)

    assert ports.is_free(port)


def test_a_port_whose_connections_are_closing_is_free() -> None:
    """Connections in TIME_WAIT do not stand in the way of a restart."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()

    assert ports.is_free(port)


def test_an_unseen_holder_still_gives_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not say who listens, the error says how to find out."""
    monkeypatch.setattr("psutil.net_connections", lambda **_: [])

    assert "ss -ltnp 'sport = :4711'" in ports.holder(4711)


def test_a_claim_keeps_others_out_until_it_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stacks cannot claim a port both, also when their offsets differ."""
    # Not the standard ports: another test may want them.
    monkeypatch.setattr(ports, "_OFFSETS", range(5000, 6000, 10))
    offset, mine = ports.claim_next()
    with mine:
        with pytest.raises(StackError, match=f"port {PORTS['auth'] + 1 + offset} "):
            ports.claim(offset + 1)
        other, theirs = ports.claim_next()
        with theirs:
            assert other != offset

    with ports.claim(offset) as again:
        assert len(again.handles) == len(PORTS)


def test_children_import_what_this_process_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A child started elsewhere finds the lab, and a relative entry of the path still means the same place."""
    monkeypatch.chdir(tmp_path)

    path = importable({"PYTHONPATH": "here"})["PYTHONPATH"].split(os.pathsep)

    assert path == [str(SCRIPTS.parents[1]), str(tmp_path / "here")]
    assert importable({})["PYTHONPATH"] == str(SCRIPTS.parents[1])
