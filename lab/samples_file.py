"""Samples as columns: a run's ticks in two Parquet files, so that merging runs is a group-by and a sum."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lab import store
from lab.errors import RunError
from lab.model.sample import SeriesKey, Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.parquet as pq

    from lab.model.sample import Tags
    from lab.store import RunFolder

SAMPLE_COLUMNS: Final = ("second", "metric", "name", "tags", "outcome", "clock", "bin", "count")
SERIES_COLUMNS: Final = ("second", "kind", "metric", "tags", "value", "total")
ROWS_AT_ONCE: Final = 65_536
ROWS_WRITTEN: Final = 262_144
"""Rows that are gathered before they are written, which is how much memory a close needs."""
ROWS_READ: Final = 131_072
"""Rows of a closed run that are read at once; read ahead, or by several threads, they take three times the memory."""
MUCH: Final = 8_000_000
"""Bytes of a live log."""


def tags_text(tags: Tags) -> str:
    """Write tags as the JSON text that stands in the `tags` column, keys in order."""
    return _text(json.dumps(dict(tags), sort_keys=True, ensure_ascii=False))


def _text(words: str) -> str:
    # A target may answer with half a surrogate pair, which JSON can hold and Parquet can't.
    return words.encode("utf-8", "replace").decode("utf-8")


def tables(ticks: Iterable[Tick]) -> tuple[pa.Table, pa.Table]:
    """Turn ticks into the samples' and the series' table."""
    import pyarrow as pa  # noqa: PLC0415 - heavy, and not every command needs it

    parts = zip(*batches(ticks), strict=True)
    samples, series = (pa.concat_tables(found).unify_dictionaries() for found in parts)
    return samples, series


def batches(ticks: Iterable[Tick]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Turn ticks into such tables bit by bit, so that a long run needs no more memory than a short one; at least one.

    A batch holds whole seconds, as they were recorded.
    """
    samples, series = _Samples(), _Series()
    for tick in ticks:
        samples.add(tick)
        series.add(tick)
        if max(samples.rows, series.rows) >= ROWS_WRITTEN:
            yield samples.table(), series.table()
            samples, series = _Samples(), _Series()
    yield samples.table(), series.table()


class _Samples:
    """Rows of the samples' table: what many bins have in common is kept once, until the table is made."""

    def __init__(self) -> None:
        self.rows = 0
        self._heads: list[tuple[object, ...]] = []
        self._bins: list[int] = []
        self._counts: list[int] = []
        self._lengths: list[int] = []

    def add(self, tick: Tick) -> None:
        for key, bins in tick.trends.items():
            head = (tick.second, _text(key.metric), _text(key.name), tags_text(key.tags), key.outcome, key.clock)
            self._heads.append(head)
            self._lengths.append(len(bins))
            ordered = sorted(bins)
            self._bins += ordered
            self._counts += map(bins.__getitem__, ordered)
            self.rows += len(ordered)

    def table(self) -> pa.Table:
        import numpy as np  # noqa: PLC0415 - heavy, and not every command needs it
        import pyarrow as pa  # noqa: PLC0415 - as above

        texts = pa.dictionary(pa.int32(), pa.string())
        types = (pa.int32(), *[texts] * 5)
        heads = list(zip(*self._heads, strict=True)) or [()] * len(types)
        place = pa.array(np.repeat(np.arange(len(self._heads)), self._lengths))
        columns = [pa.array(column, kind).take(place) for column, kind in zip(heads, types, strict=True)]
        numbers = [pa.array(self._bins, pa.int32()), pa.array(self._counts, pa.int64())]
        return pa.table([*columns, *numbers], names=list(SAMPLE_COLUMNS))


class _Series:
    """Rows of the series' table."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    @property
    def rows(self) -> int:
        return len(self._rows)

    def add(self, tick: Tick) -> None:
        for key, (hits, total) in tick.rates.items():
            self._row(tick, "rate", key, float(hits), total)
        for key, count in tick.counters.items():
            self._row(tick, "counter", key, float(count), count)
        for key, value in tick.gauges.items():
            self._row(tick, "gauge", key, value, 0)

    def _row(self, tick: Tick, kind: str, key: SeriesKey, value: float, total: int) -> None:
        self._rows.append((tick.second, kind, _text(key.metric), tags_text(key.tags), value, total))

    def table(self) -> pa.Table:
        import pyarrow as pa  # noqa: PLC0415 - heavy, and not every command needs it

        texts = pa.dictionary(pa.int32(), pa.string())
        types = (pa.int32(), texts, texts, texts, pa.float64(), pa.int64())
        columns = list(zip(*self._rows, strict=True)) or [()] * len(types)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        return pa.table(arrays, names=list(SERIES_COLUMNS))


def note(folder: RunFolder, tick: Tick) -> None:
    """Keep what was measured beside the load, as the load process keeps what it measured.

    Raises:
        RunError: the disk does not take it.
    """
    with store.written(folder.probes), folder.probes.open("a", encoding="utf-8") as log:
        log.write(tick.to_json() + "\n")


def much(folder: RunFolder) -> bool:
    """Tell whether a run's live log is so long that it takes a second or more to read."""
    return folder.ticks.exists() and folder.ticks.stat().st_size > MUCH


def close(folder: RunFolder) -> None:
    """Turn the live logs into Parquet and take them away; a run that is closed already is left as it is.

    Raises:
        RunError: a line is no tick, or the disk does not take the tables.
    """
    if not folder.ticks.exists():
        return
    none = tables([])
    with _writing(folder.samples, none[0].schema) as samples, _writing(folder.series, none[1].schema) as series:
        for some, others in batches(logged(folder)):
            samples.write_table(some)
            series.write_table(others)
    folder.ticks.unlink()
    folder.probes.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Write a Parquet file bit by bit; it is there at the end of the block, whole, and not at all if that fails."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    temporary = path.with_suffix(".new")
    with store.written(path):
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            yield writer
        temporary.replace(path)


def read(folder: RunFolder) -> tuple[pa.Table, pa.Table]:
    """Read a run's samples and series, from Parquet or, for a run that goes on or was killed, from its live logs.

    Raises:
        RunError: there is neither.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    if folder.ticks.exists():
        return tables(logged(folder))
    with _readable(folder):
        return pq.read_table(folder.samples), pq.read_table(folder.series)


def series(folder: RunFolder) -> pa.Table:
    """Read the series of a closed run.

    Raises:
        RunError: they cannot be read.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    with _readable(folder):
        return pq.read_table(folder.series)


def parts(folder: RunFolder) -> Iterator[pa.Table]:
    """Read the samples of a closed run in tables of ROWS_READ rows.

    Raises:
        RunError: they cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy, and not every command needs it
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    with _readable(folder), pq.ParquetFile(folder.samples, pre_buffer=False) as file:
        for rows in file.iter_batches(ROWS_READ, use_threads=False):
            yield pa.Table.from_batches([rows])


@contextmanager
def _readable(folder: RunFolder) -> Iterator[None]:
    """Say in one sentence what keeps a run's tables from being read within the block."""
    try:
        yield
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
