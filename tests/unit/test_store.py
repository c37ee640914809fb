"""The run folder: readable at every moment, killed or closed."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lab import judge, samples_file, store
from lab.errors import RunError
from lab.model.run import ScriptTrace, Status
from lab.model.sample import FAIL, OK, SeriesKey, Tally, Tick, TrendKey
from lab.model.threshold import parse_threshold
from lab.store import RunFolder
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HALF = "half \ud800 a pair"
SECONDS = synthetic.ticks(12, hostile=synthetic.HOSTILE)
TALLY = synthetic.tally(SECONDS)
texts = st.sampled_from([*synthetic.HOSTILE, "\ud800", "\n", ""]) | st.text(st.characters(), max_size=5)
tags = st.dictionaries(texts, texts, max_size=2).map(lambda found: tuple(found.items()))
ticks = st.builds(
    Tick,
    st.integers(0, 3),
    st.dictionaries(
        st.builds(TrendKey, st.just("http_req_duration"), texts, tags, st.sampled_from([OK, FAIL])),
        st.dictionaries(st.integers(0, 30_000), st.integers(1, 10**12), max_size=3),
        max_size=2,
    ),
    st.dictionaries(st.builds(SeriesKey, texts, tags), st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=2),
    st.dictionaries(st.builds(SeriesKey, texts, tags), st.integers(0, 10**12), max_size=2),
    st.dictionaries(st.builds(SeriesKey, texts, tags), st.floats(allow_nan=False), max_size=2),
)


def rows(folder: RunFolder) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read a run's samples and series as rows."""
    samples, series = samples_file.read(folder)
    return samples.to_pylist(), series.to_pylist()


def files(folder: RunFolder) -> dict[str, bytes]:
    """Read every file of a run folder."""
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Everything that `run.json` holds comes back equal, hostile texts included."""
    for made in (synthetic.run(TALLY), synthetic.hostile_run(TALLY), synthetic.run()):
        folder = RunFolder(tmp_path)
        folder.save(made)
        assert folder.load() == made


def test_infinities_survive(tmp_path: Path) -> None:
    """A threshold whose figure is "no answer" is still infinite after it was stored, in valid JSON."""
    result = judge.judge_all([parse_threshold("http_req_duration", "p(95)<1")], TALLY)[0]
    folder = RunFolder(tmp_path)
    folder.save(synthetic.run(thresholds=(replace(result, actual=math.inf), replace(result, actual=None))))

    json.loads((tmp_path / store.RUN_FILE).read_bytes(), parse_constant=pytest.fail)
    assert [found.actual for found in folder.load().thresholds] == [math.inf, None]


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """`run.json` is replaced whole or not at all."""
    folder = RunFolder(tmp_path)
    folder.save(synthetic.run(label="old"))
    temporary = tmp_path / f".{store.RUN_FILE}.new"
    temporary.mkdir()
    with pytest.raises(RunError, match=r"run\.json cannot be written"):
        folder.save(synthetic.run(label="new"))
    assert folder.load().label == "old"
    temporary.rmdir()
    temporary.write_text("half", encoding="utf-8")
    assert folder.load().label == "old"

    folder.save(synthetic.run(label="new"))
    assert folder.load().label == "new"
    assert [path.name for path in tmp_path.iterdir()] == [store.RUN_FILE]


def test_a_script_error_with_half_a_surrogate_can_be_saved(tmp_path: Path) -> None:
    """What the user's own code raised is stored, whatever is in its message."""
    folder = RunFolder(tmp_path)
    folder.save(synthetic.run(script_errors=(ScriptTrace(1, "bad \ud800 text", "trace"),)))

    assert folder.load().script_errors[0].message.startswith("bad ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no run of this lab, or it is cut off"),
        ("{", "is cut off"),
        ("[]", "is no run of this lab"),
        ("null", "is no run of this lab"),
        ("{}", "is no run of this lab"),
        ('{"version": 1}', r"has version 1; this airbourne-lab reads version 2: .* run the scenario again"),
        ('{"version": "1"}', "has version 1; this"),
        ('{"version": 2}', r"run\.json cannot be read"),
        ('{"version": 2, "id": 5}', r"run\.json cannot be read"),
    ],
)
def test_a_foreign_run_is_refused_with_a_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    """What cannot be read is said in one line that names the file."""
    (tmp_path / store.RUN_FILE).write_text(text, encoding="utf-8")

    with pytest.raises(RunError, match=sentence) as caught:
        RunFolder(tmp_path).load()
    assert "\n" not in str(caught.value)


def test_a_run_with_a_broken_target_is_refused_like_any_other(tmp_path: Path) -> None:
    """A value that checks itself is no way around: one damaged run does not break the list of runs."""
    good = synthetic.folder(tmp_path / "a", synthetic.run(id="a"))
    bad = synthetic.folder(tmp_path / "b", synthetic.run(id="b"))
    file = bad.path / store.RUN_FILE
    file.write_text(file.read_text(encoding="utf-8").replace("http://127.0.0.1:3005", "nowhere"), encoding="utf-8")

    with pytest.raises(RunError, match="cannot be read"):
        bad.load()
    assert [folder.path for folder, _ in store.runs(tmp_path)] == [good.path]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """The error names the folder."""
    with pytest.raises(RunError, match="is no run folder"):
        RunFolder(tmp_path / "none").load()


