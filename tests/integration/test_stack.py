"""The stack with real processes: up, looked at, down, and killed in every way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import smtplib
import socket
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import urllib3

from lab.errors import StackError
from lab.model.target import PORTS
from lab.stack import ports
from lab.stack.control import down, find, up
from lab.stack.layout import MAIL, SERVICES, Layout
from lab.stack.logs import LogLine, logs
from lab.stack.owned import running
from lab.stack.profiles import DEFAULT
from lab.stack.state import Identity, StackEvent, save
from lab.stack.status import status
from tests.processes import PATIENCE, alive_in, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.stack.state import StackState

REPOSITORY = Path(__file__).resolve().parents[2]
FAKE = "fake_platform"


def start(root: Path, offset: int, on_event: Callable[[StackEvent], None] = lambda _: None) -> StackState:
    """Bring a fake stack up, with all the time that it may need."""
    return up(root, port_offset=offset, module=FAKE, timeout=PATIENCE, on_event=on_event)


def get(state: StackState, service: str, path: str = "/health") -> dict[str, str]:
    """Ask a service; the fake one answers with its environment."""
    answer = urllib3.request("GET", state.target().url(service) + path, retries=False)
    assert answer.status == 200
    values: dict[str, str] = answer.json()
    return values


def crash(state: StackState, service: str) -> None:
    """Let a fake service die of itself."""
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", state.target().url(service) + "/die", retries=False)


def owner(root: Path, offset: int, call: str) -> subprocess.Popen[str]:
    """Start a process of its own that brings a stack up, says `up`, and waits."""
    code = (
        "import pathlib, signal\n"
        "from lab.stack.control import up\n"
        "from lab.stack.owned import running\n"
        f"root, offset = pathlib.Path({str(root)!r}), {offset}\n"
        f"{call}"
    )
    path = f"{REPOSITORY}{os.pathsep}{os.environ['PYTHONPATH']}"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


RUNNING = (
    f"with running(root, port_offset=offset, module={FAKE!r}, timeout={PATIENCE}):\n"
    "    print('up', flush=True)\n"
    "    signal.pause()\n"
)
UP = f"up(root, port_offset=offset, module={FAKE!r}, timeout={PATIENCE})\n"


def test_up_answers_everywhere_and_down_leaves_nothing(root: Path, offset: int) -> None:
    """All five services answer after `up`; after `down` no process is left and the ports are free."""
    state = start(root, offset)

    assert {get(state, service)["PORT"] for service in SERVICES} == {str(port + offset) for port in PORTS.values()}
    assert set(state.pids) == set(SERVICES)
    assert len(alive_in(root)) >= len(SERVICES) + 2

    assert down(root)
    assert alive_in(root) == []
    assert all(ports.is_free(port + offset) for port in PORTS.values())
    assert not down(root)


def test_up_tells_each_part_once_per_step(root: Path, offset: int) -> None:
    """Every service and the mail sink is told as starting, then as ready."""
    events: list[StackEvent] = []
    start(root, offset, events.append)

    told = [(event.service, event.state) for event in events]
    assert sorted(told) == sorted((part, step) for part in (*SERVICES, MAIL) for step in ("starting", "ready"))
    assert all(told.index((part, "starting")) < told.index((part, "ready")) for part in (*SERVICES, MAIL))


def test_services_get_their_settings_and_no_others(root: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service has its own database and its neighbours' URLs, and not what the user's shell happens to hold."""
    monkeypatch.setenv("DATABASE_URL", "mysql://elsewhere/production")
    state = start(root, offset)

    booking, gateway, auth, reminder = (get(state, name) for name in ("booking", "gateway", "auth", "reminder"))
    assert booking["DATABASE_URL"] == f"sqlite:///{root}/data/booking.db"
    assert booking["BUS_URL"] == reminder["BUS_URL"] == f"queue://{root}/data/bus"
    assert booking["FLIGHTS_URL"] == state.target().flights
    assert booking["PROFILE"] == DEFAULT
    assert "DATABASE_URL" not in gateway
    assert auth["JWT_SECRET_FILE"] == str(root / "secrets" / "jwt.key")
    assert "JWT_SECRET_FILE" not in booking


