"""How many bookings a second does each profile hold? Each on its own MariaDB and RabbitMQ, in turn.

Usage: python benchmarks/platform.py [--profiles safe,pooled] [--rounds 5] [--seconds 10] [--users 32] [--embedded]

Every round starts the platform afresh under each profile, in alternating order, and books through the gateway with wrk
over kept-alive connections, without a pause. After each load all is counted: the seats that flights have fewer, the
bookings that there are, those that were accepted, and the mails that follow. Printed are medians over the rounds, and
CPU time per booking of each part: of the load alone, since what its notifications cost later is another row.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import psutil
import urllib3

from benchmarks.parts.booking_lua import LUA
from lab.stack.backend import Backend
from lab.stack.owned import running
from lab.stack.profiles import RUNGS

FLIGHTS, CAPACITY = 50, 1_000_000
PAGE = 1000
DRAIN_WITHIN_S = 120.0
QUIET_LOOKS = 5
WARM_UP_S = 2.0
USER = {"email": "bench@airbourne.test", "password": "benchmark"}
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Sample:
    """One profile in one round.

    Attributes:
        rate: bookings a second.
        p50_ms: median latency.
        p95_ms: 95th percentile.
        failed: share of answers that were no success.
        defect: seats gone from flights less seats booked; 0 is right.
        missing: accepted bookings that are not there.
        unsent: bookings without a mail in the end.
        drain_s: how long the mails took after the load.
        cpu_ms: CPU time of each part per booking, during the load.
    """

    rate: float
    p50_ms: float
    p95_ms: float
    failed: float
    defect: int
    missing: int
    unsent: int
    drain_s: float
    cpu_ms: Mapping[str, float]


def main() -> None:
    """Measure every profile and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", default=",".join(RUNGS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--embedded", action="store_true")
    given = parser.parse_args()
    profiles = given.profiles.split(",")
    samples: dict[str, list[Sample]] = {profile: [] for profile in profiles}
    backend = Backend.of("embedded" if given.embedded else "services")
    for number in range(given.rounds):
        for profile in profiles if number % 2 == 0 else reversed(profiles):
            sample = measure(profile, backend, given.users, given.seconds)
            samples[profile].append(sample)
            print(f"round {number + 1} {profile:14} {sample.rate:6.0f}/s {describe(sample)}", flush=True)
    print_table(samples)


