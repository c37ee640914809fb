"""`run --workers`, `run --master` and `worker` as a user has them, against the real services."""

from __future__ import annotations

import json
import os
import signal
import socket
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.following import recorded, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Ended, Lab

pytestmark = pytest.mark.e2e

FIGURES = ("seats_oversold", "seats_lost", "bookings_missing", "bookings_unexpected", "notifications_missing")
CLEAN = dict.fromkeys(FIGURES, 0)


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A scenario of one's own: six users of the class that ships, for 5 s."""
    path = tmp_path / "small.toml"
    path.write_text(
        'executor = "constant-vus"\nexec = "PoolBooker"\nvus = 6\nduration = "5s"\ngracefulStop = "5s"\n'
        "[data]\nflights = 10\nusers = 6\n[thresholds]\nchecks = ['rate==1']\n"
    )
    return str(path)


def _free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def _findings(run: dict[str, object], gate: str) -> list[tuple[str, str]]:
    verdict = run["verdict"]
    assert isinstance(verdict, dict)
    return [(found["level"], found["sentence"]) for found in verdict["findings"] if found["gate"] == gate]


def test_two_processes_make_one_run(shared: Lab, small: str, passed: Callable[[Ended], bool]) -> None:
    """Everything after the load is as with one: counts, audit, gates, report; no key and no token is written down."""
    ended = shared.run("run", "--scenario", small, "--workers", "2", "--json")
    assert passed(ended), ended.out + ended.err
    run = ended.json
    totals = run["totals"]
    assert totals["sent"] == totals["ok"] == run["integrity"]["bookings_accepted"] > 10
    assert {figure: run["integrity"][figure] for figure in FIGURES} == CLEAN
    assert _findings(run, "load processes") == [("VALID", "2 of 2 reported every second to the end")]
    assert "<html" in (shared.folder / run["report"]).read_text()
    folder = (shared.folder / run["report"]).parent
    assert json.loads((folder / "run.json").read_text())["workers"] == 2
    # Every token begins so; the report holds pictures, in which these letters come by chance.
    assert "eyJ" not in "".join(path.read_text() for path in folder.glob("*.[jl]*")), "a token stands there"


def test_a_worker_from_elsewhere_works_for_a_master(
    shared: Lab, small: str, passed: Callable[[Ended], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`worker` finds the master with the shared key, says what it does, and its bookings are audited with the rest."""
    monkeypatch.setenv("AIRBOURNE_WORKER_KEY", "twelve letters or more")
    port = _free_port()
    worker = shared.start("worker", "--master", f"127.0.0.1:{port}")
    ended = shared.run(
        *("run", "--scenario", small, "--json", "--workers", "1"),
        *("--master", "--expect-workers", "1", "--master-port", port),
    )
    other = shared.ended(worker)

    assert passed(ended), ended.out + ended.err
    assert other.code == 0, other.err
    assert other.err.splitlines()[-1] == "The run is over"
    assert f"this is worker 2 on {socket.gethostname()}" in other.err
    assert {figure: ended.json["integrity"][figure] for figure in FIGURES} == CLEAN
    assert "twelve letters" not in "".join(path.read_text() for path in shared.folder.glob("runs/*/*.json"))


def test_a_worker_that_is_killed_in_mid_run_accuses_nobody(shared: Lab, small: str) -> None:
    """What it had tried to book is in the ledger, so the audit is clean; the run is SUSPECT, with who was lost."""
    process = shared.start("run", "--scenario", small, "--stage", "0s:6", "--stage", "7s:6", "--workers", "2", "--json")
    wait_for(lambda: recorded(shared.folder, 2), "two recorded seconds")
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "lab.engine.remote" in child.cmdline()
    ]
    assert len(workers) == 2
    workers[0].kill()
    ended = shared.ended(process)
    run = ended.json

    ((level, sentence),) = _findings(run, "load processes")
    assert level == "SUSPECT"
    assert "was lost (it was killed by SIGKILL)" in sentence
    assert "its users went to the other 1" in sentence
    totals = run["totals"]
    assert totals["sent"] == totals["ok"] + totals["failed"] + totals["unfinished"]
    assert {figure: run["integrity"][figure] for figure in FIGURES} == CLEAN
    assert run["verdict"]["validity"] in {"SUSPECT", "INVALID"}


def test_ctrl_c_ends_a_run_of_many_in_good_order(shared: Lab, small: str) -> None:
    """Users finish, every worker's last second is in, what was sold is audited."""
    process = shared.start(
        "run", "--scenario", small, "--stage", "0s:6", "--stage", "60s:6", "--workers", "2", "--json"
    )
    wait_for(lambda: recorded(shared.folder, 2), "two recorded seconds")
    process.send_signal(signal.SIGINT)
    ended = shared.ended(process)

    assert ended.code == 105, ended.err
    assert ended.json["totals"]["unfinished"] == 0
    assert {figure: ended.json["integrity"][figure] for figure in FIGURES} == CLEAN
    assert _findings(ended.json, "load processes")[0][0] == "VALID"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["worker", "--master", "127.0.0.1:9", "--wait", "1"], 1, "no master answered at 127.0.0.1:9 within 1 s"),
        (["worker", "--master", "127.0.0.1:x"], 104, "write HOST or HOST:PORT"),
        (["run", "-s", "smoke", "--workers", "0"], 104, "0 workers make no load"),
        (["run", "-s", "smoke", "--expect-workers", "2"], 104, "add --master"),
        (["run", "-s", "smoke", "--master", "--expect-workers", "2", "--bind", "::"], 104, "AIRBOURNE_WORKER_KEY"),
    ],
)
def test_a_mistake_ends_in_one_line(lab: Lab, words: list[str], code: int, sentence: str) -> None:
    """With the remedy, before anything is started."""
    assert "AIRBOURNE_WORKER_KEY" not in os.environ
    ended = lab.run(*words)

    assert ended.code == code, ended.err
    assert sentence in ended.err.splitlines()[-1]
    assert ended.err.splitlines()[-1].startswith("Error: ")


def test_a_worker_that_is_stopped_ends_105(lab: Lab) -> None:
    """Ctrl-C while it waits for a master is answered at once."""
    port = _free_port()
    worker = lab.start("worker", "--master", f"127.0.0.1:{port}")
    # The other end of the connection: the load process is past its imports, and asks for a master.
    with socket.create_server(("127.0.0.1", int(port))) as silent:
        silent.settimeout(60)
        silent.accept()[0].close()
    worker.send_signal(signal.SIGINT)
    ended = lab.ended(worker)

    assert ended.code == 105, ended.err


def test_a_port_that_is_taken_is_said(shared: Lab, small: str) -> None:
    """The master names address and options."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = shared.run("run", "-s", small, "--master", "--expect-workers", "1", "--master-port", port)

    assert ended.code == 1
    assert f"the master cannot listen on 127.0.0.1:{port}: " in ended.err.splitlines()[-1]
