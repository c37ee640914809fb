"""What do timing headers and sampling cost? The platform with both against the platform with neither, in turns.

Usage: python benchmarks/timing.py [--profile safe] [--rounds 12] [--seconds 4] [--users 32] [--services]

Both platforms are up all the time, and one of them is loaded: by wrk, which books through the gateway over kept-alive
connections without a pause. `on` answers with `Server-Timing` and is asked for its figures once a second, as beside a
run; `off` has SERVER_TIMING=off and nobody asks. Printed are the medians, and the ratio on / off over the pairs with
its 95 % interval: of bookings a second, and of the CPU time of all services for a booking, which other work on the
machine disturbs less. What the load client needs to read the header is measured by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import math
import os
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3
from scipy import stats

from benchmarks import platform as bookings
from lab.asked import Asked
from lab.engine.recorder import Recorder
from lab.stack.backend import Backend
from lab.stack.owned import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.stack.state import StackState

SWITCH = "SERVER_TIMING"
WARM_UP_S = 3.0
READS = 20_000
US = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One load: bookings a second, and CPU time of all services per booking in ms."""

    rate: float
    cpu_ms: float


@contextmanager
def platform(folder: Path, profile: str, backend: Backend, switch: str) -> Iterator[StackState]:
    """Have a stack whose services tell their time, or do not."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = switch
    try:
        with running(folder, profile, backend=backend) as state:
            yield state
    finally:
        os.environ.pop(SWITCH)
        if before is not None:
            os.environ[SWITCH] = before


@contextmanager
def sampled(state: StackState, *, wanted: bool) -> Iterator[None]:
    """Ask the services for their figures once a second, as beside a run."""
    over = threading.Event()
    asked = Asked(state.target())

    def ask() -> None:
        while not over.wait(1.0):
            asked.ask()

    thread = threading.Thread(target=ask, daemon=True)
    if wanted:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if wanted:
            thread.join()
        asked.close()


def prepare(tools: Any, state: StackState, path: Path) -> Path:  # noqa: ANN401 - a module
    """Make flights and a user; gives the script that books."""
    pool = urllib3.PoolManager(retries=False, timeout=60)

    def ask(method: str, url: str, body: object = None, token: str = "") -> Any:  # noqa: ANN401 - any JSON
        reply = pool.request(method, url, json=body, headers={"x-access-token": token})
        if reply.status >= 400:
            raise SystemExit(f"{url}: {reply.status} {reply.data.decode()}")
        return reply.json()["data"]

    path.write_text(tools.fill(ask, state.target().gateway), encoding="ascii")
    return path


def measure(tools: Any, state: StackState, script: Path, users: int, seconds: float) -> Sample:  # noqa: ANN401 - as above
    """Load one platform once."""
    before = tools.cpu_seconds(state.processes)
    found = tools.load(state.target().gateway, script, users, seconds)
    after = tools.cpu_seconds(state.processes)
    booked = found["requests"] - found["failed"]
    used = sum(after[name] - before[name] for name in after)
    return Sample(booked / (found["us"] / US), used / max(booked, 1) * 1000)


def ratio(on: list[float], off: list[float]) -> str:
    """Write how much more or less `on` has, in percent, with the 95 % interval over the pairs."""
    logs = [math.log(one / other) for one, other in zip(on, off, strict=True)]
    mean = statistics.mean(logs)
    half = stats.t.ppf(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    low, middle, high = ((math.exp(value) - 1) * 100 for value in (mean - half, mean, mean + half))
    return f"{middle:+.1f} % (95 %: {low:+.1f} to {high:+.1f})"


def reading_us(header: str) -> float:
    """Measure what the load client needs for the header of one answer, in µs."""
    recorder = Recorder(time.perf_counter)
    recorder.start()
    line = recorder.line("POST", (("operation", "booking"),))
    begin = time.perf_counter()
    for number in range(READS):
        line.timed(50_000 + number, header)
    return (time.perf_counter() - begin) / READS * US


def header_of(state: StackState) -> str:
    """Give the header of some answer; "" where there is none."""
    url = f"{state.target().gateway}/flights/api/v1/flights?limit=1"
    answer = urllib3.request("GET", url, headers={"x-access-token": "none"}, timeout=30, retries=False)
    return answer.headers.get("Server-Timing", "")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="safe")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--services", action="store_true")
    given = parser.parse_args()
    tools, backend = bookings, Backend.of("services" if given.services else "embedded")
    samples: dict[str, list[Sample]] = {"on": [], "off": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        platform(Path(folder, "on"), given.profile, backend, "on") as on,
        platform(Path(folder, "off"), given.profile, backend, "off") as off,
    ):
        states = {"on": on, "off": off}
        if not header_of(on) or header_of(off):
            raise SystemExit(f"{SWITCH} switches nothing")
        scripts = {name: prepare(tools, state, Path(folder, f"{name}.lua")) for name, state in states.items()}
        for name, state in states.items():
            measure(tools, state, scripts[name], given.users, WARM_UP_S)
        for number in range(given.rounds):
            for name in ("on", "off") if number % 2 else ("off", "on"):
                with sampled(states[name], wanted=name == "on"):
                    sample = measure(tools, states[name], scripts[name], given.users, given.seconds)
                samples[name].append(sample)
                print(f"round {number + 1} {name:3} {sample.rate:6.0f}/s {sample.cpu_ms:6.3f} ms", flush=True)
    for title, field in (("bookings a second", "rate"), ("CPU per booking, ms", "cpu_ms")):
        found = {name: [getattr(sample, field) for sample in some] for name, some in samples.items()}
        medians = ", ".join(f"{name} {statistics.median(values):.3f}" for name, values in found.items())
        print(f"{title:20} {medians}: {ratio(found['on'], found['off'])}")
    print(f"the load client reads a header of four hops in {reading_us(TREE):.1f} µs")


TREE = (
    "gateway;dur=23.950, gateway.own;dur=0.904, auth.net;desc=gateway;dur=1.252, auth;dur=3.708, auth.queue;dur=0.413, "
    "auth.own;dur=1.226, auth.pool;dur=1.133, auth.db;dur=1.349, booking.net;desc=gateway;dur=0.486, "
    "booking;dur=15.700, booking.queue;dur=1.487, booking.own;dur=0.730, booking.pool;dur=0.994, booking.db;dur=7.746, "
    "flights.net;desc=booking;dur=0.475, flights;dur=5.337, flights.queue;dur=0.418, flights.own;dur=0.813, "
    "flights.pool;dur=0.300, flights.db;dur=4.224"
)

if __name__ == "__main__":
    main()
