"""What does a request cost the load generator? The booking call, by each client in turn, on one core.

Usage: python benchmarks/engine.py [--rounds 5] [--seconds 3] [--users 20] | --memory [--seconds 30]

A local server that does nothing but answer has a core of its own, the load process another. Every round runs all
clients, in alternating order: Locust's as `locust --headless`, the lab's as the load process of a run, with its
recorder, probe and files. The server counts the bookings, and the CPU time (user and system) is the load process'
own, so that waiting costs nothing. Printed are medians of bookings per CPU-second, their spread over the rounds, and
ratios to Locust's plain FastHttpUser, each of the same round. Needs two cores; keeps nothing.

With --memory, the user of the shipped scenarios books as fast as it can, and what its process grows by per booking,
the slope of a line through its memory once a second, is scaled to 30 minutes at 1,000 bookings a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil
import urllib3

from benchmarks.parts.stub import stub
from lab import dataset_file, store
from lab.model.dataset import DataNeeds, Dataset, Flight, Member, SeedPlan
from lab.model.load import Load
from lab.model.run import Machine, Run
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
USERS_FILE: Final = Path(__file__).parent / "parts" / "engine_users.py"
BASE: Final = "PlainFast"
LOCUST: Final = ("PlainHttp", BASE)
WRK: Final = "wrk"
ROWS: Final[dict[str, str]] = {
    "PlainHttp": "Locust HttpUser",
    BASE: "Locust FastHttpUser",
    "Recorded": "lab, LabUser: recorded",
    "Lean": "lab, LeanUser: recorded",
    "Pool": "lab, LeanUser: PoolBooker (recorded, checks, ledger)",
    WRK: "wrk (C, no user code)",
}
WARM_UP_S: Final = 1.0
START_S: Final = 60.0
HALF_HOUR: Final = 30 * 60 * 1_000
"""Requests of a run of 30 minutes at 1,000 a second."""
MIB: Final = 1024 * 1024
LUA: Final = """
wrk.method = "POST"
wrk.body = '{"flightId": 17, "userId": 4711, "NoOfSeats": 3}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["x-access-token"] = string.rep("t", 180)
wrk.headers["Idempotency-Key"] = string.rep("k", 32)
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all rows share."""

    url: str
    folder: Path
    users: int
    seconds: float
    core: int

    def booked(self) -> int:
        """Ask the server how many bookings it has had."""
        found: int = urllib3.request("GET", self.url, retries=False, timeout=10).json()["booked"]
        return found


@dataclass(frozen=True, slots=True)
class Sample:
    """Bookings that the server counted, seconds of CPU of the load process, and its memory in bytes."""

    requests: int
    cpu: float
    memory: int

    def since(self, before: Sample) -> float:
        """Give bookings per second of CPU since then."""
        return (self.requests - before.requests) / (self.cpu - before.cpu)


def command(kind: str, bench: Bench) -> list[str]:
    """Give what runs a row, for longer than it is looked at."""
    if kind == WRK:
        script = bench.folder / "book.lua"
        script.write_text(LUA, encoding="ascii")
        return ["wrk", "-t1", f"-c{bench.users}", "-d600s", "-s", str(script), f"{bench.url}/book"]
    if kind in LOCUST:
        words = f"--headless --only-summary --loglevel ERROR -u {bench.users} -r {bench.users} -H {bench.url}"
        return [sys.executable, "-m", "locust", "-f", str(USERS_FILE), *words.split(), kind]
    stages = (Stage(600.0, bench.users),)
    load = Load("constant-vus", kind, stages, bench.users)
    scenario = Scenario("engine", (load,), users_file=str(USERS_FILE), data=DataNeeds(50, 200, (1, 1_000_000)))
    members = tuple(Member(number, f"m{number}@airbourne.test", "p", "t" * 180) for number in range(200))
    flights = tuple(Flight(number, f"AB{number}", 1_000, 240.0) for number in range(50))
    dataset_file.save(Dataset(bench.url, SeedPlan(), flights, members), bench.folder / "dataset.json")
    run = store.create(bench.folder / "runs", "engine")
    run.save(Run(run.path.name, scenario, Target(bench.url), 1, "", Machine("", "", 1, 1.0, "", ""), {}))
    return [sys.executable, "-m", "lab.engine.worker", str(run.path), "--dataset", str(bench.folder / "dataset.json")]


@contextmanager
def loading(kind: str, bench: Bench) -> Iterator[psutil.Process]:
    """Run a row on its core; it is warm when this begins."""
    before = bench.booked()
    process = subprocess.Popen(
        command(kind, bench),
        stdin=subprocess.PIPE,  # a load process of the lab ends with its parent
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        os.sched_setaffinity(process.pid, {bench.core})
        until = time.monotonic() + START_S
        while bench.booked() == before:
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise SystemExit(f"{kind} did not begin to book: {process.communicate()[1][-2000:]}")
            time.sleep(0.1)
        time.sleep(WARM_UP_S)
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.communicate()


def look(bench: Bench, process: psutil.Process) -> Sample:
    """Look at the server's count and at what the process has used."""
    times = process.cpu_times()
    return Sample(bench.booked(), times.user + times.system, process.memory_info().rss)