def test_a_new_folder_is_named_by_time_and_scenario(tmp_path: Path) -> None:
    """Two runs of one second have two folders, and a name cannot leave the folder of runs."""
    first, second = store.create(tmp_path / "runs", "ramp"), store.create(tmp_path / "runs", "ramp")
    odd = store.create(tmp_path / "runs", "../../x y\0")

    assert first.path != second.path
    assert first.path.name.endswith("-ramp")
    assert {folder.path.parent for folder in (first, second, odd)} == {tmp_path / "runs"}
    assert odd.path.is_dir()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The error says what to choose instead."""
    (tmp_path / "runs").write_text("a file", encoding="utf-8")

    with pytest.raises(RunError, match=r"cannot make the run folder .* choose another with --out"):
        store.create(tmp_path / "runs", "ramp")


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Make three runs; the newest is the one in the middle."""
    for name, started in (("20261123-01-ramp", "01"), ("20261123-02-smoke", "09"), ("20261124-03-ramp", "05")):
        made = synthetic.run(id=name, started=f"2026-11-23T{started}:00:00+00:00")
        synthetic.folder(tmp_path / name, made)
    (tmp_path / "stray").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / store.RUN_FILE).write_text("{", encoding="utf-8")
    return tmp_path


def test_runs_are_listed_newest_first(three: Path) -> None:
    """By their start; what is no readable run is left out; no folder at all is no error."""
    assert [run.id for _, run in store.runs(three)] == ["20261123-02-smoke", "20261124-03-ramp", "20261123-01-ramp"]
    assert store.runs(three / "none") == []


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("latest", "20261123-02-smoke"),
        ("20261123-01-ramp", "20261123-01-ramp"),
        ("20261124", "20261124-03-ramp"),
        ("20261123-02", "20261123-02-smoke"),
        ("{out}/20261123-01-ramp", "20261123-01-ramp"),
        ("{out}/20261123-01-ramp/", "20261123-01-ramp"),
        ("{out}/../{name}/20261123-01-ramp", "20261123-01-ramp"),
    ],
)
def test_a_run_is_found_by_id_beginning_latest_or_path(three: Path, reference: str, found: str) -> None:
    """All four ways lead to the folder."""
    folder = store.find(reference.format(out=three, name=three.name), three)

    assert folder.path.resolve() == three / found


def test_a_run_is_found_by_a_path_from_elsewhere(three: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A folder that was copied away is found by its path, wherever the runs are kept."""
    away = tmp_path_factory.mktemp("away") / "copy"
    shutil.copytree(three / "20261123-01-ramp", away)

    assert store.find(str(away), three / "none").path == away


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("20261123", "may be any of 20261123-01-ramp, 20261123-02-smoke; write more of the id"),
        ("2027", 'no run "2027" in .*; list them with: airbourne-lab runs'),
        ("", 'no run ""'),
        ("*", r'no run "\*"'),
        ("20261124?", r'no run "20261124\?"'),
        ("20261124/03", 'no run "20261124/03"'),
        ("stray", 'no run "stray"'),
        ("..", 'no run ".."'),
    ],
)
def test_what_is_no_run_is_told(three: Path, reference: str, sentence: str) -> None:
    """An ambiguous or unknown reference is refused with what to do."""
    with pytest.raises(RunError, match=sentence):
        store.find(reference, three)


def test_no_run_at_all_is_told(tmp_path: Path) -> None:
    """`latest` of nothing says how to make one."""
    with pytest.raises(RunError, match="make one with: airbourne-lab run --scenario smoke"):
        store.find("latest", tmp_path)


@pytest.mark.parametrize("tail", ["", '{"second":12,"trends":[["http_req', "\0\0\0", SECONDS[0].to_json()])
def test_a_killed_run_reads_like_the_closed_one(tmp_path: Path, tail: str) -> None:
    """With half a last line, what was recorded before is all there, and closing it changes nothing."""
    killed = synthetic.folder(tmp_path / "killed", synthetic.run(status=Status.RUNNING), SECONDS, closed=False)
    closed = synthetic.folder(tmp_path / "closed", synthetic.run(), SECONDS)
    with killed.ticks.open("a", encoding="utf-8") as lines:
        lines.write(tail)

    assert list(store.read_ticks(killed.ticks)) == SECONDS
    assert rows(killed) == rows(closed)
    samples_file.close(killed)
    assert rows(killed) == rows(closed)


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    """The live log goes away, the two tables stay, and a second time nothing changes."""
    folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS, closed=False)
    before = rows(folder)
    samples_file.close(folder)
    once = files(folder)
    samples_file.close(folder)

    assert files(folder) == once
    assert set(once) == {store.RUN_FILE, store.SAMPLES_FILE, store.SERIES_FILE}
    assert rows(folder) == before


def test_a_long_log_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes a run knows beforehand whether that takes a while; a closed one takes none."""
    folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS, closed=False)
    assert not samples_file.much(folder)
    monkeypatch.setattr(samples_file, "MUCH", 1000)
    assert samples_file.much(folder)
    samples_file.close(folder)
    assert not samples_file.much(folder)


