"""Real load processes whose runs a threshold ends, or that nobody should believe."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from lab import dataset_file
from lab.model.dataset import DataNeeds, Dataset, Flight, Member, SeedPlan
from lab.model.load import Load
from lab.model.run import Status
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.target import Target
from lab.model.threshold import parse_threshold
from lab.model.verdict import Validity
from lab.runner import Interrupts, Plan, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.model.run import Run
    from lab.model.sample import Tally, Tick

LOOKER = """
from locust import task, constant
from lab.engine.client import LabUser

class Looker(LabUser):
    wait_time = constant(0.1)

    @task
    def look(self):
        self.client.get("/flights/api/v1/flights", name="GET /flights")
"""
SPINNER = """
from time import perf_counter

import gevent
from locust import task, constant
from lab.engine.client import LabUser

class Spinner(LabUser):
    wait_time = constant(0.1)

    def on_start(self):
        gevent.spawn(self.spin)

    def spin(self):
        while True:
            end = perf_counter() + 0.05
            while perf_counter() < end:
                pass
            gevent.sleep(0.05)

    @task
    def look(self):
        self.client.get("/flights/api/v1/flights", name="GET /flights")
"""
GOOD = 30


class Tiring(BaseHTTPRequestHandler):
    """Answers at once as often as `GOOD`, and slowly from then on."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.server.served += 1  # type: ignore[attr-defined]
        if self.server.tires and self.server.served > GOOD:  # type: ignore[attr-defined]
            time.sleep(0.4)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(*, tires: bool) -> Iterator[Target]:
    """Have a server that tires, or does not."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiring)
    server.daemon_threads = True
    server.served, server.tires = 0, tires  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Target(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


class Heard:
    """Notes what an observer hears."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, words: str) -> None:
        """Note it."""
        self.stages.append(words)

    def second(self, tally: Tally, tick: Tick | None) -> None:
        """Pass over it."""


def ran(
    root: Path, users: str, scenario: Scenario, *, tires: bool, enough: Callable[[Tick], bool] | None = None
) -> tuple[Run, Tally, list[str]]:
    """Run a scenario to its verdict."""
    file = root / "users.py"
    file.write_text(users, encoding="utf-8")
    data = Dataset("stub", SeedPlan(), (Flight(1, "A1", 50, 1.0),), (Member(1, "u@x.test", "password", "token"),))
    dataset_file.save(data, root / "dataset.json")
    heard = Heard()
    with serving(tires=tires) as target:
        plan = Plan(
            Scenario(
                scenario.name,
                scenario.loads,
                str(file),
                thresholds=scenario.thresholds,
                data=DataNeeds(1, 1, (1, 100)),
                warmup=scenario.warmup,
            ),
            target,
            data,
            root / "dataset.json",
            root / "runs",
            audit=False,
            enough=enough,
        )
        folder, run, tally = execute(plan, heard, Interrupts())
    assert folder.load() == run
    return run, tally, heard.stages


def test_a_threshold_ends_a_run_and_the_last_rate_that_held_is_told(tmp_path: Path) -> None:
    """The server tires: of a minute some seconds pass, and what is judged begins after the warm-up."""
    scenario = Scenario(
        "rising",
        (Load("ramping-arrival-rate", "Looker", (Stage(60, 300),), 10, pre_allocated=5, max_vus=20, graceful_stop=2),),
        thresholds=(parse_threshold("http_req_duration", "p(50)<200", abort=True),),
        warmup=1.0,
    )

    run, tally, stages = ran(tmp_path, LOOKER, scenario, tires=True)

    assert run.status is Status.ABORTED
    assert run.verdict
    assert run.verdict.exit_code in {98, 99}  # 98 where this machine was too busy to measure
    assert run.aborted
    assert run.aborted.threshold == "http_req_duration p(50)<200"
    assert run.totals.seconds < 30
    assert (run.warmup, tally.seconds) == (1, run.totals.seconds - 1)
    assert run.breaking
    assert "nded by a threshold at 0:" in run.verdict.sentence
    assert any("since http_req_duration p(50)<200 was " in words for words in stages)


def test_a_generator_that_spins_is_not_believed(tmp_path: Path) -> None:
    """T13: 50 ms of every 100 ms pass in the generator itself; answers lie waiting, and the probe sees it."""
    scenario = Scenario("spinning", (Load("constant-vus", "Spinner", (Stage(2, 1),), 1, graceful_stop=1.0),))

    run, _, _ = ran(tmp_path, SPINNER, scenario, tires=False)

    assert run.verdict
    assert (run.verdict.validity, run.verdict.exit_code) == (Validity.INVALID, 98)
    (late,) = [found for found in run.verdict.findings if found.gate == "scheduling delay"]
    assert late.level is Validity.INVALID, late


def test_a_load_that_has_shown_enough_ends_early_and_has_finished(tmp_path: Path) -> None:
    """Of an hour some seconds pass; nobody stopped it, and no threshold was missed."""
    scenario = Scenario("long", (Load("constant-vus", "Looker", (Stage(3600, 2),), 2, graceful_stop=2),))

    run, tally, stages = ran(tmp_path, LOOKER, scenario, tires=False, enough=lambda tick: tick.second >= 1)

    assert run.status is Status.FINISHED
    assert any("it has shown enough" in words for words in stages)
    assert 2 <= tally.seconds < 600
    assert run.aborted is None
