"""Many load processes, as real ones: workers in network namespaces of their own where this machine allows it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import pytest

from lab.model.histogram import Histogram
from lab.model.stage import Stage, users_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
USERS = HERE / "worker_users.py"
KEY = "a key for these tests"
HUB: Final = "10.203.117.1"
IP = shutil.which("ip")


@dataclass
class Place:
    """Where a process runs: the words before its command, and the address under which the master is found."""

    host: str
    hub: list[str] = field(default_factory=list)
    workers: list[list[str]] = field(default_factory=list)


def _ip(*words: str) -> bool:
    return IP is not None and subprocess.run([IP, *words], capture_output=True, check=False).returncode == 0


def _other_clock() -> list[str]:
    """Give the words that start a process on a machine that was switched on much earlier; none if not allowed."""
    words = ["unshare", "--time", "--monotonic", "50000", "--fork", "--kill-child"]
    tried = subprocess.run([*words, "true"], capture_output=True, check=False) if shutil.which(words[0]) else None
    return words if tried and tried.returncode == 0 else []


@pytest.fixture
def place() -> Iterator[Place]:
    """Give a hub and four machines around it as network namespaces; or this machine, where they are not allowed."""
    hub = f"lab{os.getpid()}"
    names = [f"{hub}w{number}" for number in range(4)]
    try:
        if not (_ip("netns", "add", hub) and _ip("-n", hub, "link", "add", "br0", "type", "bridge")):
            yield Place("127.0.0.1", workers=[[] for _ in names])
            return
        _ip("-n", hub, "link", "set", "lo", "up")
        _ip("-n", hub, "addr", "add", f"{HUB}/24", "dev", "br0")
        _ip("-n", hub, "link", "set", "br0", "up")
        for number, name in enumerate(names):
            assert _ip("netns", "add", name)
            assert _ip("-n", hub, "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            assert _ip("-n", hub, "link", "set", f"v{number}", "master", "br0", "up")
            assert _ip("-n", name, "addr", "add", f"10.203.117.{number + 10}/24", "dev", "eth0")
            assert _ip("-n", name, "link", "set", "eth0", "up")
        inside = [[str(IP), "netns", "exec", name] for name in (hub, *names)]
        inside[2] += _other_clock()
        yield Place(HUB, inside[0], inside[1:])
    finally:
        for name in (hub, *names):
            _ip("netns", "del", name)


class Lead:
    """A run in a process of its own, followed line by line."""

    def __init__(self, root: Path, before: list[str], order: dict[str, Any], key: str) -> None:
        self.told: list[dict[str, Any]] = []
        self.root = root
        self.process = subprocess.Popen(
            [*before, sys.executable, str(HERE / "lead_workers.py"), json.dumps(order)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"AIRBOURNE_WORKER_KEY": key},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.told.append(json.loads(line))

    def find(self, key: str) -> list[Any]:
        """Give what was told under a key."""
        return [words[key] for words in list(self.told) if key in words]

    def wait_for(self, found: Callable[[], object], what: str, seconds: float = 40) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < end, f"waited {seconds} s for {what}: {self.told}"
            time.sleep(0.02)

    def wait_for_second(self, number: int) -> None:
        """Wait until a second of the run was written."""
        self.wait_for(lambda: any(second >= number for second in self.find("second")), f"second {number}")

    def children(self) -> list[psutil.Process]:
        """List the workers that the master started, by their number."""
        found = psutil.Process(self.find("pid")[0]).children()
        return sorted(found, key=lambda process: int(process.cmdline()[process.cmdline().index("--child") + 1]))

    def result(self) -> dict[str, Any]:
        """Wait for the end and give what came of it."""
        self.process.wait(60)
        self._reader.join(10)
        return self.told[-1]


@pytest.fixture
def lead(tmp_path: Path) -> Iterator[Callable[..., Lead]]:
    """Start runs; at the end nothing of them is left."""
    started: list[Lead] = []

    def start(*, before: list[str] | None = None, key: str = "", **order: Any) -> Lead:
        values = {"root": str(tmp_path), "users": str(USERS), "stages": [[1, 12], [3, 12]], **order}
        started.append(Lead(tmp_path, before or [], values, key))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        if one.process.stdout:
            one.process.stdout.close()
    _, alive = psutil.wait_procs(_of(tmp_path), timeout=20)
    for process in alive:
        process.kill()
    assert not alive, f"left running: {alive}"


def _of(root: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(root) in word for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start workers as other machines would; all are stopped at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(
        master: tuple[str, int], *, before: list[str] | None = None, key: str = KEY, users: Path = USERS
    ) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [
                    *(before or []),
                    *(sys.executable, "-m", "lab.engine.remote", "--master", master[0], str(master[1])),
                    *("--users-file", str(users), "--wait", "30", "--log", str(tmp_path / "worker.log")),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"AIRBOURNE_WORKER_KEY": key},
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def last_word(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a worker's end and give the last line that it said."""
    process.wait(40)  # and not `communicate`, which closes its standard input: it would stop
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.read().splitlines()[-1])
    return found


