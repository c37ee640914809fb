"""Metrics on their way to a server: a real one, one that comes and goes, and ones that do not take them."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lab import samples_file, settings, store
from lab.errors import ConfigError, RunError
from lab.model.histogram import Histogram, bin_of
from lab.model.run import Status
from lab.model.sample import SERVICE, Tick, TrendKey
from lab.sinks import points, spool
from lab.sinks.config import InfluxConfig
from lab.sinks.influx import InfluxSink
from lab.sinks.server import NotWrittenError, Server
from tests import synthetic
from tests.integration.influx_load import load, stub
from tests.integration.services.mailhost import Certificate, make_certificate
from tests.processes import wait_until
from tests.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lab.model.run import Run, SinkSummary
    from lab.store import RunFolder

TOKEN = "mYsEcReT-tOkEn-0123456789=="
Sent = tuple[tuple[tuple[str, str], ...], int]


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """Give a server that takes points."""
    with VictoriaMetrics(tmp_path) as server:
        yield server


def config(url: str) -> InfluxConfig:
    """Write a configuration down."""
    return InfluxConfig(url, TOKEN, "an org", "a bucket")


def recorded(folder: RunFolder, begin: int) -> dict[tuple[str, str, int], Histogram]:
    """Read the requests' histograms out of the run folder: by operation, outcome and time in ms."""
    found: dict[tuple[str, str, int], Histogram] = {}
    for row in samples_file.read(folder)[0].to_pylist():
        if row["metric"] == "http_req_duration" and row["clock"] == SERVICE:
            operation = re.findall(r'"operation": "([^"]*)"', row["tags"])[0]
            place = operation, row["outcome"], begin // 1_000_000 + row["second"] * 1000
            found.setdefault(place, Histogram()).bins[row["bin"]] += row["count"]
    return found


def arrived(server: VictoriaMetrics, field: str) -> dict[tuple[str, str, int], float]:
    """Read the same out of the server."""
    found = {}
    for (tags, at), value in server.points(f"http_req_duration_{field}").items():
        named = dict(tags)
        found[named["operation"], named["outcome"], at] = value
    return found


def same_as_recorded(server: VictoriaMetrics, folder: RunFolder, run: Run) -> None:
    """Hold every count and every p95 in the server against the run folder: nothing missing, nothing else."""
    expected = recorded(folder, points.begin_ns(run))
    assert expected
    assert arrived(server, "count") == {place: histogram.count for place, histogram in expected.items()}
    assert arrived(server, "p95") == {place: (h.percentile(0.95) or 0) / 1000 for place, h in expected.items()}


def test_a_run_arrives_while_it_goes_on(tmp_path: Path, victoria: VictoriaMetrics) -> None:
    """Every second's count and p95 of a real load are in the server as in the run folder, exactly, and its gauges."""
    with stub() as (target, served):
        folder, run, heard = load(tmp_path, target, InfluxSink(config(victoria.url)), {"stub": os.getpid()})
    assert run.sink is not None
    assert (run.sink.spooled, run.sink.error) == (0, "")
    assert not folder.spool.exists()
    assert run.totals.sent == len(served) > 50
    same_as_recorded(victoria, folder, run)
    assert sum(victoria.points("http_reqs_count").values()) == run.totals.ok + run.totals.failed
    assert sum(victoria.points("http_req_failed_count").values()) == run.totals.failed > 0
    assert sum(victoria.points("iterations_count").values()) == run.totals.iterations
    assert sum(victoria.points("checks_passes").values()) == run.totals.checks_passed
    assert {dict(tags)["process"] for tags, _ in victoria.points("memory_value")} == {"stub", "load"}
    assert {dict(tags)["process"] for tags, _ in victoria.points("cpu_value")} >= {"stub"}
    assert list(victoria.points("run_summary_requests").values()) == [len(served)]
    (kinds,) = [{dict(tags)["kind"] for tags, _ in victoria.points("annotations_title")}]
    assert kinds == {"start", "stage", "threshold", "end"}
    assert not [words for words in heard.words if "cannot be sent" in words]
    lines = list(points.lines(run, samples_file.ticks(folder)))
    assert len(lines) == run.sink.sent


def test_a_server_that_comes_back_gets_everything(tmp_path: Path, victoria: VictoriaMetrics) -> None:
    """Stopped and started again while a run goes on: what was spooled is sent at the end, and the spool is gone."""
    ticks = synthetic.ticks(60)
    folder, run, sink = begun(tmp_path, victoria.url, ticks)
    for tick in ticks[:20]:
        sink.tick(tick)
    wait_until(lambda: len(arrived(victoria, "count")) > 30)
    victoria.stop()
    for tick in ticks[20:40]:
        sink.tick(tick)
    wait_until(folder.spool.exists)
    assert sink.news().startswith("InfluxDB: points cannot be sent, they are kept in the run folder: ")
    victoria.start()
    for tick in ticks[40:]:
        sink.tick(tick)
    summary = sink.end(run, folder)
    assert (summary.spooled, summary.error) == (0, "")
    assert not folder.spool.exists()
    assert sink.news() == "InfluxDB: points are sent again"
    same_as_recorded(victoria, folder, run)
    assert summary.sent == len(set(points.lines(run, ticks)))


