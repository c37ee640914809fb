"""A digest holds the figures of the samples, exactly, and only for as long as they are the samples it was made of."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab import sample_rows, samples_file
from lab.errors import RunError
from lab.model.histogram import Histogram
from lab.model.sample import FAIL, OK, RESPONSE, SERVICE, Tick, TrendKey
from reports import binned, cuts, digest_file, frame, grid, overtime, tables
from reports.comparison.reading import figures_of
from reports.digest_file import DIGEST_FILE
from reports.kinds import OUTCOMES
from reports.shown import beyond
from reports.windows import WINDOW_SHARES, column_of, window_width
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lab.store import RunFolder
    from reports.frame import RunData

SECONDS = synthetic.ticks(90)
OPERATIONS = ("booking", "search", "GET /plain")
bins = st.dictionaries(st.integers(0, 25_000), st.integers(0, 400), min_size=1, max_size=5)


def key(operation: str, outcome: str, clock: str) -> TrendKey:
    """Name a histogram; the last operation is the name of requests without a tag."""
    plain = operation == OPERATIONS[-1]
    return TrendKey(
        "http_req_duration", operation, () if plain else (("operation", operation), ("zone", "a")), outcome, clock
    )


keys = st.builds(key, st.sampled_from(OPERATIONS), st.sampled_from([OK, FAIL]), st.sampled_from([SERVICE, RESPONSE]))
others = st.just(TrendKey("iteration_duration", "task", ()))
ticks = st.builds(Tick, st.integers(0, 40), st.dictionaries(keys | others, bins, max_size=4))


def made(path: Path, seconds: list[Tick], **changes: object) -> RunFolder:
    """Write a run of these seconds."""
    return synthetic.folder(path, synthetic.run(synthetic.tally(seconds), **changes), seconds)


def kept(folder: RunFolder) -> bytes:
    """Give the digest that is kept."""
    return (folder.path / DIGEST_FILE).read_bytes()


def same(one: RunData, other: RunData) -> bool:
    """Tell whether two readings of a run are equal in all that a digest holds."""
    names = ("requests", "totals", "felt", "windows")
    return all(getattr(one, name).equals(getattr(other, name)) for name in names)


def summed(seconds: Iterable[Tick], *, clock: str, outcome: str = OK) -> Mapping[str, Histogram]:
    """Sum the requests of an outcome by operation, and all of them as "all", with the model's own histograms."""
    found: dict[str, Histogram] = defaultdict(Histogram)
    for tick in seconds:
        for trend, counts in tick.trends.items():
            if (trend.metric, trend.outcome, trend.clock) == ("http_req_duration", outcome, clock):
                for name in (dict(trend.tags).get("operation", trend.name), "all"):
                    found[name].merge({index: count for index, count in counts.items() if count})
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ticks, min_size=1, max_size=12), st.integers(0, 45))
def test_the_figures_are_those_of_the_samples(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[Tick], warmup: int
) -> None:
    """Tables, windows and seconds show what summing the samples by hand gives, to the last bit."""
    folder = made(tmp_path_factory.mktemp("run"), seconds, warmup=warmup)
    first, data = frame.load(folder), frame.load(folder)
    assert same(first, data)
    judged = [tick for tick in seconds if tick.second >= warmup]

    by_clock = {row.clock or SERVICE: row for row in tables.operations(data).rows if row.whole}
    for clock, whole in by_clock.items():
        answered, lost = (summed(judged, clock=clock, outcome=outcome)["all"].count for outcome in (OK, FAIL))
        assert (whole.count, whole.failed) == (answered + lost, lost)
    for row in tables.operations(data).rows:
        ok = summed(judged, clock=row.clock or SERVICE)[row.operation]
        assert row.minimum.value == ok.minimum
        assert row.maximum.value == ok.maximum
        for share, figure in zip(tables.SHARES, row.percentiles, strict=True):
            assert figure.value == (ok.percentile(share) if beyond(share, ok.count) >= 10 else None)

    for operation in ("", *data.operations):
        whole_run = summed(seconds, clock=SERVICE)[operation or "all"]
        found = overtime.windows(data, operation)
        assert found.width == window_width(data.seconds, whole_run.count)
        for at, shown in enumerate(found.frame.to_dict("records")):
            part = [tick for tick in seconds if tick.second // found.width == at]
            window = summed(part, clock=SERVICE)[operation or "all"]
            assert shown["slowest"] == window.maximum or (isnan(shown["slowest"]) and not window.count)
            for share in WINDOW_SHARES:
                enough = beyond(share, window.count) >= 10
                value = shown[column_of(share)]
                assert value == window.percentile(share) if enough else isnan(value)

    _, load = overtime.load(data)
    for second, counts in load.iterrows():
        now = [tick for tick in seconds if tick.second == second]
        assert (counts["ok"], counts["failed"]) == tuple(
            summed(now, clock=SERVICE, outcome=outcome)["all"].count for outcome in (OK, FAIL)
        )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ticks, min_size=1, max_size=8), st.integers(0, 20))
