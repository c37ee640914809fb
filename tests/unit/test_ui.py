"""The web page's process and its parent: orders out, news in, exact figures, and who may look."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import urllib3

from lab import store
from lab.errors import ConfigError, RunError, StoppedError
from lab.model.histogram import Histogram
from lab.model.run import Status
from lab.model.sample import FAIL, OK, Tally
from lab.model.threshold import Selector
from lab.runner import Interrupts
from lab.ui import PASSWORD_VARIABLE, Door, Order, Page, door, serve
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.store import RunFolder

PASSWORD = "a long password"
TARGET = "http://127.0.0.1:1"
SECONDS = 40
ALL = Selector("http_req_duration")


class Visitor:
    """Asks a page, as a browser would or as none would."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = urllib3.PoolManager(retries=False)
        self.cookie = ""

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        """Read a path."""
        return self._ask("GET", path)

    def post(self, path: str, **fields: str) -> Any:  # noqa: ANN401 - JSON of any kind
        """Send a form, and read the JSON of the answer."""
        return self._ask("POST", path, **fields).json()

    def sign_in(self, password: str) -> str:
        """Send the password; gives where the answer leads."""
        answer = self._ask("POST", "/lab/login", password=password)
        self.cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        return str(answer.headers["Location"])

    def until(self, path: str, holds: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON of any kind
        """Read JSON until it is as wanted."""
        for _ in range(400):
            found = self.get(path).json()
            if holds(found):
                return found
            pause()
        raise AssertionError(found)

    def _ask(self, method: str, path: str, **fields: str) -> urllib3.BaseHTTPResponse:
        return self._pool.request(
            method,
            self.url + path,
            body=urlencode(fields) if fields else None,
            headers={
                "Cookie": self.cookie,
                "Origin": self.url,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            redirect=False,
        )


def pause() -> None:
    """Wait a little for the page to read on."""
    time.sleep(0.05)


@contextmanager
def page_of(where: Door) -> Iterator[tuple[Page, Visitor]]:
    """Open a page that is ready for orders."""
    with Page(where, ["smoke", "load"], Order("load", "mine", 0.5)) as page:
        page.tell(ready={"target": TARGET})
        visitor = Visitor(page.url)
        yield page, visitor


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Page, Visitor]]:
    """A page without a login."""
    with page_of(Door(port=0)) as found:
        found[1].until("/lab/live", lambda live: live["ready"])
        yield found


@pytest.fixture
def opened(shared: tuple[Page, Visitor]) -> Iterator[tuple[Page, Visitor]]:
    """The page, on which nothing goes on before or after a test."""
    yield shared
    shared[0].over()
    shared[0].tell(doing="cleared")
    shared[1].until("/lab/live", lambda live: live["doing"] == "cleared")


def live_folder(path: Path) -> RunFolder:
    """Write a run that goes on: its `run.json` and its log so far."""
    seconds = synthetic.ticks(SECONDS)
    folder = store.create(path, "ramp")
    folder.save(replace(synthetic.run(verdict=None), status=Status.RUNNING, id=folder.path.name))
    folder.ticks.write_text("".join(f"{tick.to_json()}\n" for tick in seconds) + '{"second": 40, "tre')
    folder.ledger.write_text(
        "".join(
            json.dumps(row) + "\n"
            for row in (
                ["tried", 1, 1, "a@b", 2, None, None, "k1"],
                ["tried", 1, 1, "a@b", 3, None, None, "k2"],
                ["accepted", 1, 1, "a@b", 2, 7, 10.0, "k1"],
            )
        )
    )
    return folder