# --- servers that do not take points ---


@contextmanager
def silent() -> Iterator[str]:
    """Take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def away() -> Iterator[str]:
    """Hold a port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def refusing() -> Iterator[str]:
    """Answer 401, and repeat the token in the answer."""
    with answering(401) as url:
        yield url


@contextmanager
def failing() -> Iterator[str]:
    """Answer 500, and repeat the token in the answer."""
    with answering(500) as url:
        yield url


@contextmanager
def another() -> Iterator[str]:
    """Answer 200 to whatever comes, as a web application does that takes any path for its own."""
    with answering(200) as url:
        yield url


@contextmanager
def garbage() -> Iterator[str]:
    """Answer with what is no HTTP."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    client.sendall(b"220 mail.example ESMTP\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def answering(status: int, certificate: Certificate | None = None) -> Iterator[str]:
    """Answer every call with a status and the token that came with it; by TLS where there is a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = f'{{"message": "no: {self.headers["Authorization"]}"}}'.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        server.socket = certificate.server_side().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


BAD: Mapping[str, tuple[Any, str]] = {
    "silent": (silent, "it did not answer within 3 s"),
    "away": (away, "the connection was refused"),
    "refusing": (refusing, "it refused the token (401)"),
    "failing": (failing, "it answered 500: no: Token ***"),
    "another": (another, "it answered 200, and InfluxDB says 204: it is another server"),
    "garbage": (garbage, "the connection broke, or it does not speak HTTP"),
}


def begun(tmp_path: Path, url: str, ticks: list[Tick], **options: Any) -> tuple[RunFolder, Run, InfluxSink]:
    """Begin to send a made-up run, whose folder holds its seconds already."""
    run = synthetic.run(synthetic.tally(ticks))
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    sink = InfluxSink(config(url), **options)
    sink.begin(run, folder)
    return folder, run, sink


def sent(url: str, tmp_path: Path, ticks: list[Tick], **options: Any) -> tuple[RunFolder, Run, SinkSummary, str]:
    """Send a made-up run as fast as it goes; gives also what was said meanwhile."""
    folder, run, sink = begun(tmp_path, url, ticks, **options)
    for tick in ticks:
        sink.tick(tick)
    summary = sink.end(run, folder)
    return folder, run, summary, sink.news()


