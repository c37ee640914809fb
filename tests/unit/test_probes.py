"""What is measured beside the load: processes with their children, and queues as services tell of them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from lab.asked import DOOR, Asked
from lab.model.sample import SeriesKey
from lab.model.target import Target
from lab.probes import Families, Probes
from tests.processes import PATIENCE, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMORY = SeriesKey("memory", (("process", "part"),))
CPU = SeriesKey("cpu", (("process", "part"),))
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
CHILD = "import os\nbig = b'x' * 60_000_000\nprint('ready', flush=True)\nwhile os.getppid() != 1: len(big)"


@contextmanager
def answering(body: bytes, more: Mapping[str, int] | None = None) -> Iterator[Target]:
    """Serve a body at `/figures`, or more to who asks for that; gives a target whose services all are this server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            told = json.dumps({"data": more}).encode() if more and query == "server=on" else bytes(body)
            self.send_response(200 if path == "/figures" else 404)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Target("http://127.0.0.1:1", url, url, url, url)
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def family() -> Iterator[int]:
    """Give the pid of a process that waits for its child, which is large and busy."""
    process = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def test_children_count_with_their_parent(family: int) -> None:
    """The CPU and the memory of a part are those of all its processes; the first look has no CPU yet."""
    families = Families({"part": family})
    first = families.measure()
    assert CPU not in first
    assert first[MEMORY] > 60_000_000
    found: list[float] = []
    wait_until(lambda: bool(found.append(families.measure()[CPU]) or found[-1] > 0))  # type: ignore[func-returns-value]


def test_a_part_that_is_gone_has_no_figures() -> None:
    """A process that does not exist is left out; nothing is raised."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    families = Families({"part": process.pid})
    assert families.measure() == {}


def test_depths_are_what_the_services_say() -> None:
    """The queue's and the outbox's depth are read from `/figures`."""
    body = json.dumps({"data": {"queueDepth": 7, "outboxDepth": 2}}).encode()
    with answering(body) as target:
        assert Asked(target, PATIENCE).ask() == {
            SeriesKey("queue_depth", (("queue", "notifications"),)): 7.0,
            SeriesKey("queue_depth", (("queue", "outbox"),)): 2.0,
        }


def test_one_of_the_services_that_share_a_server_is_asked_about_it() -> None:
    """Threads and connections are each service's; what a database server counts is kept as what came since."""
    own = {"threadsBusy": 3, "poolInUse": 2, "poolWaiting": 1, "queueAgeMs": 1500, "dbServer": 7}
    more = own | {"dbThreadsRunning": 4, "dbRowLockWaits": 100, "dbSlowQueries": 2}
    with answering(json.dumps({"data": own}).encode(), more) as target:
        asked = Asked(target, PATIENCE)
        first, second = asked.ask(), asked.ask()
        more |= {"dbRowLockWaits": 130, "dbSlowQueries": 1}
        third = asked.ask()
    asked.close()
    for service in ("booking", "flights", "auth", "reminder"):
        for metric, value in (("threads_busy", 3.0), ("pool_in_use", 2.0), ("pool_waiting", 1.0)):
            assert third[SeriesKey(metric, (("service", service),))] == value
    assert third[SeriesKey("queue_age", (("queue", "notifications"),))] == 1.5
    assert [sorted(key.metric for key in found if key.metric.startswith("db_")) for found in (first, second)] == [
        [],
        ["db_threads_running"],
    ]
    assert {key: value for key, value in third.items() if key.metric.startswith("db_")} == {
        SeriesKey("db_threads_running", (("service", "booking"),)): 4.0,
        SeriesKey("db_row_lock_waits", (("service", "booking"),)): 30.0,
        SeriesKey("db_slow_queries", (("service", "booking"),)): 1.0,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"data": {"dbServer": [7], "dbThreadsRunning": null}}',
        b"{}",
        b"<html>",
        b'{"data": null}',
        b'{"data": {"queueDepth": "7"}}',
        b'{"data": {"queueDepth": true}}',
        b'{"data": {"queueDepth": NaN}}',
        b'{"data": {"queueDepth": 1e999}}',
        b'{"data": {"queueDepth": 1' + b"0" * 400 + b"}}",
    ],
)
def test_a_service_that_tells_nothing_gives_no_figure(body: bytes) -> None:
    """What is no number is no depth."""
    with answering(body) as target:
        assert Asked(target, PATIENCE).ask() == {}


def test_nothing_is_asked_through_the_gateway() -> None:
    """What only the gateway leads to is left alone: the gateway is under load."""
    with answering(b'{"data": {"queueDepth": 7}}') as target:
        assert Asked(Target(target.reminder), PATIENCE).ask() == {}


def test_who_has_a_door_for_figures_is_asked_there() -> None:
    """From the second question on, and for as long as somebody tells figures there; then at the old place again."""
    depth = SeriesKey("queue_depth", (("queue", "notifications"),))
    with ExitStack() as door:
        told = door.enter_context(answering(b'{"data": {"queueDepth": 2}}'))
        port = int(told.reminder.rpartition(":")[2])
        with answering(json.dumps({"data": {"queueDepth": 1, DOOR: port}}).encode()) as target:
            asked = Asked(target, PATIENCE)
            assert [asked.ask()[depth] for _ in range(3)] == [1, 2, 2]
            door.close()
            assert asked.ask()[depth] == 1
    asked.close()


@pytest.mark.parametrize("port", [0, -1, 1 << 16, "80", True, None, [80], 1.5])
def test_what_is_no_port_is_no_door(port: object) -> None:
    """A target's word is somebody else's: nothing is asked at a place that cannot be."""
    depth = SeriesKey("queue_depth", (("queue", "notifications"),))
    with answering(json.dumps({"data": {"queueDepth": 1, DOOR: port}}).encode()) as target:
        asked = Asked(target, PATIENCE)
        assert [asked.ask()[depth] for _ in range(2)] == [1, 1]
    asked.close()


def test_a_service_that_never_answers_is_given_up() -> None:
    """A socket that takes connections and says nothing costs its time-out, and gives nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert Asked(Target("http://127.0.0.1:1", url, url, url, url)).ask() == {}


def test_what_was_measured_is_given_once(family: int) -> None:
    """Each figure is given to the first who asks after it was measured."""
    with Probes({"part": family}) as probes:
        found: dict[SeriesKey, float] = {}
        wait_until(lambda: bool(found.update(probes.take()) or found.keys() >= {CPU, MEMORY}))
    probes.take()
    assert probes.take() == {}
