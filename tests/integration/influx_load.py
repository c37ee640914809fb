"""A short real load against a small server, for the tests of what becomes of its metrics."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from lab import dataset_file
from lab.model.dataset import DataNeeds, Dataset, Flight, Member, SeedPlan
from lab.model.load import Load
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.target import Target
from lab.model.threshold import parse_threshold
from lab.runner import Interrupts, Plan, execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.model.run import Run
    from lab.model.sample import Tally, Tick
    from lab.sinks.config import Sink
    from lab.store import RunFolder

USERS = """
from locust import constant, task
from lab.engine.client import LabUser

class Looker(LabUser):
    wait_time = constant(0.02)

    @task(3)
    def look(self):
        response = self.client.get("/look", name="/look", context={"operation": "look"})
        self.check(response, {"is 200": lambda r: r.status_code == 200})

    @task
    def miss(self):
        self.client.get("/missing", name="/missing", context={"operation": "miss"})
"""


class Stub(BaseHTTPRequestHandler):
    """Answers at once: 404 for /missing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Count and answer."""
        self.server.served.append(self.path)  # type: ignore[attr-defined]
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Heard:
    """An observer that keeps what is said."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def stage(self, words: str) -> None:
        """Keep it."""
        self.words.append(words)

    def second(self, tally: Tally, tick: Tick | None) -> None:
        """See nothing."""


@contextmanager
def stub() -> Iterator[tuple[Target, list[str]]]:
    """Serve; gives the target and the paths that were asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.served = []  # type: ignore[attr-defined]
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Target(f"http://127.0.0.1:{server.server_port}"), server.served  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def load(
    root: Path, target: Target, sink: Sink | None, processes: dict[str, int] | None = None
) -> tuple[RunFolder, Run, Heard]:
    """Run five users for four seconds."""
    users = root / "users.py"
    users.write_text(USERS, encoding="utf-8")
    scenario = Scenario(
        "short",
        (Load("ramping-vus", "Looker", (Stage(1, 5), Stage(3, 5)), graceful_stop=2.0),),
        users_file=str(users),
        data=DataNeeds(1, 1, (1, 100)),
        thresholds=(parse_threshold("http_req_failed", "rate<0.01"),),
    )
    data = Dataset("stub", SeedPlan(), (Flight(1, "A1", 50, 1.0),), (Member(1, "u@x.test", "password", "token"),))
    dataset_file.save(data, root / "dataset.json")
    heard = Heard()
    plan = Plan(
        scenario, target, data, root / "dataset.json", root / "runs",
        label="a label, with = and blanks", audit=False, sink=sink, processes=processes or {},
    )  # fmt: skip
    folder, run, _ = execute(plan, heard, Interrupts())
    return folder, run, heard