def test_a_comparison_reads_the_same_from_a_digest(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[Tick], since: int
) -> None:
    """With failures and by the clock that users felt, percentiles are those of the samples from any second on."""
    found = figures_of(made(tmp_path_factory.mktemp("run"), seconds), since=since)
    judged = [tick for tick in seconds if tick.second >= since]
    both: dict[TrendKey, Counter[int]] = defaultdict(Counter)
    twice = {trend._replace(clock=SERVICE) for tick in seconds for trend in tick.trends if trend.clock == RESPONSE}
    for tick in judged:
        for trend, counts in tick.trends.items():
            if trend.metric == "http_req_duration" and not (trend.clock == SERVICE and trend in twice):
                both[trend._replace(clock=SERVICE)].update(counts)
    for operation in OPERATIONS:
        ok, failed = (Histogram(both.get(key(operation, outcome, SERVICE), {})) for outcome in (OK, FAIL))
        if ok.count + failed.count:
            value = ok.percentile_with_failures(0.5, failed.count)
            few = beyond(0.5, ok.count + failed.count) < 10 and value != float("inf")
            assert found.values[operation, "p50"] == (None if few else value)
        else:
            assert (operation, "p50") not in found.values


def test_what_is_kept_is_read_without_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second report opens no samples, nor does one of a folder that was copied and has new times."""
    folder = made(tmp_path, SECONDS)
    first, bands = frame.load(folder), figures_of(folder, with_bands=True).bands

    def build(*_: object) -> None:
        raise AssertionError("the samples were read again")

    monkeypatch.setattr(digest_file, "build", build)
    assert same(first, frame.load(folder))
    os.utime(folder.samples, (1, 1))
    assert same(first, frame.load(folder))
    assert figures_of(folder, with_bands=True).bands == bands
    assert bands


def test_edited_samples_are_noticed_whatever_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single byte that is another one makes other samples, whose figures are worked out again."""
    folder = made(tmp_path, SECONDS)
    frame.load(folder)
    content = bytearray(folder.samples.read_bytes())
    content[len(content) // 2] ^= 1
    folder.samples.write_bytes(content)
    os.utime(folder.samples, (1, 1))

    def build(*_: object) -> None:
        raise RunError("read again")

    monkeypatch.setattr(digest_file, "build", build)
    with pytest.raises(RunError, match="read again"):
        frame.load(folder)


@pytest.mark.parametrize("damage", ["cut", "foreign", "version", "warmup", "gone", "in the way"])
def test_what_does_not_hold_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """A digest that is cut off, foreign, of another release or judged otherwise is replaced; the report is the same."""
    folder = made(tmp_path, SECONDS)
    first, path = frame.load(folder), tmp_path / DIGEST_FILE
    if damage == "warmup":
        folder.save(replace(folder.load(), warmup=30))
        assert not frame.load(folder).totals.equals(first.totals)
        folder.save(replace(folder.load(), warmup=0))
    elif damage == "version":
        monkeypatch.setattr(digest_file, "DIGEST_VERSION", digest_file.DIGEST_VERSION + 1)
        frame.load(folder)
        monkeypatch.undo()
    elif damage == "cut":
        path.write_bytes(kept(folder)[:-40])
    elif damage == "foreign":
        path.write_bytes(b"PK\x03\x04 and then nothing")
    else:
        path.unlink()
    if damage == "in the way":
        path.mkdir()
    assert same(first, frame.load(folder))
    assert damage == "in the way" or same(first, frame.load(folder))
    assert {file.name for file in tmp_path.iterdir()} == {DIGEST_FILE, "run.json", "samples.parquet", "series.parquet"}


def test_figures_from_another_second_on_are_not_kept(tmp_path: Path) -> None:
    """Leaving out another beginning than the warm-up changes nothing for the next reader."""
    folder = made(tmp_path, SECONDS)
    frame.load(folder)
    before = kept(folder)
    assert figures_of(folder, since=30).values != figures_of(folder).values
    assert kept(folder) == before


def test_nothing_is_kept_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """Its samples are more the next time."""
    folder = synthetic.folder(tmp_path, synthetic.run(), SECONDS, closed=False)
    assert len(frame.load(folder).requests)
    assert not (tmp_path / DIGEST_FILE).exists()


def test_a_digest_grows_with_seconds_and_operations_alone(tmp_path: Path) -> None:
    """A hundred times the requests of the same bins make not one row more."""
    many = [
        replace(tick, trends={k: {b: n * 100 for b, n in found.items()} for k, found in tick.trends.items()})
        for tick in SECONDS
    ]
    few, much = (
        digest_file.read(made(tmp_path / str(len(name)), name), synthetic.run())[0] for name in (SECONDS, many)
    )
    assert len(few.requests) == len(much.requests)
    assert len(few.totals) == len(much.totals)
    assert much.requests["count"].sum() == 100 * few.requests["count"].sum()


def test_requests_after_the_end_are_in_no_window(tmp_path: Path) -> None:
    """What came when the recorded time was over is counted, and shown in no window."""
    run = synthetic.run(synthetic.tally(SECONDS))
    short = replace(run, totals=replace(run.totals, seconds=60))
    folder = synthetic.folder(tmp_path, short, SECONDS)
    found, _ = digest_file.read(folder, short)
    assert int(found.windows["count"].sum()) == 2 * sum(
        h.count for name, h in summed(SECONDS[:60], clock=SERVICE).items() if name == "all"
    )
    assert int(found.requests["count"].sum()) == run.totals.sent


def test_only_the_most_frequent_operations_have_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all can be held, those that are asked about most are; the others show nothing."""
    monkeypatch.setattr(cuts, "MOST_OPERATIONS", 1)
    data = frame.load(made(tmp_path, SECONDS))
    assert overtime.windows(data, "booking").frame["p50"].notna().any()
    assert overtime.windows(data, "search").frame["slowest"].isna().all()
    assert grid.fitting(np.array([2, 0, 1]), np.array([5, grid.MOST_CELLS, 7])).tolist() == [2, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**21 - 1), st.integers(1, 9)), max_size=9)))
def test_counts_gathered_in_parts_are_those_of_the_whole(parts: list[list[tuple[int, int, int]]]) -> None:
    """However the rows come, each group and bin is there once, in order, with the sum of its counts."""
    gathered, expected = binned.Binned(), Counter[tuple[int, int]]()
    for part in parts:
        columns = np.array(part, dtype=np.int64).reshape(-1, 3).T
        gathered.add(*columns)
        if len(part) % 2:
            gathered.rows()
        for group, index, count in part:
            expected[group, index] += count
    found = zip(*(column.tolist() for column in gathered.rows()), strict=True)
    assert [((group, index), count) for group, index, count in found] == sorted(expected.items())


def test_a_run_closed_in_many_parts_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing and reading a few rows at a time gives the rows, and the figures, of doing it at once."""
    whole = made(tmp_path / "whole", SECONDS)
    monkeypatch.setattr(sample_rows, "ROWS_WRITTEN", 50)
    monkeypatch.setattr(samples_file, "ROWS_READ", 70)
    parts = made(tmp_path / "parts", SECONDS)
    assert [table.to_pylist() for table in samples_file.read(whole)] == [
        table.to_pylist() for table in samples_file.read(parts)
    ]
    assert same(frame.load(whole), frame.load(parts))
    assert list(samples_file.ticks(parts)) == list(samples_file.ticks(whole))
    assert set(OUTCOMES) >= {kind.outcome for kind in digest_file.read(parts, parts.load())[0].kinds.all}
