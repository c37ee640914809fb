"""Samples as columns: a run's ticks in two Parquet files, so that merging runs is a group-by and a sum."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lab import store
from lab.errors import RunError
from lab.model.sample import SeriesKey, Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from lab.model.sample import Tags
    from lab.store import RunFolder

SAMPLE_COLUMNS: Final = ("second", "metric", "name", "tags", "outcome", "clock", "bin", "count")
SERIES_COLUMNS: Final = ("second", "kind", "metric", "tags", "value", "total")
ROWS_AT_ONCE: Final = 65_536


def tags_text(tags: Tags) -> str:
    """Write tags as the JSON text that stands in the `tags` column, keys in order."""
    return _text(json.dumps(dict(tags), sort_keys=True, ensure_ascii=False))


def _text(words: str) -> str:
    # A target may answer with half a surrogate pair, which JSON can hold and Parquet can't.
    return words.encode("utf-8", "replace").decode("utf-8")


def tables(ticks: Iterable[Tick]) -> tuple[pa.Table, pa.Table]:
    """Turn ticks into the samples' and the series' table."""
    import pyarrow as pa  # noqa: PLC0415 - heavy, and not every command needs it

    words = pa.dictionary(pa.int32(), pa.string())
    sample_types = (pa.int32(), words, words, words, words, words, pa.int32(), pa.int64())
    series_types = (pa.int32(), words, words, words, pa.float64(), pa.int64())
    samples: tuple[list[object], ...] = tuple([] for _ in SAMPLE_COLUMNS)
    series: tuple[list[object], ...] = tuple([] for _ in SERIES_COLUMNS)
    for tick in ticks:
        for key, bins in tick.trends.items():
            head = (tick.second, _text(key.metric), _text(key.name), tags_text(key.tags), key.outcome, key.clock)
            for index, count in sorted(bins.items()):
                _append(samples, (*head, index, count))
        for row in _series_rows(tick):
            _append(series, row)
    return (
        pa.table([pa.array(c, t) for c, t in zip(samples, sample_types, strict=True)], names=list(SAMPLE_COLUMNS)),
        pa.table([pa.array(c, t) for c, t in zip(series, series_types, strict=True)], names=list(SERIES_COLUMNS)),
    )


def _append(columns: tuple[list[object], ...], row: tuple[object, ...]) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)


def _series_rows(tick: Tick) -> Iterator[tuple[object, ...]]:
    for key, (hits, total) in tick.rates.items():
        yield tick.second, "rate", _text(key.metric), tags_text(key.tags), float(hits), total
    for key, count in tick.counters.items():
        yield tick.second, "counter", _text(key.metric), tags_text(key.tags), float(count), count
    for key, value in tick.gauges.items():
        yield tick.second, "gauge", _text(key.metric), tags_text(key.tags), value, 0


def note(folder: RunFolder, tick: Tick) -> None:
    """Keep what was measured beside the load, as the load process keeps what it measured.

    Raises:
        RunError: the disk does not take it.
    """
    with store.written(folder.probes), folder.probes.open("a", encoding="utf-8") as log:
        log.write(tick.to_json() + "\n")


def close(folder: RunFolder) -> None:
    """Turn the live logs into Parquet and take them away; a run that is closed already is left as it is.

    Raises:
        RunError: a line is no tick, or the disk does not take the tables.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    if not folder.ticks.exists():
        return
    for table, path in zip(tables(logged(folder)), (folder.samples, folder.series), strict=True):
        temporary = path.with_suffix(".new")
        with store.written(path):
            pq.write_table(table, temporary, compression="zstd")
            temporary.replace(path)
    folder.ticks.unlink()
    folder.probes.unlink(missing_ok=True)


def read(folder: RunFolder) -> tuple[pa.Table, pa.Table]:
    """Read a run's samples and series, from Parquet or, for a run that goes on or was killed, from its live logs.

    Raises:
        RunError: there is neither.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    if folder.ticks.exists():
        return tables(logged(folder))
    try:
        return pq.read_table(folder.samples), pq.read_table(folder.series)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.path}: no samples can be read: {_first_line(error)}") from None


def ticks(folder: RunFolder) -> Iterator[Tick]:
    """Read a run's seconds back, in order; what was recorded of a second in parts is given as one.

    Raises:
        RunError: as `read`.
    """
    yield from seconds(*read(folder))


def seconds(*tables: pa.Table) -> Iterator[Tick]:
    """Give what the samples' and the series' table, or some of their rows, hold of each second, in order."""
    samples, series = (_by_second(table) for table in tables)
    row, line = next(samples, None), next(series, None)
    while row or line:
        second = min(found[0] for found in (row, line) if found)
        trends: dict[TrendKey, Counter[int]] = {}
        rates: dict[SeriesKey, tuple[int, int]] = {}
        counters: Counter[SeriesKey] = Counter()
        gauges: dict[SeriesKey, float] = {}
        while row and row[0] == second:
            _, metric, name, tags, outcome, clock, index, count = row
            trends.setdefault(TrendKey(metric, name, _pairs(tags), outcome, clock), Counter())[index] += count
            row = next(samples, None)
        while line and line[0] == second:
            _, kind, metric, tags, value, total = line
            key = SeriesKey(metric, _pairs(tags))
            if kind == "rate":
                hits, among = rates.get(key, (0, 0))
                rates[key] = (hits + int(value), among + total)
            elif kind == "counter":
                counters[key] += total
            else:
                gauges[key] = value
            line = next(series, None)
        yield Tick(second, trends, rates, counters, gauges)


def logged(folder: RunFolder) -> Iterator[Tick]:
    """Read the live logs of a run: the load's seconds as they came, then what was measured beside it.

    Raises:
        RunError: a line is no tick.
    """
    yield from store.read_ticks(folder.ticks)
    if folder.probes.exists():
        yield from store.read_ticks(folder.probes)


def _by_second(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Give the rows by second, and within it as they were recorded."""
    for batch in table.sort_by("second").to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@lru_cache(maxsize=4096)
def _pairs(text: str) -> Tags:
    return tuple(json.loads(text).items())


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