def free_port() -> int:
    """Give a port that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def kept_times(root: Path) -> Histogram:
    """Merge what every process kept of its own times."""
    lines = [line for path in root.glob("*.times") for line in path.read_text().splitlines()]
    return Histogram(Counter(map(int, lines)))


def levels(result: dict[str, Any], gate: str) -> list[str]:
    """Give the levels of a gate's findings."""
    return [level for name, level, _ in result["findings"] if name == gate]


def test_four_machines_add_up_to_one_run(
    place: Place, lead: Callable[..., Lead], worker: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Counts are the server's own, percentiles those of one merged histogram, users nobody else's, stages kept.

    One of the machines has quite another clock.
    """
    port = free_port()
    plan = [Stage(1, 12), Stage(1, 12), Stage(1, 3), Stage(1, 20), Stage(0.5, 0)]
    stages = [[stage.duration, stage.target] for stage in plan]
    crew = {"workers": 0, "expect": 4, "bind": place.host, "port": port, "key": KEY}
    run = lead(before=place.hub, key=KEY, host=place.host, crew=crew, stages=stages)
    workers = [worker((place.host, port), before=before) for before in place.workers]
    result = run.result()
    merged = kept_times(tmp_path)

    assert [last_word(process) for process in workers] == [{"said": "The run is over"}] * 4
    assert result["reason"] == "finished", result
    totals = result["totals"]
    assert totals["sent"] == totals["ok"] == result["served"] == merged.count > 50
    assert (totals["failed"], totals["unfinished"]) == (0, 0)
    assert {int(index): count for index, count in result["bins"].items()} == merged.bins
    assert result["percentiles"] == [merged.percentile(share) for share in (0.5, 0.95, 0.99)]
    assert result["processes"] == 4
    assert result["shared"] == []
    # A user's number is the seed of its choices: no two of a run are alike.
    assert set(result["numbers"].values()) == {1}
    assert len(result["numbers"]) >= 20
    assert len(result["cpu"]) == 4
    seconds = [second for second, _ in result["gauges"]]
    assert seconds == list(range(len(seconds)))
    for second, gauges in result["gauges"]:
        recently = [users_at(plan, 0, second + step / 20) for step in range(21)]
        assert min(recently) - 1 <= gauges["vus_target"] <= max(recently) + 1, (second, gauges)
    assert Counter(result["ledger"])["tried"] == Counter(result["ledger"])["accepted"] == totals["sent"]
    assert set(levels(result, "load processes") + levels(result, "clocks")) == {"VALID"}
    # Locust's master could also open a page; one port is open, and it is where it was told.
    assert result["listens"] == [f"{place.host}:{port}"]


def test_a_worker_that_is_killed_is_said_and_its_users_go_to_others(lead: Callable[..., Lead]) -> None:
    """The run goes on with all its users, the count still matches, and the finding says who, when and how much."""
    run = lead(crew={"workers": 4}, stages=[[1, 12], [5, 12]])
    run.wait_for_second(1)
    run.children()[1].kill()
    result = run.result()

    assert result["reason"] == "finished", result
    ((gate, level, sentence),) = [found for found in result["findings"] if found[1] != "VALID"]
    assert (gate, level) == ("load processes", "SUSPECT")
    assert "worker 2 was lost (it was killed by SIGKILL) after " in sentence
    assert ", with 3 users: its first " in sentence
    assert sentence.endswith("; its users went to the other 3")
    totals = result["totals"]
    assert totals["sent"] == totals["ok"] + totals["failed"] + totals["unfinished"]
    assert result["served"] >= totals["ok"] > 0
    assert [gauges["vus"] for second, gauges in result["gauges"] if second == 5] == [12]


def test_a_run_without_a_worker_left_has_crashed(lead: Callable[..., Lead]) -> None:
    """It ends at once, says so, and what was recorded stays."""
    run = lead(crew={"workers": 2}, stages=[[0, 4], [60, 4]])
    run.wait_for_second(1)
    for process in run.children():
        process.kill()
    result = run.result()

    assert (result["reason"], result["detail"]) == ("crashed", "every load process was gone before the end")
    assert levels(result, "load processes") == ["SUSPECT", "SUSPECT"]
    assert result["totals"]["ok"] > 0


def test_a_worker_that_falls_silent_is_lost_and_stops_when_it_is_back(
    lead: Callable[..., Lead], worker: Callable[..., subprocess.Popen[str]]
) -> None:
    """After five silent seconds others have its users; when it is back it is told to stop, and what it had is in."""
    port = free_port()
    crew = {"workers": 1, "expect": 1, "port": port}
    run = lead(crew=crew, stages=[[0, 6], [12, 6]])
    process = worker(("127.0.0.1", port), key="")
    run.wait_for_second(0)
    process.send_signal(signal.SIGSTOP)
    run.wait_for_second(6)
    process.send_signal(signal.SIGCONT)
    assert last_word(process) == {"said": "The run is over"}
    result = run.result()

    (sentence,) = [sentence for _, level, sentence in result["findings"] if level == "SUSPECT"]
    assert f"worker 2 on {socket.gethostname()} was lost (it said nothing for " in sentence
    assert "its users went to the other 1" in sentence
    totals = result["totals"]
    assert totals["sent"] == totals["ok"] + totals["failed"] + totals["unfinished"]
    # A gauge is read at the end of its second, and the plan wants nobody any more at the end of the last.
    assert [gauges["vus_target"] for second, gauges in result["gauges"] if second == 10] == [6]
    assert Counter(result["ledger"])["tried"] == totals["sent"]


def test_a_worker_that_is_stopped_on_its_own_leaves_all_that_it_has(
    lead: Callable[..., Lead], worker: Callable[..., subprocess.Popen[str]]
) -> None:
    """Ctrl-C on one of the machines: its users finish and go to the others, and the run says so."""
    port = free_port()
    run = lead(crew={"workers": 1, "expect": 1, "port": port}, stages=[[0, 6], [5, 6]])
    process = worker(("127.0.0.1", port), key="")
    run.wait_for_second(1)
    process.send_signal(signal.SIGINT)
    result = run.result()

    assert last_word(process) == {"said": "The run is over"}
    (sentence,) = [sentence for _, level, sentence in result["findings"] if level == "SUSPECT"]
    assert "was stopped on its own after " in sentence
    assert sentence.endswith(" s, with 3 users: everything that it recorded is in; its users went to the other 1")
    totals = result["totals"]
    assert totals["sent"] == totals["ok"] == result["served"]
    assert [gauges["vus_target"] for second, gauges in result["gauges"] if second == 3] == [6]


def test_the_wait_for_workers_ends_with_who_came_and_what_to_do(
    lead: Callable[..., Lead], worker: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Another key gets no answer, another users file is refused with a sentence, and the master says both ends."""
    other = tmp_path / "other.py"
    other.write_text(USERS.read_text() + "\n# changed\n")
    port = free_port()
    run = lead(crew={"workers": 1, "expect": 2, "timeout": 12, "port": port, "key": KEY}, key=KEY)
    waiting = worker(("127.0.0.1", port))
    stranger = worker(("127.0.0.1", port), key="another key altogether")
    changed = worker(("127.0.0.1", port), users=other)

    assert "has another key: give both sides the same AIRBOURNE_WORKER_KEY" in last_word(stranger)["error"]
    assert "users file is not the master's worker_users.py" in last_word(changed)["error"]
    result = run.result()
    assert "let this worker go: the run did not begin: 2 of 3 workers came" in last_word(waiting)["error"]
    assert result["exit_code"] == 1
    assert result["error"].startswith("2 of 3 workers came within 12 s; 1 refused, the last one because its users file")
    assert f"with: airbourne-lab worker --master 127.0.0.1:{port}, with the master's AIRBOURNE" in result["error"]


@pytest.mark.parametrize(("times", "cls"), [(1, "Looker"), (2, "Waiter")], ids=["once", "twice"])
def test_a_stopped_run_keeps_what_it_has(lead: Callable[..., Lead], times: int, cls: str) -> None:
    """Asked once, users finish; asked twice, they are stopped in mid-request, which is counted as such."""
    run = lead(crew={"workers": 2}, stages=[[0, 6], [60, 6]], grace=30.0, **{"class": cls})
    run.wait_for_second(1)
    for number in (signal.SIGINT, signal.SIGTERM)[:times]:
        os.kill(run.find("pid")[0], number)
    result = run.result()

    assert result["reason"] == "stopped", result
    totals = result["totals"]
    assert totals["sent"] == totals["ok"] + totals["unfinished"]
    assert totals["unfinished"] == (0 if times == 1 else 6)
    assert levels(result, "load processes") == ["VALID"]


def test_nothing_outlives_the_lab(lead: Callable[..., Lead]) -> None:
    """When the process that started the master is killed, master and workers are gone soon after."""
    run = lead(crew={"workers": 2}, stages=[[0, 2], [60, 2]])
    run.wait_for_second(0)
    family = [psutil.Process(run.find("pid")[0]), *run.children()]
    run.process.kill()

    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_what_users_raise_is_counted_over_all_workers(lead: Callable[..., Lead]) -> None:
    """Traces of the same place are one, with the number of times of all processes."""
    result = lead(crew={"workers": 2}, stages=[[0, 4], [2, 4]], **{"class": "Raiser"}).result()

    assert "errors" in result, result
    ((count, message),) = result["errors"]
    assert message == "KeyError: 'seat'"
    assert count == result["totals"]["iteration_errors"] > 2


def test_a_users_file_that_cannot_be_loaded_ends_the_run_with_its_line(
    lead: Callable[..., Lead], tmp_path: Path
) -> None:
    """As one process says it: the file, the line, the error, and the exit code of a script's error."""
    users = tmp_path / "users.py"
    users.write_text("raise ValueError('half a thought')\n\n\nclass Looker: pass\n")
    result = lead(crew={"workers": 2}, users=str(users)).result()

    assert result["error"].endswith("users.py, line 1: ValueError: half a thought")
    assert result["exit_code"] == 107


def test_fewer_users_than_processes_are_shared_and_said(lead: Callable[..., Lead]) -> None:
    """One account for two processes: both use it, and the run says so."""
    result = lead(crew={"workers": 2}, stages=[[0, 2], [2, 2]], members=1).result()

    assert result["shared"] == ["/users/0"]
    assert levels(result, "users") == ["VALID"]
    assert "1 user for 2 load processes" in str(result["findings"])
