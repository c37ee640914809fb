"""`run` from end to end: the real services, the real load process, the audit, the report."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from lab.stack.profiles import DEFAULT
from tests.e2e.following import recorded, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Ended, Lab

pytestmark = pytest.mark.e2e

FIGURES = (
    "seats_oversold",
    "seats_lost",
    "bookings_missing",
    "bookings_unexpected",
    "notifications_missing",
    "notifications_unexpected",
)


def _leaked(folder: Path) -> list[Path]:
    """Give the files of runs and logs that hold a token, a password or the key of the tokens."""
    datasets = [json.loads(path.read_text()) for path in folder.glob(".airbourne/datasets/*/*.json")]
    secrets = {user[key].encode() for data in datasets for user in data["users"] for key in ("token", "password")}
    secrets |= {path.read_bytes().strip() for path in folder.glob(".airbourne/secrets/*")}
    assert len(secrets) > 3
    files = [path for part in ("runs", ".airbourne/logs") for path in (folder / part).rglob("*") if path.is_file()]
    return [path for path in files if any(secret in path.read_bytes() for secret in secrets)]


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A scenario of one's own: three users of the class that ships, for 30 s."""
    path = tmp_path / "small.toml"
    path.write_text(
        'executor = "constant-vus"\nexec = "PoolBooker"\nvus = 3\nduration = "30s"\ngracefulStop = "5s"\n'
        "[data]\nflights = 3\nusers = 3\n[thresholds]\nchecks = ['rate==1']\n"
    )
    return str(path)


def test_a_short_ramp_on_safe_sells_no_seat_twice_and_notifies_everybody(
    lab: Lab, passed: Callable[[Ended], bool]
) -> None:
    """A shortened ramp passes, every figure of the audit is 0, and the report is there."""
    ended = lab.run("run", "--scenario", "ramp", "--time-scale", "0.06", "--label", "short", "--json")
    assert passed(ended), ended.err
    run = ended.json
    assert {figure: run["integrity"][figure] for figure in FIGURES} == dict.fromkeys(FIGURES, 0)
    totals = run["totals"]
    assert totals["ok"] > 100
    assert totals["sent"] == totals["ok"] + totals["failed"] + totals["unfinished"]
    assert run["integrity"]["bookings_found"] == run["integrity"]["bookings_accepted"] == totals["ok"]
    assert run["integrity"]["notifications_found"] == totals["ok"]
    assert (run["profile"], run["label"], run["status"]) == (DEFAULT, "short", "finished")
    assert "<html" in (lab.folder / run["report"]).read_text()
    listed = lab.run("runs", "--json").json
    assert [entry["id"] for entry in listed] == [run["id"]]


def test_the_audit_finds_what_baseline_on_as_found_sold_twice(lab: Lab) -> None:
    """The naive test on the platform's first version ends 99, and says how many seats did not exist."""
    ended = lab.run("run", "--scenario", "baseline", "--profile", "as-found", "--time-scale", "0.1")
    assert ended.code == 99, ended.out + ended.err
    run = json.loads(next(lab.folder.glob("runs/*/run.json")).read_text())
    assert run["integrity"]["seats_lost"] > 0
    assert run["integrity"]["seats_oversold"] > 0
    assert run["integrity"]["defects"][0]["defect"] < 0
    sold = f"{run['integrity']['seats_oversold']:,} seats were sold that did not exist"
    assert sold in " ".join(ended.out.split())
    # The same summary can be had again, from the folder alone.
    assert ended.out.startswith(lab.run("runs", "show", "latest").out)


def test_ctrl_c_once_lets_users_finish_and_still_audits(lab: Lab, small: str) -> None:
    """One interrupt ends the load early, in good order: audit, report, exit 105."""
    process = lab.start("run", "--scenario", small, "--json")
    wait_for(lambda: recorded(lab.folder, 2), "two recorded seconds")
    process.send_signal(signal.SIGINT)
    ended = lab.ended(process)
    assert ended.code == 105, ended.err
    run = ended.json
    assert run["status"] == "stopped"
    assert run["totals"]["unfinished"] == 0
    assert run["totals"]["seconds"] < 25
    assert run["integrity"]["seats_lost"] == 0
    assert (lab.folder / run["report"]).exists()


