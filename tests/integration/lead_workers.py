"""A run with many load processes against a small server of its own: `python lead_workers.py ORDER`.

ORDER is JSON: where to work, how many workers, the stages. For test_workers.py; a process, so that it can stand in a
network namespace, and can be killed. Prints what happens, and last what came of it, as lines of JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from lab import dataset_file, store
from lab.errors import LabError
from lab.generator import CpuWatch
from lab.load import LoadProcess
from lab.model.crew import Crew
from lab.model.dataset import DataNeeds, Dataset, Flight, Member, SeedPlan
from lab.model.load import Load
from lab.model.run import Machine, Run, Totals
from lab.model.sample import Tally
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.target import Target
from lab.model.threshold import Selector

if TYPE_CHECKING:
    from lab.store import RunFolder

SERVED: Counter[str] = Counter()
BY: defaultdict[str, set[str]] = defaultdict(set)
NUMBERS: defaultdict[str, set[str]] = defaultdict(set)


class Stub(BaseHTTPRequestHandler):
    """Answers at once, and knows who asked for what; `/slow` takes long, `/health` is not counted."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Count and answer."""
        if self.path != "/health":
            SERVED[self.path] += 1
            process = self.headers.get("x-process", "")
            BY[self.path].add(process)
            NUMBERS[self.headers.get("x-number", "")].add(process)
        if self.path == "/slow":
            time.sleep(60)
        body = b'{"success": true, "data": {}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server that says nothing of clients that were killed."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Leave it."""


def tell(**words: Any) -> None:
    """Print a line of JSON."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def prepared(order: dict[str, Any], port: int) -> tuple[RunFolder, Path]:
    """Write the run folder and the dataset."""
    root = Path(order["root"])
    folder = store.create(root / "runs", "workers")
    scenario = Scenario(
        "workers",
        (
            Load(
                "ramping-vus",
                order.get("class", "Looker"),
                tuple(Stage(duration, target) for duration, target in order["stages"]),
                graceful_stop=order.get("grace", 3.0),
                env=(("out", str(root)),),
            ),
        ),
        users_file=str(Path(order["users"]).resolve()),
        data=DataNeeds(1, order.get("members", 40), (1, 100)),
    )
    members = tuple(Member(n, f"{n}@x.test", "password", "token") for n in range(order.get("members", 40)))
    dataset = Dataset("stub", SeedPlan(), (Flight(1, "A1", 50, 1.0),), members)
    dataset_file.save(dataset, root / "dataset.json")
    target = Target(f"http://{order.get('host', '127.0.0.1')}:{port}")
    folder.save(Run(folder.path.name, scenario, target, 1, "", Machine("", "", 1, 1.0, "", ""), {}))
    return folder, root / "dataset.json"


def sockets(pid: int) -> list[str]:
    """List what a process listens on."""
    return [f"{c.laddr.ip}:{c.laddr.port}" for c in psutil.Process(pid).net_connections("inet") if c.status == "LISTEN"]


def main() -> None:
    """Serve, lead, follow, and say what came of it."""
    order = json.loads(sys.argv[1])
    server = Server((order.get("host", "127.0.0.1"), 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder, dataset = prepared(order, server.server_port)
    crew = Crew(**{"port": 0, **order["crew"]})
    tally, cpu, gauges, listens = Tally(), CpuWatch(), [], set()
    try:
        with LoadProcess(folder, dataset, crew) as load:
            tell(pid=load.pid, folder=str(folder.path))
            running = True
            while running:
                running = not load.wait(0.05)
                for words in load.said():
                    tell(said=words)
                    listens.update(sockets(load.pid))
                for tick in load.ticks():
                    tally.add(tick)
                    cpu.add(tick)
                    gauges.append([tick.second, {k.metric: v for k, v in tick.gauges.items() if not k.tags}])
                    tell(second=tick.second)
            end = load.end()
    except LabError as error:
        tell(error=str(error), exit_code=error.exit_code)
        return
    requests = tally.histogram(Selector("http_req_duration"))
    totals = Totals.of(tally)
    tell(
        reason=end.reason,
        detail=end.detail,
        findings=[[found.gate, found.level, found.sentence] for found in end.findings],
        errors=[[found.count, found.message] for found in end.script_errors],
        totals={name: getattr(totals, name) for name in Totals.__slots__},
        served=SERVED.total(),
        shared=sorted(path for path, who in BY.items() if len(who) > 1),
        numbers={number: len(who) for number, who in NUMBERS.items()},
        processes=len({who for found in BY.values() for who in found}),
        bins={str(index): count for index, count in requests.bins.items()},
        percentiles=[requests.percentile(share) for share in (0.5, 0.95, 0.99)],
        gauges=gauges,
        cpu=sorted(cpu.shares),
        listens=sorted(listens),
        ledger=[json.loads(line)[0] for line in folder.ledger.read_text(encoding="utf-8").splitlines()],
    )


if __name__ == "__main__":
    main()
