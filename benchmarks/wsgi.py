"""Which WSGI server? The real booking call on the whole platform, under each server in turn.

Usage: python benchmarks/wsgi.py [--rounds 5] [--seconds 4] [--users 32]

Every round starts the platform (safe, embedded backend) under each server, in alternating order, books through
the gateway with wrk over kept-alive connections, and stops it again. Printed are medians and the spread over the
rounds: bookings a second, latency, CPU time of the services per booking, and how long SIGTERM takes.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import urllib3
from aiosmtpd.controller import Controller

from benchmarks.parts.booking_lua import LUA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("auth", "flights", "booking", "reminder", "gateway")
GUNICORN = {"gunicorn gthread": "gthread", "gunicorn gevent": "gevent"}
SERVERS = ("granian", *GUNICORN)
FLIGHTS, CAPACITY = 50, 1_000_000
START_WITHIN_S = 15.0
USER = {"email": "bench@airbourne.test", "password": "benchmark"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server: bookings a second, latencies and CPU per booking in ms, stop in s."""

    rate: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    stop_s: float


class Sink:
    """A mail server that takes everything."""

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - the name that aiosmtpd calls
        """Take a mail."""
        await asyncio.sleep(0)
        return "250 OK"


def free_port() -> int:
    """Give a port that nobody has at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(server: str, service: str) -> list[str]:
    """Give the command that runs a service under a server."""
    if server in GUNICORN:
        return [sys.executable, str(Path(__file__).resolve()), "--under", GUNICORN[server], service]
    return [sys.executable, "-m", "reference_services.serve", service]


def run_under_gunicorn(worker_class: str, service: str) -> None:
    """Be a service under gunicorn, set up as the winner is: one worker, as many threads, the same keep-alive."""
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # noqa: PLC0415 - only this mode needs it

    from reference_services.common.composition import read_config  # noqa: PLC0415 - as above

    config = read_config(service, os.environ)
    common = config.common
    options = {
        "bind": f"{common.host}:{common.port}",
        "worker_class": worker_class,
        "workers": 1,
        "threads": common.threads,
        "worker_connections": 1000,
        "keepalive": 120,
        "graceful_timeout": 2,
        "loglevel": "error",
        "control_socket_disable": True,
    }

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            from reference_services.common.app import background_of  # noqa: PLC0415 - in the worker, once gevent has patched
            from reference_services.common.composition import make_app  # noqa: PLC0415 - as above

            app = make_app(service, config)
            background_of(app).start()
            return app

    Server().run()


@contextmanager
def platform(server: str) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Run the whole platform under a server; gives the gateway's URL and the processes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {service: free_port() for service in SERVICES}
        sink = Controller(Sink(), hostname="127.0.0.1", port=free_port())
        sink.start()
        stack.callback(sink.stop)
        key = folder / "key"
        key.write_text(secrets.token_hex(32), encoding="ascii")
        env = {
            **os.environ,
            **{f"{service.upper()}_URL": f"http://127.0.0.1:{port}" for service, port in ports.items()},
            "PYTHONPATH": str(ROOT),
            "JWT_SECRET_FILE": str(key),
            "BUS_URL": f"queue://{folder}/bus",
            "SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
        }
        processes = []
        for service in SERVICES:
            own = {"PORT": str(ports[service]), "DATABASE_URL": f"sqlite:///{folder}/{service}.db"}
            process = subprocess.Popen(
                command(server, service), env={**env, **own}, cwd=ROOT, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            processes.append(process)
        gateway = f"http://127.0.0.1:{ports['gateway']}"
        wait_until_ready(gateway)
        yield gateway, processes


def wait_until_ready(gateway: str) -> None:
    """Wait until the gateway, and so everything behind it, is ready."""
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        try:
            if urllib3.request("GET", f"{gateway}/health", retries=False, timeout=2).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"the platform was not ready within {START_WITHIN_S:g} s")


def fill(gateway: str) -> str:
    """Make what the bookings need; gives the script for wrk."""

    def call(path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        reply = urllib3.request("POST", gateway + path, json=body, headers={"x-access-token": token})
        if reply.status >= 400:
            raise SystemExit(f"{path}: {reply.status} {reply.data.decode()}")
        data: dict[str, Any] = reply.json()["data"]
        return data

    call("/auth/api/v1/signup", USER)
    account = call("/auth/api/v1/signin", USER)
    token, api = account["token"], "/flights/api/v1"
    city = call(f"{api}/city", {"name": "Hamburg"}, token)["id"]
    ham, xfw = (
        call(f"{api}/airports", {"name": name, "address": "Hamburg", "cityId": city}, token)["id"]
        for name in ("HAM", "XFW")
    )
    plane = call(f"{api}/airplane", {"modelNumber": "A320", "capacity": CAPACITY}, token)["id"]
    times = {"departureTime": "2030-01-01T08:00:00Z", "arrivalTime": "2030-01-01T09:00:00Z"}
    ends = {"departureAirportID": ham, "arrivalAirportId": xfw}
    for number in range(FLIGHTS):
        flight = {"flightNumber": f"AB{number}", "airplaneId": plane, "price": 100, **times, **ends}
        call(f"{api}/flights", flight, token)
    return LUA % (token, account["id"], FLIGHTS)


def cpu_seconds(processes: list[subprocess.Popen[bytes]]) -> float:
    """Sum the CPU time of the services, with their workers."""
    trees = [psutil.Process(process.pid) for process in processes]
    everyone = [member for tree in trees for member in (tree, *tree.children(recursive=True))]
    return sum(sum(member.cpu_times()[:2]) for member in everyone)


def load(gateway: str, script: Path, users: int, seconds: float) -> dict[str, Any]:
    """Book for some seconds."""
    arguments = ["wrk", "-t1", f"-c{users}", f"-d{seconds:g}s", "-s", str(script), gateway]
    output = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    result: dict[str, Any] = json.loads(output.split("RESULT ")[1])
    if result["failed"]:
        raise SystemExit(f"{result['failed']} of {result['requests']} bookings failed")
    return result


def measure(server: str, users: int, seconds: float) -> Sample:
    """Run one round of one server."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "book.lua")
        with platform(server) as (gateway, processes):
            script.write_text(fill(gateway), encoding="ascii")
            load(gateway, script, users, 1)
            before = cpu_seconds(processes)
            result = load(gateway, script, users, seconds)
            cpu = cpu_seconds(processes) - before
            stopped = time.monotonic()
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
            stop_s = time.monotonic() - stopped
    booked = result["requests"]
    rate = booked / (result["us"] / 1e6)
    return Sample(rate, result["p50"] / 1e3, result["p95"] / 1e3, cpu / booked * 1e3, stop_s)