def test_ctrl_c_twice_stops_at_once_and_keeps_what_was_recorded(lab: Lab, small: str) -> None:
    """A second interrupt waits for nobody; the run can still be read and reported."""
    process = lab.start("run", "--scenario", small, "--json")
    wait_for(lambda: recorded(lab.folder, 2), "two recorded seconds")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    ended = lab.ended(process)
    assert ended.code == 105, ended.err
    assert lab.run("report", "latest").code == 0
    listed = lab.run("runs", "--json").json
    assert listed[0]["totals"]["ok"] > 0


def test_a_killed_run_leaves_a_readable_one_and_no_process(lab: Lab, small: str) -> None:
    """SIGKILL of the command takes load and platform along; the recorded seconds are there."""
    process = lab.start("run", "--scenario", small)
    wait_for(lambda: recorded(lab.folder, 2), "two recorded seconds")
    process.kill()
    process.communicate()
    assert lab.run("report", "latest").code == 0
    listed = lab.run("runs", "--json").json
    assert listed[0]["verdict"] is None


def test_a_load_process_that_dies_makes_the_run_invalid_and_accuses_nobody(shared: Lab, small: str) -> None:
    """What its last moments booked is unknown, and not held against the platform; the run is not believed."""
    process = shared.start("run", "--scenario", small, "--json")
    wait_for(lambda: recorded(shared.folder, 2), "two recorded seconds")
    worker = next(p for p in psutil.Process(process.pid).children() if "lab.engine.worker" in p.cmdline())
    worker.kill()
    ended = shared.ended(process)
    assert ended.code == 1, ended.err
    run = ended.json
    assert (run["status"], run["verdict"]["validity"]) == ("crashed", "INVALID")
    assert {figure: run["integrity"][figure] for figure in FIGURES} == dict.fromkeys(FIGURES, 0)


def test_ctrl_c_before_the_load_stops_with_a_word(lab: Lab, small: str) -> None:
    """An interrupt while the platform starts or is filled ends 105 as well, and leaves nothing."""
    process = lab.start("run", "--scenario", small)
    wait_for(lambda: any(lab.folder.glob(".airbourne/run-*")), "the platform's folder")
    process.send_signal(signal.SIGINT)
    ended = lab.ended(process)
    assert ended.code == 105, ended.err
    assert ended.err.splitlines()[-1] == "Stopped by Ctrl-C."
    assert not list(lab.folder.glob(".airbourne/run-*"))


def test_a_users_file_that_raises_ends_107_with_its_line(shared: Lab, tmp_path: Path) -> None:
    """An error in one's own code is one line that names file and line."""
    (tmp_path / "users.py").write_text(
        "from lab.engine.client import LabUser\nraise ValueError('half a thought')\n\nclass Mine(LabUser):\n    pass\n"
    )
    scenario = tmp_path / "mine.toml"
    scenario.write_text('executor = "constant-vus"\nexec = "Mine"\nvus = 1\nduration = "1s"\n[data]\nusers = 1\n')
    ended = shared.run("run", "--scenario", str(scenario))
    assert ended.code == 107
    assert ended.err.splitlines()[-1].endswith("users.py, line 2: ValueError: half a thought")


def test_a_user_that_raises_while_it_runs_ends_107_and_says_where(shared: Lab, tmp_path: Path) -> None:
    """Iterations that raise are counted, shown with their trace, and fail the run."""
    (tmp_path / "users.py").write_text(
        "from locust import constant, task\nfrom lab.engine.client import LabUser\n\n"
        "class Mine(LabUser):\n    wait_time = constant(0.1)\n\n    @task\n    def think(self):\n"
        "        self.client.get('/health')\n        raise KeyError('seat')\n"
    )
    scenario = tmp_path / "mine.toml"
    scenario.write_text('executor = "constant-vus"\nexec = "Mine"\nvus = 1\nduration = "2s"\n[data]\nusers = 1\n')
    ended = shared.run("run", "--scenario", str(scenario), "--json")
    assert ended.code == 107, ended.err
    assert ended.json["totals"]["iteration_errors"] > 3
    assert "KeyError: 'seat'" in ended.json["script_errors"][0]["message"]


