"""One user's session against a small server, for test_client.py; prints what the recorder counted, as JSON.

Run as a script, since importing Locust patches the whole interpreter.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import contextlib
import itertools
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pywsgi import WSGIServer
from locust.exception import ResponseError

from lab.engine.client import Data, LabContext, LabUser, operation
from lab.engine.ledger import Ledger
from lab.engine.listen import request_listener
from lab.engine.recorder import Recorder
from lab.engine.userfile import load_user_classes
from lab.errors import LabError
from lab.model.dataset import Dataset, Member, SeedPlan
from lab.model.run import Totals
from lab.model.sample import SeriesKey, Tally
from lab.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable


class Somebody(LabUser):
    """A user whose methods are called by hand."""

    host = "http://127.0.0.1"


def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI's
    """Answer 200, 503 on /busy, and not for a while on /slow."""
    if environ["PATH_INFO"] == "/slow":
        gevent.sleep(5)
    start("503 Busy" if environ["PATH_INFO"] == "/busy" else "200 OK", [("Content-Type", "application/json")])
    return [b'{"message": "seat 12 is taken", "data": {"id": 7}}']


def use(user: Somebody, base: str) -> None:
    """Send eight requests: three answered well, four failed, one given up."""
    get = user.client.get
    with user.group("find"):
        get(f"{base}/ok", name="/ok", context=operation("search", tier=1))
        user.count("finds", 2)
    get(f"{base}/busy", name="/busy")
    get("http://127.0.0.1:1/", name="/nobody")
    with get(f"{base}/ok", name="/ok", catch_response=True) as response:
        user.check(response, {"right": lambda r: r.status_code == 200, "raises": lambda _: 1 / 0}, "search")
    with get(f"{base}/ok", name="/ok", catch_response=True) as response:
        response.failure("seat 3 is not what I asked for")
    for error in (KeyError("mine"), ResponseError("theirs")):
        with contextlib.suppress(KeyError), get(f"{base}/ok", name="/raise", catch_response=True):
            raise error
    stopped = gevent.spawn(get, f"{base}/slow", name="/slow")
    gevent.sleep(0.2)
    stopped.kill()


def count() -> dict[str, Any]:
    """Let a user send its requests and sum what was recorded."""
    recorder = Recorder(time.perf_counter)
    environment = Environment(user_classes=[Somebody])
    members = (Member(1, "a", "p"), Member(2, "b", "p"))
    environment.lab = LabContext(  # type: ignore[attr-defined]  # as the worker does
        Target("http://127.0.0.1"),
        Data(Dataset("http://127.0.0.1", SeedPlan(), users=members)),
        Ledger(sys.stderr),
        recorder,
        1,
        itertools.count(),
    )
    environment.events.request.add_listener(request_listener(recorder, counts_sent=True))
    server = WSGIServer(("127.0.0.1", 0), serve, log=None)
    server.start()
    first, second = Somebody(environment), Somebody(environment)
    use(first, f"http://127.0.0.1:{server.server_port}")
    tally = Tally()
    for tick in recorder.close({"unfinished": float(recorder.unfinished)}, everything=True):
        tally.add(tick)
    server.stop(timeout=0)
    totals = Totals.of(tally)
    return {
        "totals": [totals.sent, totals.ok, totals.failed, totals.unfinished],
        "in_flight": recorder.in_flight,
        "checks": [totals.checks_passed, totals.checks_failed],
        "reasons": sorted(
            f"{dict(key.tags)['name']}: {dict(key.tags)['reason']} x{number}"
            for key, number in tally.counters.items()
            if key.metric == "failures"
        ),
        "operations": sorted(
            {dict(key.tags)["operation"] for key in tally.trends if key.metric == "http_req_duration"}
        ),
        "tagged": [dict(key.tags) for key in tally.trends if "tier" in dict(key.tags)],
        "groups": [dict(key.tags) for key in tally.trends if key.metric == "group_duration"],
        "finds": [[dict(key.tags), number] for key, number in tally.counters.items() if key.metric == "finds"],
        "received": tally.counters[SeriesKey("data_received")],
        "members": [first.data.next_member().email for _ in range(3)],
        "numbers": [first.number, second.number],
        "draws": [first.rng.random() == Somebody(environment).rng.random(), first.rng.random() != second.rng.random()],
    }


def load(path: str, name: str) -> dict[str, Any]:
    """Load a user class; give its name, or the error."""
    try:
        return {"class": load_user_classes(Path(path), [name])[name].__name__}
    except LabError as error:
        return {"error": str(error), "exit_code": error.exit_code}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(count() if len(sys.argv) == 1 else load(sys.argv[1], sys.argv[2])))