def measure(kind: str, bench: Bench) -> float:
    """Give one row's bookings per CPU-second."""
    with loading(kind, bench) as process:
        before = look(bench, process)
        time.sleep(bench.seconds)
        return look(bench, process).since(before)


def compare(bench: Bench, rounds: int) -> None:
    """Run all rounds and print the table."""
    rows = [kind for kind in ROWS if kind != WRK or shutil.which("wrk")]
    if WRK not in rows:
        print("wrk is not installed (Debian: apt install wrk): it is left out\n")
    rates: dict[str, list[float]] = {kind: [] for kind in rows}
    for number in range(rounds):
        for kind in rows if number % 2 == 0 else reversed(rows):
            rates[kind].append(measure(kind, bench))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    print("| client | bookings per CPU-second (min–max) | µs of CPU each | × FastHttpUser (min–max) |")
    print("| --- | --- | --- | --- |")
    for kind, taken in rates.items():
        ratios = [rate / base for rate, base in zip(taken, rates[BASE], strict=True)]
        rate = statistics.median(taken)
        print(
            f"| {ROWS[kind]} | {rate:,.0f} ({min(taken):,.0f}–{max(taken):,.0f}) | {1e6 / rate:.1f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) |"
        )


def memory(bench: Bench) -> None:
    """Print how a load process' memory grows."""
    with loading("Pool", bench) as process:
        seen = [look(bench, process)]
        for _ in range(max(round(bench.seconds), 2)):
            time.sleep(1)
            seen.append(look(bench, process))
    slope = statistics.linear_regression([s.requests for s in seen], [s.memory for s in seen]).slope
    total = seen[0].memory + max(slope, 0.0) * HALF_HOUR
    print(f"{seen[-1].requests - seen[0].requests:,} bookings in {len(seen) - 1} s")
    print(f"memory: {seen[0].memory / MIB:.1f} MiB, then {seen[-1].memory / MIB:.1f} MiB")
    print(f"slope: {slope * 1_000 / 1024:.3f} KiB per 1,000 bookings")
    print(f"30 minutes at 1,000 bookings a second: {total / MIB:.0f} MiB (goal: below 150)")


def main() -> None:
    """Start the server and measure."""
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, help="of each row and round (3), or of all with --memory (30)")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--memory", action="store_true", help="measure the growth of memory instead")
    options = parser.parse_args()
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the server, one for the load")
    with tempfile.TemporaryDirectory() as folder, stub(Path(folder), cores[1]) as (url, language):
        seconds = options.seconds or (30.0 if options.memory else 3.0)
        bench = Bench(url, Path(folder), options.users, seconds, cores[0])
        print(f"server in {language} on core {cores[1]}, load on core {cores[0]}, {options.users} users\n", flush=True)
        if options.memory:
            memory(bench)
        else:
            compare(bench, options.rounds)


if __name__ == "__main__":
    main()