def test_the_platform_gives_way_to_the_load_generator(root: Path, offset: int) -> None:
    """Every thread of a ready stack has a niceness of at least 5, and so has its scheduling group."""
    state = start(root, offset)

    threads = [thread.id for pid in state.pids.values() for thread in psutil.Process(pid).threads()]
    assert all(os.getpriority(os.PRIO_PROCESS, thread) >= 5 for thread in threads)
    group = Path(f"/proc/{state.pids['auth']}/autogroup")
    assert not group.exists() or group.read_text(encoding="ascii").rstrip().endswith("nice 5")


def test_a_killed_supervisor_leaves_nothing(root: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL of the supervisor ends every service with its workers, and `status` says what happened."""
    monkeypatch.setenv("FAKE_PAIR", "1")
    state = start(root, offset)
    assert len(alive_in(root)) >= 2 * len(SERVICES) + 3

    os.kill(state.supervisor.pid, signal.SIGKILL)

    wait_until(lambda: alive_in(root) == [])
    assert find(root) is None
    assert "died" in status(root).detail
    assert "nothing is up" in status(root).detail
    assert not Layout(root).state.exists()


def test_a_removed_folder_ends_its_stack(root: Path, offset: int) -> None:
    """A stack whose folder is deleted stops by itself: no command could find it any more."""
    start(root, offset)

    shutil.rmtree(root)

    wait_until(lambda: all(ports.is_free(port + offset) for port in PORTS.values()))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_a_supervisor_killed_after_its_guard_leaves_nothing(root: Path, offset: int) -> None:
    """Without the guard, the kernel ends the services of a killed supervisor."""
    state = start(root, offset)
    supervisor = psutil.Process(state.supervisor.pid)
    guard = next(child for child in supervisor.children() if "guard.py" in " ".join(child.cmdline()))

    guard.kill()
    supervisor.kill()

    wait_until(lambda: alive_in(root) == [])


def test_a_killed_owner_takes_its_stack_along(root: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL of the process that owns a stack leaves no process and no folder."""
    monkeypatch.setenv("FAKE_PAIR", "1")
    with owner(root, offset, RUNNING) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert alive_in(root)

        process.kill()

    wait_until(lambda: alive_in(root) == [])
    wait_until(lambda: list(root.glob("run-*")) == [])


def test_an_owner_and_a_supervisor_killed_together_leave_nothing(root: Path, offset: int) -> None:
    """SIGKILL of owner and supervisor at the same time leaves no process."""
    with owner(root, offset, RUNNING) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        supervisor = psutil.Process(process.pid).children()[0]

        supervisor.kill()
        process.kill()

    wait_until(lambda: alive_in(root) == [])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
@pytest.mark.parametrize("call", [UP, RUNNING], ids=["up", "running"])
def test_a_start_that_is_interrupted_leaves_nothing(
    root: Path, offset: int, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    """Ctrl-C or SIGKILL while the stack is starting ends what was started."""
    monkeypatch.setenv("FAKE_DEAF", "booking")
    with owner(root, offset, call) as process:
        wait_until(lambda: len(alive_in(root)) >= len(SERVICES) + 2)

        process.send_signal(number)

    wait_until(lambda: alive_in(root) == [])


def test_ctrl_c_ends_an_owned_stack(root: Path, offset: int) -> None:
    """Ctrl-C in the owner stops the stack before the owner ends."""
    with owner(root, offset, RUNNING) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"

        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)

    assert alive_in(root) == []
    assert list(root.glob("run-*")) == []


def test_a_service_that_ignores_sigterm_is_killed(root: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`down` does not wait for ever for a service that will not go."""
    monkeypatch.setenv("FAKE_STUBBORN", "flights")
    start(root, offset)

    assert down(root)
    assert alive_in(root) == []


def test_a_taken_port_is_refused_with_its_holder(root: Path, offset: int) -> None:
    """The error names the port, the service, who holds it by pid and command, and the remedy."""
    port = PORTS["flights"] + offset
    code = f"import socket, signal; s = socket.create_server(('127.0.0.1', {port})); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as squatter:
        try:
            assert squatter.stdout is not None
            squatter.stdout.readline()

            with pytest.raises(StackError) as caught:
                start(root, offset)
        finally:
            squatter.kill()

    said = str(caught.value)
    assert f"port {port} (flights)" in said
    assert f"pid {squatter.pid}" in said
    assert "import socket" in said
    assert "--port-offset" in said
    assert alive_in(root) == []


def test_a_service_that_dies_at_the_start_says_why(root: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error holds the end of the dead service's log, and the others are stopped again."""
    monkeypatch.setenv("FAKE_DIES", "flights")
    events: list[StackEvent] = []

    with pytest.raises(StackError, match=r"flights \(port \d+\) ended while starting with exit code 1") as caught:
        start(root, offset, events.append)

    assert "no such table: seats" in str(caught.value)
    assert ("flights", "failed") in [(event.service, event.state) for event in events]
    assert alive_in(root) == []
    assert find(root) is None


def test_a_service_that_is_late_says_so(root: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that never becomes healthy is named when the time is over, and all is stopped."""
    monkeypatch.setenv("FAKE_DEAF", "booking")

    with pytest.raises(StackError, match=r"not ready within 6 s: .*booking \(port") as caught:
        up(root, port_offset=offset, module=FAKE, timeout=6.0)

    assert '"GET /health HTTP/1.1" 503' in str(caught.value)
    assert alive_in(root) == []


def test_a_service_that_dies_later_shows_in_status(root: Path, offset: int) -> None:
    """`status` says how it ended and the end of its log, the others go on, and `up` does not pretend."""
    state = start(root, offset)
    assert status(root).healthy

    crash(state, "booking")

    wait_until(lambda: not status(root).healthy)
    seen = {part.name: part for part in status(root).parts}
    assert seen["booking"].state == "failed"
    assert "exit code 7" in seen["booking"].detail
    assert "the last words" in seen["booking"].log_end
    assert seen["auth"].state == "ready"
    with pytest.raises(StackError, match="without booking"):
        start(root, offset)


def test_status_shows_what_each_part_uses(root: Path, offset: int) -> None:
    """Pid, port, uptime and memory are those of the processes that run."""
    state = start(root, offset)

    seen = status(root)

    assert seen.up
    assert seen.healthy
    assert seen.profile == DEFAULT
    assert {part.name: part.pid for part in seen.parts if part.name != MAIL} == dict(state.pids)
    assert all(part.memory > 1 and part.uptime > 0 and part.cpu >= 0 for part in seen.parts)
    assert {part.port for part in seen.parts} >= {port + offset for port in PORTS.values()}


def test_a_second_up_leaves_the_stack_as_it_is(root: Path, offset: int) -> None:
    """`up` on a stack that is up says so; another profile or other ports are refused with the remedy."""
    first = start(root, offset)
    events: list[StackEvent] = []

    second = start(root, offset, events.append)

    assert second == first
    assert [event.service for event in events] == ["stack"]
    assert "already up" in events[0].detail
    with pytest.raises(StackError, match="airbourne-lab down"):
        up(root, profile="as-found", port_offset=offset, module=FAKE)
    with pytest.raises(StackError, match="airbourne-lab down"):
        up(root, port_offset=offset + 1, module=FAKE)
    assert find(root) == first


def test_fresh_restarts_without_the_old_data(root: Path, offset: int) -> None:
    """`--fresh` stops a stack that is up and throws databases and mail away; a plain `up` keeps them."""
    first = start(root, offset)
    (root / "data" / "booking.db").write_text("old", encoding="ascii")
    down(root)
    start(root, offset)
    assert (root / "data" / "booking.db").exists()

    second = up(root, port_offset=offset, module=FAKE, timeout=PATIENCE, fresh=True)

    assert not (root / "data" / "booking.db").exists()
    assert set(first.pids.values()).isdisjoint(second.pids.values())


def test_a_stale_state_harms_nobody(root: Path, offset: int) -> None:
    """A state file whose pids belong to other processes by now is cleaned up, and these processes live on."""
    state = start(root, offset)
    down(root)
    stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    try:
        recycled = Identity(stranger.pid, psutil.Process(stranger.pid).create_time() - 1000)
        parts = tuple(replace(part, process=recycled) for part in state.parts)
        save(replace(state, supervisor=recycled, parts=parts))

        assert find(root) is None
        assert not down(root)
        assert not Layout(root).state.exists()
        save(replace(state, supervisor=recycled, parts=parts))
        assert start(root, offset).ready
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_key_is_for_the_owner_alone(root: Path, offset: int) -> None:
    """The key that signs tokens has mode 0600, its folder 0700, and each fresh stack has its own."""
    start(root, offset)
    key = root / "secrets" / "jwt.key"
    first = key.read_text(encoding="ascii")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(key.parent.parent.stat().st_mode) == 0o700
    assert len(first) == 64

    up(root, port_offset=offset, module=FAKE, timeout=PATIENCE, fresh=True)

    assert key.read_text(encoding="ascii") != first


def test_a_second_up_at_the_same_moment_is_refused(root: Path) -> None:
    """While one `up` or `down` is at work in a folder, another one is told so."""
    with Layout(root).locked(), pytest.raises(StackError, match="another up or down"):
        start(root, 0)


def test_ports_that_do_not_exist_are_refused(root: Path) -> None:
    """An offset past the last port is an error before anything is started."""
    with pytest.raises(StackError, match="65535"):
        start(root, 65000)


def test_the_mail_sink_keeps_what_it_accepts(root: Path, offset: int) -> None:
    """Mails sent over one kept-open connection can be read, with their Message-ID, as soon as they are accepted."""
    state = start(root, offset)
    port = next(part.port for part in state.parts if part.name == MAIL)
    assert state.mail_path is not None
    with smtplib.SMTP("127.0.0.1", port) as sender:
        for number in range(20):
            mail = EmailMessage()
            mail["Message-ID"] = f"<{number}@airbourne.test>"
            mail["From"] = "platform@airbourne.test"
            mail["To"] = "anna@example.org"
            mail["Subject"] = "Gebucht: Zürich"
            mail.set_content(f"Seat {number} für Anna")
            sender.send_message(mail)
            kept = [json.loads(line) for line in state.mail_path.read_text(encoding="utf-8").split("\n")[:-1]]
            assert len(kept) == number + 1
    assert kept[7]["message_id"] == "<7@airbourne.test>"
    assert kept[7]["sender"] == "platform@airbourne.test"
    assert kept[7]["recipients"] == ["anna@example.org"]
    assert kept[7]["subject"] == "Gebucht: Zürich"
    assert kept[7]["body"].strip() == "Seat 7 für Anna"
    assert 0 <= time.time() - kept[7]["received"] < PATIENCE


def test_logs_follow_over_a_restart(root: Path, offset: int) -> None:
    """`logs --follow` gives old lines, new ones, and those of the next start."""
    state = start(root, offset)
    seen: list[LogLine] = []

    def follow() -> None:
        for line in logs(root, "auth", follow=True):
            seen.append(line)
            if "after-restart" in line.text:
                return

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    wait_until(lambda: LogLine("auth", "auth serves") in seen)
    get(state, "auth", "/while-up")
    wait_until(lambda: any("while-up" in line.text for line in seen))
    down(root)
    state = start(root, offset)
    wait_until(lambda: seen.count(LogLine("auth", "auth serves")) == 2)
    get(state, "auth", "/after-restart")

    reader.join(PATIENCE)
    assert "after-restart" in seen[-1].text
    assert {line.service for line in logs(root)} >= set(SERVICES)


def test_an_owned_stack_goes_with_its_block(root: Path, offset: int) -> None:
    """An owned stack is ready inside its block; after it no process and no folder is left."""
    with running(root, module=FAKE, timeout=PATIENCE, port_offset=offset) as state:
        assert state.folder.parent == root
        assert get(state, "gateway")["PROFILE"] == DEFAULT
        folder = state.folder

    assert alive_in(root) == []
    assert not folder.exists()


def test_an_owned_stack_steps_aside_when_a_port_is_taken(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a standard port taken, the next free offset is used, and told."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(ports, "_OFFSETS", (taken.getsockname()[1] - PORTS["flights"], *range(8000, 9000, 7)))
        events: list[StackEvent] = []
        with running(root, module=FAKE, timeout=PATIENCE, on_event=events.append) as state:
            assert 8000 <= state.port_offset < 9000
            assert get(state, "flights")["PORT"] == str(PORTS["flights"] + state.port_offset)

    assert str(state.port_offset) in events[0].detail


def test_an_owned_stack_in_which_a_service_died_keeps_its_logs(root: Path, offset: int) -> None:
    """The block ends with an error that says which service died, of what, and where its log is."""

    def run() -> None:
        with running(root, module=FAKE, timeout=PATIENCE, port_offset=offset) as state:
            crash(state, "booking")
            wait_until(lambda: bool((find(state.folder) or state).failed))

    with pytest.raises(StackError, match=r"booking .* exit code 7") as caught:
        run()

    assert "the last words" in str(caught.value)
    (log,) = root.glob("run-*/logs/booking.log")
    assert str(log) in str(caught.value)
    assert "the last words" in log.read_text(encoding="utf-8")
    assert alive_in(root) == []


def test_an_owned_stack_whose_supervisor_is_killed_is_an_error(root: Path, offset: int) -> None:
    """A run is told that its stack went away under it."""

    def run() -> None:
        with running(root, module=FAKE, timeout=PATIENCE, port_offset=offset) as state:
            os.kill(state.supervisor.pid, signal.SIGKILL)
            wait_until(lambda: find(state.folder) is None)

    with pytest.raises(StackError, match="supervisor ended"):
        run()

    wait_until(lambda: alive_in(root) == [])


def test_two_stacks_never_share_ports(root: Path, offset: int) -> None:
    """While a stack is starting its ports are claimed, before its services listen on them."""
    with ports.claim(offset), pytest.raises(StackError, match="another stack"):
        start(root, offset)


def test_the_real_platform_comes_up_and_goes(root: Path, offset: int) -> None:
    """The five reference services come up, take a sign-up through the gateway, and leave nothing behind."""
    state = up(root, port_offset=offset, timeout=PATIENCE)

    assert status(root).healthy
    body = {"email": "anna@example.org", "password": "secret-enough"}
    url = state.target().through_gateway("auth") + "/api/v1/signup"
    assert urllib3.request("POST", url, json=body, retries=False).status == 201
    threads = [thread.id for pid in state.pids.values() for thread in psutil.Process(pid).threads()]
    assert len(threads) > len(SERVICES)
    assert all(os.getpriority(os.PRIO_PROCESS, thread) >= 5 for thread in threads)
    assert down(root)
    assert alive_in(root) == []


def test_the_real_platform_dies_with_its_owner(root: Path, offset: int) -> None:
    """SIGKILL of the owner of real services leaves no process, no worker and no folder."""
    call = RUNNING.replace(f"module={FAKE!r}, ", "")
    with owner(root, offset, call) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"

        process.kill()

    wait_until(lambda: alive_in(root) == [])
    wait_until(lambda: list(root.glob("run-*")) == [])


def test_the_real_platform_dies_with_its_supervisor(root: Path, offset: int) -> None:
    """SIGKILL of the supervisor of real services leaves no process and no worker."""
    state = up(root, port_offset=offset, timeout=PATIENCE)

    os.kill(state.supervisor.pid, signal.SIGKILL)

    wait_until(lambda: alive_in(root) == [])