def main() -> None:
    """Measure every server and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--users", type=int, default=32)
    parser.add_argument("--under", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.under:
        run_under_gunicorn(*options.under)
        return
    samples: dict[str, list[Sample]] = {server: [] for server in SERVERS}
    for number in range(options.rounds):
        for server in SERVERS if number % 2 == 0 else reversed(SERVERS):
            try:
                sample = measure(server, options.users, options.seconds)
            except TimeoutError as slow:  # a port that was free a moment ago, mostly
                print(f"round {number + 1} {server}: {slow}", flush=True)
                continue
            samples[server].append(sample)
            print(f"round {number + 1} {server:17} {sample.rate:6.0f}/s  {sample.cpu_ms:.2f} ms CPU", flush=True)
    print_table(samples)


def print_table(samples: dict[str, list[Sample]]) -> None:
    """Print medians, the spread of the rate, and ratios to the first server."""
    print(f"\n| {'server':16} | bookings/s (min–max) | ratio | p50 ms | p95 ms | CPU ms/booking | stop s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")

    def median(server: str, name: str) -> float:
        return float(statistics.median(getattr(sample, name) for sample in samples[server]))

    first = median(SERVERS[0], "rate")
    for server, taken in samples.items():
        rates = [sample.rate for sample in taken]
        rate = median(server, "rate")
        print(
            f"| {server:16} | {rate:.0f} ({min(rates):.0f}–{max(rates):.0f}) | {rate / first:.2f} "
            f"| {median(server, 'p50_ms'):.1f} | {median(server, 'p95_ms'):.1f} "
            f"| {median(server, 'cpu_ms'):.2f} | {median(server, 'stop_s'):.2f} |"
        )


if __name__ == "__main__":
    main()