def test_a_close_that_was_killed_is_made_up_for(tmp_path: Path) -> None:
    """With one table written and the live log still there, the log is what is read, and closing goes through."""
    folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS, closed=False)
    before = rows(folder)
    folder.samples.write_bytes(b"half")
    folder.samples.with_suffix(".new").write_bytes(b"half")

    assert rows(folder) == before
    samples_file.close(folder)
    assert rows(folder) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ticks, max_size=3))
@example([Tick(0, {TrendKey("m", HALF, ()): {1: 1}})])
@example([Tick(0, {TrendKey(HALF, "n", ((HALF, HALF),)): {1: 1}}, gauges={SeriesKey(HALF, ((HALF, HALF),)): 1.0})])
def test_any_recorded_text_can_be_closed(tmp_path: Path, seconds: list[Tick]) -> None:
    """Whatever a target or a script put into names, tags and reasons, the tables hold it, as the log does."""
    folder = synthetic.folder(tmp_path, synthetic.run(), seconds, closed=False)
    before = rows(folder)
    samples_file.close(folder)

    assert rows(folder) == before
    assert len(before[0]) == sum(len(bins) for tick in seconds for bins in tick.trends.values())
    assert sum(row["count"] for row in before[0]) == sum(
        count for tick in seconds for bins in tick.trends.values() for count in bins.values()
    )


def test_the_tables_are_the_ticks(tmp_path: Path) -> None:
    """The columns of measurement.md, a row for each bin, and each series under its kind."""
    tick = Tick(
        3,
        {TrendKey("http_req_duration", "GET /", (("b", "2"), ("a", "1"))): {9: 4, 7: 2}},
        {SeriesKey("checks", (("check", "c"),)): (3, 5)},
        {SeriesKey("sent"): 6},
        {SeriesKey("vus"): 2.5},
    )
    samples, series = rows(synthetic.folder(tmp_path, synthetic.run(), [tick]))

    base = {"second": 3, "metric": "http_req_duration", "name": "GET /", "tags": '{"a": "1", "b": "2"}'}
    assert samples == [
        {**base, "outcome": "ok", "clock": "service", "bin": 7, "count": 2},
        {**base, "outcome": "ok", "clock": "service", "bin": 9, "count": 4},
    ]
    assert [(r["kind"], r["metric"], r["tags"], r["value"], r["total"]) for r in series] == [
        ("rate", "checks", '{"check": "c"}', 3.0, 5),
        ("counter", "sent", "{}", 6.0, 6),
        ("gauge", "vus", "{}", 2.5, 0),
    ]


def test_the_closed_run_adds_up_to_the_tally(tmp_path: Path) -> None:
    """Summing the rows by bin gives the histograms that the live run had."""
    samples, _ = rows(synthetic.folder(tmp_path, synthetic.run(), SECONDS))
    summed = Tally()
    for row in samples:
        key = TrendKey(row["metric"], row["name"], tuple(json.loads(row["tags"]).items()), row["outcome"], row["clock"])
        summed.add(Tick(row["second"], {key: {row["bin"]: row["count"]}}))

    assert {k: h.bins for k, h in summed.trends.items()} == {k: h.bins for k, h in TALLY.trends.items()}


def test_a_damaged_line_is_no_second(tmp_path: Path) -> None:
    """A whole line that is no tick, or no text, is an error and not a silent gap."""
    for damage in (b"garbage\n", b"\xff\xfe\n"):
        folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS, closed=False)
        folder.ticks.write_bytes(damage + folder.ticks.read_bytes())
        with pytest.raises(RunError, match="not a recorded second"):
            rows(folder)


@pytest.mark.parametrize("damage", [None, b"", b"PAR1"])
def test_samples_that_cannot_be_read_are_told(tmp_path: Path, damage: bytes | None) -> None:
    """Missing or damaged tables are one sentence that names the run."""
    folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS)
    if damage is None:
        folder.samples.unlink()
    else:
        folder.samples.write_bytes(damage)

    with pytest.raises(RunError, match="no samples can be read") as caught:
        samples_file.read(folder)
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    """A disk that is full, or a file that cannot be written, is one sentence with the path and what to do."""
    folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS, closed=False)
    writes: dict[str, Callable[[], None]] = {
        ".run.json.new": lambda: folder.save(synthetic.run()),
        "probes.jsonl": lambda: samples_file.note(folder, SECONDS[0]),
        "samples.new": lambda: samples_file.close(folder),
    }
    for name, write in writes.items():
        in_the_way = tmp_path / name
        in_the_way.mkdir()
        with pytest.raises(RunError, match=r"cannot be written: .*; make room") as caught:
            write()
        assert str(tmp_path) in str(caught.value)
        in_the_way.rmdir()