@pytest.mark.parametrize("name", BAD)
def test_what_no_server_takes_is_in_the_run_folder(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each bad server has its reason; every point is in the spool once, and the token nowhere."""
    caplog.set_level(logging.DEBUG)
    ticks = synthetic.ticks(100)
    server, reason = BAD[name]
    with server() as url:
        # A second's patience: with fewer places than points one part never gets to the server.
        folder, run, summary, news = sent(url, tmp_path, ticks, batches=20, patience=1.0)
    lines = list(spool.read(folder.spool))
    assert sorted(lines) == sorted(points.lines(run, ticks))
    assert (summary.sent, summary.spooled) == (0, len(lines))
    assert summary.error in {reason, "it takes points more slowly than they come"}
    assert "points cannot be sent" in news
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    out = capfd.readouterr()
    told = [str(summary), news, caplog.text, out.out, out.err, repr(config(url)), *(f"{text!r}" for text in written)]
    assert not [text for text in told if TOKEN in text or TOKEN.removesuffix("==") in text]


@pytest.mark.parametrize("name", ["away", "refusing", "failing", "another", "garbage"])
def test_a_failing_server_is_named_with_its_reason(tmp_path: Path, name: str) -> None:
    """The reason is the server's, in few words."""
    server, reason = BAD[name]
    with server() as url:
        _, _, summary, news = sent(url, tmp_path, synthetic.ticks(5), patience=20.0)
    assert summary.error == reason
    assert news == f"InfluxDB: points cannot be sent, they are kept in the run folder: {reason}"


def test_a_server_that_never_answers_does_not_touch_the_load(tmp_path: Path) -> None:
    """A real load against its target is counted to the last request, and its points wait in the run folder."""
    with stub() as (target, served), silent() as url:
        folder, run, heard = load(tmp_path, target, InfluxSink(config(url), patience=1.0))
    assert run.verdict is not None
    assert run.totals.sent == run.totals.ok + run.totals.failed == len(served) > 50
    assert run.sink is not None
    assert set(spool.read(folder.spool)) == set(points.lines(run, samples_file.ticks(folder)))
    assert run.sink.spooled == len(list(spool.read(folder.spool)))
    assert heard.words[-1] == "Sending the last points to InfluxDB"
    assert folder.load().sink == run.sink


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """Points that neither the server nor the disk takes are counted: they can be exported from the samples."""
    ticks = synthetic.ticks(10)
    (tmp_path / "run" / "influx.lp").mkdir(parents=True)
    with away() as url:
        _, run, summary, _ = sent(url, tmp_path, ticks)
    assert summary.spooled == len(list(points.lines(run, ticks)))
    assert summary.error == "the connection was refused"


def test_a_second_that_comes_late_is_made_good(tmp_path: Path) -> None:
    """When samples of a past second come in later, the last word on every point is the one of the whole run."""
    ticks = synthetic.ticks(30)
    late = Tick(10, {TrendKey("http_req_duration", "/late", (("operation", "booking"),)): {bin_of(70_000): 40}})
    with away() as url:
        folder, run, _, _ = sent(url, tmp_path, [*ticks[:20], late, *ticks[20:]])
    last = {(line.partition(" ")[0], line.rpartition(" ")[2]): line for line in spool.read(folder.spool)}
    assert set(last.values()) == set(points.lines(run, samples_file.ticks(folder)))


def test_what_was_put_right_is_not_undone_by_the_spool(tmp_path: Path) -> None:
    """A second is spooled, then added to, and the server is back: what it gets last of every point is the truth."""
    ticks = synthetic.ticks(30)
    late = Tick(10, {TrendKey("http_req_duration", "/late", (("operation", "booking"),)): {bin_of(70_000): 40}})
    with recording() as (url, status, taken):
        folder, run, sink = begun(tmp_path, url, [*ticks, late])
        for tick in ticks[:20]:
            sink.tick(tick)
        before = list(points.lines(run, ticks[:20], over=False))
        wait_until(lambda: len(list(spool.read(folder.spool))) == len(before))
        status[0] = 204
        for tick in [late, *ticks[20:]]:
            sink.tick(tick)
        summary = sink.end(run, folder)
    assert (summary.spooled, summary.error) == (0, "")
    last = {(line.partition(" ")[0], line.rpartition(" ")[2]): line for line in taken}
    assert set(last.values()) == set(points.lines(run, samples_file.ticks(folder)))


@contextmanager
def recording() -> Iterator[tuple[str, list[int], list[str]]]:
    """Answer as told, 503 at first, and keep the lines that are taken in their order."""
    status, taken = [503], list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told = status[0]
            taken.extend(body.split("\n") if told < 300 else [])
            self.send_response(told)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", status, taken
    finally:
        server.shutdown()
        server.server_close()


def test_points_that_cannot_be_made_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the making of points ends no run, and the summary does not say that all was sent."""
    make = points.Points.second

    def breaks(self: points.Points, tick: Tick) -> list[str]:
        if tick.second == 5:
            raise ZeroDivisionError
        return make(self, tick)

    monkeypatch.setattr(points.Points, "second", breaks)
    with away() as url:
        _, _, summary, _ = sent(url, tmp_path, synthetic.ticks(10))
    assert summary.error
    monkeypatch.undo()
    with recording() as (url, status, _):
        status[0] = 204
        monkeypatch.setattr(points.Points, "second", breaks)
        _, _, summary, _ = sent(url, tmp_path / "again", synthetic.ticks(10))
    assert summary.error == "not all points could be made"


def test_a_run_without_a_second_ends_too(tmp_path: Path) -> None:
    """A load that never began has the points of its start and its end."""
    run = synthetic.run(None)
    folder = synthetic.folder(tmp_path / "run", run)
    with away() as url:
        summary = InfluxSink(config(url)).end(run, folder)
    assert summary.spooled == len(list(points.lines(run, []))) > 2


def test_a_disk_that_takes_no_more_ends_the_run_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the probes measured cannot be kept: one error, a run that says that it crashed, and when it began."""
    note = samples_file.note

    def full(folder: RunFolder, tick: Tick) -> None:
        folder.probes.mkdir()
        note(folder, tick)

    monkeypatch.setattr(samples_file, "note", full)
    with stub() as (target, _), pytest.raises(RunError, match=r"probes\.jsonl cannot be written"):
        load(tmp_path, target, None, {"stub": os.getpid()})
    ((_, run),) = store.runs(tmp_path / "runs")
    assert run.status is Status.CRASHED
    assert run.load_started


def test_a_server_whose_signer_is_named_is_trusted(tmp_path: Path) -> None:
    """With INFLUXDB_V2_SSL_CA_CERT a certificate of one's own is believed, and without it is not."""
    certificate = make_certificate(tmp_path)
    with answering(204, certificate) as url:
        told = {"INFLUXDB_V2_URL": url, "INFLUXDB_V2_BUCKET": "b"}
        unsigned = settings.read(tmp_path / "none.toml", told).influx()
        signed = settings.read(
            tmp_path / "none.toml", {**told, "INFLUXDB_V2_SSL_CA_CERT": str(certificate.cert)}
        ).influx()
        assert unsigned is not None
        assert signed is not None
        with Server(signed, 3.0) as server:
            server.write(["a b=1"])
        with Server(unsigned, 3.0) as server, pytest.raises(NotWrittenError, match="TLS"):
            server.write(["a b=1"])


def test_a_signer_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The sentence names the variable and the file."""
    told = {"INFLUXDB_V2_URL": "https://127.0.0.1:1", "INFLUXDB_V2_BUCKET": "b", "INFLUXDB_V2_SSL_CA_CERT": "no.pem"}
    with pytest.raises(ConfigError, match=r"INFLUXDB_V2_SSL_CA_CERT: there is no file no\.pem"):
        settings.read(tmp_path / "none.toml", told).influx()