def measure(profile: str, backend: Backend, users: int, seconds: float) -> Sample:
    """Run one profile once."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder, "stack"), profile, backend=backend) as state:
        target = state.target()
        pool = urllib3.PoolManager(retries=False, timeout=60)

        def ask(method: str, url: str, body: object = None, token: str = "") -> Any:  # noqa: ANN401 - any JSON
            reply = pool.request(method, url, json=body, headers={"x-access-token": token})
            if reply.status >= 400:
                raise SystemExit(f"{url}: {reply.status} {reply.data.decode()}")
            return reply.json()["data"]

        script = Path(folder, "book.lua")
        script.write_text(fill(ask, target.gateway), encoding="ascii")
        warm = load(target.gateway, script, users, WARM_UP_S)
        before = cpu_seconds(state.processes)
        loaded = load(target.gateway, script, users, seconds)
        after = cpu_seconds(state.processes)
        ended = time.monotonic()
        accepted = sum(one["requests"] - one["failed"] for one in (warm, loaded))
        settle(ask, f"{target.booking}{API}/bookings?status=InProcess")
        flights = list(everything(ask, f"{target.flights}{API}/flights?"))
        gone = sum(CAPACITY - flight["totalSeats"] for flight in flights)
        bookings = [one for one in everything(ask, f"{target.booking}{API}/bookings?") if one["status"] == "Booked"]
        unsent = wait_for_mails(state.mail_path, len(bookings)) if state.mail_path else len(bookings)
        drained = time.monotonic() - ended
    booked = loaded["requests"] - loaded["failed"]
    return Sample(
        rate=booked / (loaded["us"] / 1e6),
        p50_ms=loaded["p50"] / 1e3,
        p95_ms=loaded["p95"] / 1e3,
        failed=loaded["failed"] / max(1, loaded["requests"]),
        defect=gone - sum(one["NoOfSeats"] for one in bookings),
        missing=max(0, accepted - len(bookings)),
        unsent=unsent,
        drain_s=drained,
        cpu_ms={name: (after[name] - before[name]) / max(1, booked) * 1e3 for name in after},
    )


def fill(ask: Callable[..., Any], gateway: str) -> str:
    """Make what the bookings need; gives the script for wrk."""
    account = ask("POST", f"{gateway}/auth{API}/signup", USER)
    token = ask("POST", f"{gateway}/auth{API}/signin", USER)["token"]

    def make(kind: str, **values: object) -> int:
        return int(ask("POST", f"{gateway}/flights{API}/{kind}", values, token)["id"])

    city = make("city", name="Hamburg")
    ham, xfw = (make("airports", name=name, address="Hamburg", cityId=city) for name in ("HAM", "XFW"))
    plane = make("airplane", modelNumber="A320", capacity=CAPACITY)
    times = {"departureTime": "2030-01-01T08:00:00Z", "arrivalTime": "2030-01-01T09:00:00Z"}
    ends = {"departureAirportID": ham, "arrivalAirportId": xfw}
    for number in range(FLIGHTS):
        make("flights", flightNumber=f"AB{number}", airplaneId=plane, price=100, **times, **ends)
    return LUA % (token, account["id"], FLIGHTS)


def load(gateway: str, script: Path, users: int, seconds: float) -> dict[str, Any]:
    """Book for some seconds."""
    arguments = ["wrk", "-t1", f"-c{users}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(script), gateway]
    output = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(output.split("RESULT ")[1])
    return result


def everything(ask: Callable[..., Any], url: str) -> Iterator[dict[str, Any]]:
    """Give all pages of a list."""
    for offset in count(0, PAGE):
        page = ask("GET", f"{url}limit={PAGE}&offset={offset}")
        yield from page
        if len(page) < PAGE:
            return


def settle(ask: Callable[..., Any], url: str) -> None:
    """Wait until no booking is in process: wrk does not wait for what it asked last."""
    until = time.monotonic() + DRAIN_WITHIN_S
    quiet = 0
    while quiet < QUIET_LOOKS and time.monotonic() < until:
        time.sleep(0.2)
        quiet = 0 if ask("GET", url) else quiet + 1


def wait_for_mails(path: Path, wanted: int) -> int:
    """Wait until so many mails were handed over; gives how many are missing when no more come."""
    until = time.monotonic() + DRAIN_WITHIN_S
    while True:
        recipients = path.read_bytes().count(b"\n")
        if recipients >= wanted or time.monotonic() > until:
            return max(0, wanted - recipients)
        time.sleep(0.1)


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Give the CPU time of each part, with its workers."""
    used = {}
    for name, pid in pids.items():
        root = psutil.Process(pid)
        used[name] = sum(sum(member.cpu_times()[:2]) for member in (root, *root.children(recursive=True)))
    return used


def describe(sample: Sample) -> str:
    """Write a sample on one line."""
    parts = " ".join(f"{name} {used:.2f}" for name, used in sample.cpu_ms.items())
    return (
        f"p50 {sample.p50_ms:.0f} ms p95 {sample.p95_ms:.0f} ms failed {sample.failed:.2%} defect {sample.defect} "
        f"missing {sample.missing} unsent {sample.unsent} drained in {sample.drain_s:.1f} s; CPU ms: {parts}"
    )


def print_table(samples: Mapping[str, list[Sample]]) -> None:
    """Print medians, the spread of the rate, and what was lost in all rounds together."""
    print("\n| profile | bookings/s (min–max) | p50 ms | p95 ms | CPU ms/booking | seats wrong | lost | mails lost |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for profile, taken in samples.items():
        rates = [sample.rate for sample in taken]
        p50, p95, cpu = (
            statistics.median(values)
            for values in zip(*((one.p50_ms, one.p95_ms, sum(one.cpu_ms.values())) for one in taken), strict=True)
        )
        defect, missing, unsent = (
            sum(values) for values in zip(*((abs(one.defect), one.missing, one.unsent) for one in taken), strict=True)
        )
        print(
            f"| {profile} | {statistics.median(rates):.0f} ({min(rates):.0f}–{max(rates):.0f}) "
            f"| {p50:.1f} | {p95:.1f} | {cpu:.2f} | {defect} | {missing} | {unsent} |"
        )
    print("\nCPU ms per booking, medians")
    names = list(dict.fromkeys(name for taken in samples.values() for one in taken for name in one.cpu_ms))
    print(f"| profile | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}")
    for profile, taken in samples.items():
        row = [f"{statistics.median(one.cpu_ms.get(name, 0.0) for one in taken):.2f}" for name in names]
        print(f"| {profile} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