@pytest.mark.parametrize(
    ("host", "port", "login", "environ", "words"),
    [
        ("0.0.0.0", 8089, False, {}, "--ui-login"),  # noqa: S104 - refused
        ("192.168.1.5", 8089, False, {PASSWORD_VARIABLE: PASSWORD}, "--ui-login"),
        ("127.0.0.1", 8089, True, {}, PASSWORD_VARIABLE),
        ("127.0.0.1", 8089, True, {PASSWORD_VARIABLE: "short"}, "at least 8"),
        ("127.0.0.1", 70_000, False, {}, "--port 70000"),
    ],
)
def test_an_open_door_is_refused_with_the_remedy(
    host: str,
    port: int,
    login: bool,  # noqa: FBT001 - a case
    environ: dict[str, str],
    words: str,
) -> None:
    """Beyond loopback only with a login, a login only with a password, and no such port."""
    with pytest.raises(ConfigError, match=words):
        door(host, port, login=login, environ=environ)


def test_a_door_with_a_password_may_be_anywhere() -> None:
    """With a login the page may listen beyond this machine."""
    assert door("10.0.0.1", 1, login=True, environ={PASSWORD_VARIABLE: PASSWORD}) == Door("10.0.0.1", 1, login=True)


def test_a_taken_port_is_said_with_the_remedy() -> None:
    """One sentence, which names the port and the option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"^port {port} of 127.0.0.1 is taken: choose another with --port"):
            Page(Door(port=port), ["smoke"], Order("smoke"))


def test_an_order_is_passed_on_once(opened: tuple[Page, Visitor]) -> None:
    """Start gives the scenario, the label and the scale; what cannot be is refused, and so is a second one."""
    page, visitor = opened
    assert not visitor.post("/swarm", scenario="nonsense", host=TARGET)["success"]
    assert not visitor.post("/swarm", scenario="load", host="http://elsewhere")["success"]
    assert "Time scale" in visitor.post("/swarm", scenario="load", time_scale="nan", host=TARGET)["message"]
    assert visitor.post("/swarm", scenario="load", label=" x ", time_scale="0.5", host=TARGET)["success"]
    assert page.order(Interrupts()) == Order("load", "x", 0.5)
    assert "going on" in visitor.post("/swarm", scenario="load", host=TARGET)["message"]
    assert visitor.get("/lab/live").json()["state"] == "preparing"
    assert "not begun" in visitor.post("/swarm", user_count="3")["message"]
    page.over(RunError("there are no seats"))
    live = visitor.until("/lab/live", lambda live: live["state"] == "idle")
    assert live["error"] == "there are no seats"


def test_stop_and_edit_reach_the_run(opened: tuple[Page, Visitor], tmp_path: Path) -> None:
    """Edit is a number for the load, Stop what Ctrl-C is; both only while there is a run."""
    page, visitor = opened
    visitor.post("/stop")
    interrupts = Interrupts()
    page.tell(starting="ramp")
    watched = page.watching(Nobody(), interrupts)
    page.begun(live_folder(tmp_path))
    visitor.until("/lab/live", lambda live: live.get("run", {}).get("seconds") == SECONDS)
    assert visitor.post("/swarm", user_count="41", spawn_rate="1")["success"]
    assert not visitor.post("/swarm", user_count="1.5", spawn_rate="1")["success"]
    visitor.post("/stop")
    visitor.until("/lab/live", lambda _: interrupts.count == 1)
    assert page.edits() == [41]
    assert page.edits() == []
    watched.stage("Auditing")
    visitor.until("/lab/live", lambda live: live["doing"] == "Auditing")


def test_stop_before_the_load_began_is_kept(opened: tuple[Page, Visitor]) -> None:
    """A run that was stopped while it was prepared does not begin."""
    page, visitor = opened
    visitor.post("/swarm", scenario="load", host=TARGET)
    visitor.post("/stop")
    page.order(Interrupts())

    def begin() -> None:
        for _ in range(400):
            page.watching(Nobody(), Interrupts())
            pause()

    with pytest.raises(StoppedError):
        begin()


def test_a_stop_that_came_too_late_stops_no_other_run(opened: tuple[Page, Visitor]) -> None:
    """It was pressed before the page had heard that its run was over."""
    page, visitor = opened
    page._stop()  # noqa: SLF001 - the page says it in the instant before it hears
    visitor.post("/swarm", scenario="load", host=TARGET)
    page.order(Interrupts())

    page.watching(Nobody(), Interrupts())


def test_both_pages_show_exact_figures(opened: tuple[Page, Visitor], tmp_path: Path) -> None:
    """Locust's table and the Lab page have the percentiles of the merged histograms, and half a line is awaited."""
    page, visitor = opened
    whole = Tally()
    for tick in synthetic.ticks(SECONDS):
        whole.add(tick)
    page.tell(starting="ramp")
    page.begun(live_folder(tmp_path))
    live = visitor.until("/lab/live", lambda live: live.get("run", {}).get("seconds") == SECONDS)
    ok, failed = whole.histogram(ALL, OK), whole.requests(ALL, FAIL)
    row = live["operations"][0]
    assert (row["requests"], row["failed"]) == (ok.count + failed, failed)
    assert row["percentiles"][1] == pytest.approx((ok.percentile_with_failures(0.95, failed) or 0) / 1000)
    assert (live["integrity"]["accepted"], live["integrity"]["seats"], live["integrity"]["open"]) == (1, 2, 1)
    assert {one["outcome"] for one in live["thresholds"]} <= {"PASS", "FAIL", "NO DATA"}
    stats = visitor.until("/stats/requests", lambda found: found["stats"][-1]["num_requests"])
    both = Histogram.merged([ok, whole.histogram(ALL, FAIL)])
    total = stats["stats"][-1]
    assert (total["num_requests"], total["num_failures"]) == (both.count, failed)
    assert total["response_time_percentile_0.95"] == pytest.approx((both.percentile(0.95) or 0) / 1000)
    assert (stats["state"], stats["user_count"], stats["workers"][0]["id"]) == (
        "running", round(whole.gauge(Selector("vus")) or 0), "load process",
    )  # fmt: skip
    assert {row["operation"] for row in stats["extended_stats"][0]["data"]} >= {"all", "booking"}


