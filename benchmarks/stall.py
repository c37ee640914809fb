"""T1 and T3 of measurement.md §7 live: what does this lab say of a real HTTP server that stands still for 3 s?

`python benchmarks/stall.py` drives a server in another process with the lab's own load process, first by a schedule
(an open model, on one connection), then with users who wait for their answers (a closed one), and prints what was
measured beside what is right: by theory, or by what the server noted of itself. It takes a minute and a half, and ends
with 1 if a figure is off.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import json
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lab import dataset_file, store
from lab.gates.observed import Observed
from lab.gates.users_time import stalls
from lab.load import LoadProcess
from lab.model.dataset import DataNeeds, Dataset, Flight, Member, SeedPlan
from lab.model.histogram import bin_of
from lab.model.load import Load
from lab.model.run import Machine, Run, Totals
from lab.model.sample import RESPONSE, SERVICE, Tally
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.target import Target
from lab.model.threshold import Selector, parse_threshold
from lab.model.verdict import Validity

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS: Final = Path(__file__).parent / "parts"
REQUESTS: Final = Selector("http_req_duration")
STALL_S: Final = 3.0
RATE: Final = 100
OPEN_S: Final = 60
USERS: Final = 10
THINK_S: Final = 0.1
CLOSED_S: Final = 20
WITHIN_MS: Final = 20.0
NOISE_MS: Final = 100.0
"""What a busy machine may add to a request of a millisecond or two; a stall adds 3,000."""
IDEAL_S: Final = 0.001
SLOW_MS: Final = 500.0


@dataclass(slots=True)
class Row:
    """A line of the table; within what the figure may be off."""

    what: str
    expected: float
    measured: float
    within: float

    @property
    def right(self) -> bool:
        """Tell whether it is as theory has it."""
        return abs(self.measured - self.expected) <= self.within

    def __str__(self) -> str:
        """Write it."""
        return f"{self.what:<44}{self.expected:>12.1f}{self.measured:>12.1f}   {'yes' if self.right else 'NO'}"


@dataclass(slots=True)
class Served:
    """A server that runs; when its answers went out is known once it has ended."""

    port: int
    answered: list[float]


@contextmanager
def serving(**order: object) -> Iterator[Served]:
    """Run the server for a while."""
    words = [sys.executable, str(PARTS / "stall_server.py"), json.dumps(order)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            served = Served(int(process.stdout.readline()) if process.stdout else 0, [])
            yield served
            out, _ = process.communicate(timeout=10)
            served.answered += json.loads(out)
        finally:
            process.kill()


def measured(scenario: Scenario, port: int, root: Path) -> Tally:
    """Let the lab's load process run a scenario; gives all that it recorded."""
    folder = store.create(root / "runs", scenario.name)
    dataset = Dataset("stub", SeedPlan(), (Flight(1, "A1", 50, 1.0),), (Member(1, "one@x.test", "password"),))
    dataset_file.save(dataset, root / "dataset.json")
    target = Target(f"http://127.0.0.1:{port}")
    folder.save(Run(folder.path.name, scenario, target, 1, "", Machine("", "", 1, 1.0, "", ""), {}))
    tally = Tally()
    with LoadProcess(folder, root / "dataset.json") as load:
        while not load.wait(0.2):
            for tick in load.ticks():
                tally.add(tick)
        for tick in load.ticks():
            tally.add(tick)
        load.end()
    return tally


def scenario_of(name: str, load: Load) -> Scenario:
    """Make a scenario of a load, which is judged by its p99."""
    return Scenario(
        name,
        (load,),
        users_file=str(PARTS / "stall_users.py"),
        data=DataNeeds(1, 1, (1, 100)),
        thresholds=(parse_threshold(REQUESTS.metric, "p(99)<500"),),
    )


def opened(root: Path) -> list[Row]:
    """T1: a schedule of 100/s on one connection to a server of about 1,000/s."""
    load = Load("constant-arrival-rate", "Asker", (Stage(OPEN_S, RATE),), RATE, pre_allocated=1, max_vus=1, waits=True)
    with serving(service=0.0008, fifo=True, stall=OPEN_S / 2 - 0.005, seconds=STALL_S) as server:
        tally = measured(scenario_of("open", load), server.port, root)
    number = OPEN_S * RATE
    ideal = [1000 * (STALL_S + IDEAL_S - (100 - p) / 100 * number * (1 / RATE - IDEAL_S)) for p in (95, 99)]
    print(
        f"open: {RATE}/s on one connection; at 1,000/s theory has p(95) = {ideal[0]:.0f} ms, p(99) = {ideal[1]:.0f} ms"
    )
    rows = [Row("requests", number, tally.requests(REQUESTS, "ok"), 0)]
    # By the server's own notes: what no schedule and no clock of the lab's can have made better.
    late = sorted(1000 * (at - order / RATE) for order, at in enumerate(sorted(server.answered)))
    for percent in (95, 99):
        expected = late[len(late) * percent // 100 - 1]
        rows.append(Row(f"response p({percent}), ms", expected, of(tally, percent, RESPONSE), WITHIN_MS))
    rows.append(Row("service p(99), ms: it saw nothing", 1, of(tally, 99, SERVICE), NOISE_MS))
    return rows


def closed(root: Path) -> list[Row]:
    """T3: ten users who wait for their answers, at a server that has a thread for each."""
    load = Load("constant-vus", "Asker", (Stage(CLOSED_S, USERS),), USERS, env=(("think", str(THINK_S)),))
    scenario = scenario_of("closed", load)
    with serving(service=0.002, fifo=False, stall=CLOSED_S / 2, seconds=STALL_S) as server:
        tally = measured(scenario, server.port, root)
    slow = sum(n for index, n in tally.histogram(REQUESTS).bins.items() if index > _bin(SLOW_MS))
    [found] = stalls(Observed(scenario, tally, Totals.of(tally), {}, {}, 0))
    print(f"closed: {USERS} users who think {THINK_S} s. {found.level}: {found.sentence}")
    return [
        Row("slow requests", USERS, slow, 0),
        Row("service p(99), ms: it saw nothing", 2, of(tally, 99, SERVICE), NOISE_MS),
        Row("p(99) is said to be distorted (1: yes)", 1, float(found.level is Validity.SUSPECT), 0),
    ]


def _bin(ms: float) -> int:

    return bin_of(int(ms * 1000))


def of(tally: Tally, percent: int, clock: str) -> float:
    """Give a percentile in ms."""
    return (tally.histogram(REQUESTS, clock=clock).percentile(percent / 100) or 0) / 1000


def main() -> int:
    """Measure both; 1 when a figure is off."""
    rows: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in (opened, closed):
            rows += part(Path(folder))
    print(f"\n{'':<44}{'expected':>12}{'measured':>12}   right")
    for row in rows:
        print(row)
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
