"""A run's metrics sent later: complete, from any run folder, and as often as one likes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab import surroundings
from lab.errors import SinkError
from lab.model.run import SinkSummary, Status
from lab.sinks import points, spool
from lab.sinks.export import export, export_lines
from lab.sinks.influx import InfluxSink
from tests import synthetic
from tests.influxdb import DATABASE, InfluxDB, rows
from tests.integration.test_influx import TOKEN, away, config, refusing, same_as_recorded
from tests.processes import wait_until
from tests.synthetic import HOSTILE
from tests.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """Give a server that takes points."""
    with VictoriaMetrics(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """Give an InfluxDB 1.x, which judges whether two points are the same."""
    with InfluxDB(tmp_path_factory.mktemp("influxdb")) as server:
        server.query(f"CREATE DATABASE {DATABASE}")
        yield server


def test_a_run_that_was_never_sent_is_sent_whole(tmp_path: Path, victoria: VictoriaMetrics) -> None:
    """Any run folder will do; its summary then says that its points arrived, and how many."""
    ticks = synthetic.ticks(120)
    run = synthetic.run(synthetic.tally(ticks))
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    progress: list[int] = []
    summary = export(folder, config(victoria.url), progress.append)
    assert summary == SinkSummary(victoria.url, len(list(export_lines(folder))), org="an org", bucket="a bucket")
    assert progress[-1] == summary.sent
    same_as_recorded(victoria, folder, run)
    assert folder.load() == replace(run, sink=summary)


def test_nothing_is_missing_after_a_server_was_away_at_the_end(tmp_path: Path, victoria: VictoriaMetrics) -> None:
    """Half of a run arrived, half was spooled: the export completes it, and the spool is gone."""
    ticks = synthetic.ticks(60)
    run = synthetic.run(synthetic.tally(ticks))
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    sink = InfluxSink(config(victoria.url))
    sink.begin(run, folder)
    for tick in ticks[:30]:
        sink.tick(tick)
    wait_until(lambda: len(victoria.points("iterations_count")) == 30)
    victoria.stop()
    for tick in ticks[30:]:
        sink.tick(tick)
    summary = sink.end(run, folder)
    assert summary.sent > 0
    assert summary.spooled == len(list(spool.read(folder.spool))) > 0
    assert summary.error == "the connection was refused"
    victoria.start()
    assert len(victoria.points("iterations_count")) == 30
    export(folder, config(victoria.url), lambda _: None)
    same_as_recorded(victoria, folder, run)
    assert len(victoria.points("iterations_count")) == 60
    assert not folder.spool.exists()


def test_sending_twice_changes_nothing(tmp_path: Path, influxdb: InfluxDB) -> None:
    """InfluxDB holds as many values after the second time as after the first, with hostile names too."""
    ticks = synthetic.ticks(60, hostile=HOSTILE)
    run = synthetic.run(synthetic.tally(ticks), label=HOSTILE[0])
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    lines = list(export_lines(folder))
    influxdb.write(lines)
    first = rows(influxdb.query("SELECT count(*) FROM /.*/"))
    influxdb.write(lines)
    assert rows(influxdb.query("SELECT count(*) FROM /.*/")) == first
    stored = influxdb.query('SELECT count("count") FROM "http_req_duration"')
    assert rows(stored)[0]["count"] == len([line for line in lines if line.startswith("http_req_duration,")]) > 0
    titles = influxdb.query('SELECT count("title") FROM "annotations"')
    assert rows(titles)[0]["count"] == len([line for line in lines if line.startswith("annotations,")]) > 0


def test_a_server_that_refuses_leaves_the_spool(tmp_path: Path) -> None:
    """The error names the server, the reason and the remedy, and holds no token; what waits goes on waiting."""
    ticks = synthetic.ticks(5)
    run = synthetic.run(synthetic.tally(ticks))
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    folder.spool.write_text("m,t=a v=1 1\n", encoding="utf-8")
    with refusing() as url, pytest.raises(SinkError) as caught:
        export(folder, config(url), lambda _: None)
    assert str(caught.value) == (
        f"InfluxDB at {url}: 0 points of {run.id} were sent, then: it refused the token (401); "
        "when it is mended, export the run again: what arrived twice counts once"
    )
    assert caught.value.__cause__ is None
    assert TOKEN not in repr(caught.value)
    assert list(spool.read(folder.spool)) == ["m,t=a v=1 1"]
    assert folder.load() == run


def test_what_only_the_spool_has_is_sent_too(tmp_path: Path) -> None:
    """A point of the spool that the samples do not give is kept; one that they give otherwise gives way to them."""
    ticks = synthetic.ticks(5)
    run = synthetic.run(synthetic.tally(ticks))
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    made = list(points.lines(run, ticks))
    outdated = made[1].replace(" count=", " count=7")
    odd = [r"m,t=a\ b\ c v=1 5", r"m,t=a\ b\ d v=1 5"]
    folder.spool.write_text("\n".join([outdated, *odd, "m,t=cut off"]), encoding="utf-8")
    assert outdated != made[1]
    assert list(export_lines(folder)) == [*made, *odd]


def test_a_run_that_goes_on_is_sent_without_an_end(tmp_path: Path, victoria: VictoriaMetrics) -> None:
    """While its process is there a run has no last word, and its spool is its own; a killed one has its end."""
    ticks = synthetic.ticks(5)
    own = {"pid": os.getpid(), "pid_started": surroundings.started(os.getpid())}
    changes = {"status": Status.RUNNING, "verdict": None, "thresholds": (), "ended": ""}
    run = synthetic.run(synthetic.tally(ticks), **changes, **own)
    folder = synthetic.folder(tmp_path / "run", run, ticks, closed=False)
    folder.spool.write_text("m,t=a v=1 1\n", encoding="utf-8")
    export(folder, config(victoria.url), lambda _: None)
    assert folder.spool.exists()
    assert folder.load() == run
    assert not [line for line in export_lines(folder) if "run_summary" in line]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder.save(replace(run, pid=gone.pid))
    assert [line for line in export_lines(folder) if line.startswith("run_summary,")]


def test_export_without_a_server_says_so(tmp_path: Path) -> None:
    """A server that is away is no traceback."""
    folder = synthetic.folder(tmp_path / "run", synthetic.run(synthetic.tally(synthetic.ticks(3))), synthetic.ticks(3))
    with away() as url, pytest.raises(SinkError, match="the connection was refused"):
        export(folder, config(url), lambda _: None)
    assert TOKEN not in json.dumps([path.read_text(errors="replace") for path in folder.path.iterdir()])