def test_only_who_signed_in_sees_or_does_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every path but the form and its parts leads to the form; the password opens, a wrong one does not."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with page_of(Door(port=0, login=True)) as (_, visitor):
        paths = "/ /lab/ /lab/live /lab/report /stats/requests /exceptions /tasks /logs /worker-count /stats/report"
        for path in [*paths.split(), "/stats/requests/csv", "/nothing"]:
            answer = visitor.get(path)
            assert (answer.status, "/login" in answer.headers.get("Location", "")) == (302, True), path
        assert visitor.get("/login").status == 200
        assert visitor.sign_in("not the password") == "/login"
        assert visitor.get("/lab/live").status == 302
        assert visitor.sign_in(PASSWORD) == "/"
        assert visitor.get("/lab/live").status == 200
        assert visitor.get("/").status == 200


def test_another_site_cannot_start_a_run(opened: tuple[Page, Visitor]) -> None:
    """The guard stands before the real page, and Locust's own leave to all sites does not pass it."""
    page, visitor = opened
    answer = urllib3.request("POST", f"{page.url}/swarm", fields={"scenario": "load"}, headers={"Origin": "http://x"})
    assert answer.status == 403
    assert "Access-Control-Allow-Origin" not in visitor.get("/lab/live").headers


def test_a_run_that_starts_at_once_says_where_its_page_is() -> None:
    """Before it begins, since nobody could watch it otherwise."""
    said: list[str] = []

    def run(_: Order) -> int:
        page.close()
        said.append("run")
        return 0

    with page_of(Door(port=0)) as (page, _), pytest.raises(RunError, match="web page"):
        serve(page, run, said.append, Order("load"))
    assert said[:2] == [f"Watch it at {page.url}. Ctrl-C stops the run.", "run"]


def test_a_page_that_is_gone_ends_the_session() -> None:
    """Without its process there is nobody to give orders, which is said."""
    with page_of(Door(port=0)) as (page, _):
        page.close()
    with pytest.raises(RunError, match="web page"):
        serve(page, lambda _: 0, lambda _: None)


class Nobody:
    """Watches nothing."""

    def stage(self, words: str) -> None:
        """Hear nothing."""

    def second(self, tally: object, tick: object) -> None:
        """See nothing."""