def test_a_plain_locust_user_class_runs_as_it_is(shared: Lab, tmp_path: Path) -> None:
    """A locustfile's HttpUser, which knows nothing of the lab, is recorded request by request."""
    (tmp_path / "users.py").write_text(
        "from locust import HttpUser, constant, task\n\n\n"
        "class Plain(HttpUser):\n    wait_time = constant(0.1)\n\n    @task\n    def look(self):\n"
        "        self.client.get('/health')\n        self.client.get('/nowhere', name='<b>nowhere</b>')\n"
    )
    scenario = tmp_path / "plain.toml"
    scenario.write_text('executor = "constant-vus"\nexec = "Plain"\nvus = 2\nduration = "2s"\n[data]\nusers = 1\n')
    ended = shared.run("run", "--scenario", str(scenario), "--json")
    totals = ended.json["totals"]
    assert totals["ok"] == totals["failed"] == totals["iterations"] > 5
    assert totals["sent"] == totals["ok"] + totals["failed"]
    page = (shared.folder / ended.json["report"]).read_text()
    assert "&lt;b&gt;nowhere" in page
    assert "<b>nowhere" not in page


def test_a_threshold_without_a_sample_fails_the_run(shared: Lab, small: str) -> None:
    """NO DATA is no pass: a threshold on an operation that never happened ends 99, unless nothing can be believed."""
    ended = shared.run(
        "run",
        "--scenario",
        small,
        "--stage",
        "2s:2",
        "--threshold",
        "http_req_duration{operation:refund}:p(95)<500",
        "--json",
    )
    assert ended.code == 99 or ended.too_busy, ended.err
    outcomes = {result["metric"]: result["outcome"] for result in ended.json["thresholds"]}
    assert outcomes["http_req_duration{operation:refund}"] == "NO DATA"


def test_a_run_uses_the_platform_that_is_up_and_leaves_it_up(shared: Lab, small: str) -> None:
    """Between `up` and `down` runs share one platform, its data and its dataset."""
    gateway = next(part["port"] for part in shared.run("status", "--json").json["parts"] if part["name"] == "gateway")
    for _ in range(2):
        ended = shared.run("run", "--scenario", small, "--stage", "1s:2", "--json")
        assert ended.json["target"]["gateway"] == f"http://127.0.0.1:{gateway}"
        assert ended.json["integrity"]["seats_lost"] == 0
    assert shared.run("status").code == 0
    assert not _leaked(shared.folder), "a secret stands in a run folder or a log"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["run", "--scenario", "rampp"], 104, 'unknown scenario "rampp"; did you mean "ramp"?'),
        (["run", "--scenario", "ramp", "--stage", "30:20"], 104, "is no duration"),
        (["run", "--scenario", "ramp", "--threshold", "http_req_duration:q(95)<1"], 104, 'has no "q"'),
        (["run", "--scenario", "ramp", "--target", "nowhere"], 104, 'there is no target "nowhere"'),
        (["run", "--scenario", "ramp", "--gateway", "http://8.8.8.8"], 104, "--allow-public"),
        (["run", "--scenario", "ramp", "--profile", "fast"], 104, 'unknown profile "fast"'),
        (["run", "--scenario", "ramp", "--gateway", "http://127.0.0.1:9"], 104, "is the platform up?"),
        (["seed", "--gateway", "http://127.0.0.1:9"], 104, "is the platform up?"),
        (["report", "latest"], 1, "airbourne-lab run --scenario smoke"),
        (["seed"], 1, "airbourne-lab up"),
    ],
)
def test_a_mistake_ends_in_one_line_with_the_remedy(lab: Lab, words: list[str], code: int, sentence: str) -> None:
    """A user's mistake is answered by one line, without a traceback, and with the right exit code."""
    ended = lab.run(*words)
    assert ended.code == code, ended.err
    last = ended.err.splitlines()[-1]
    assert last.startswith("Error: ")
    assert sentence in last
    assert "Traceback" not in ended.err
