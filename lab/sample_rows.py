"""Seconds as rows: ticks become the samples' and the series' table, and rows become ticks again."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from lab.model.sample import SeriesKey, Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from lab.model.sample import Tags

SAMPLE_COLUMNS: Final = ("second", "metric", "name", "tags", "outcome", "clock", "bin", "count")
SERIES_COLUMNS: Final = ("second", "kind", "metric", "tags", "value", "total")
ROWS_AT_ONCE: Final = 65_536
ROWS_WRITTEN: Final = 262_144
"""Rows that are gathered before they are written, which is how much memory a close needs."""


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


def _by_second(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Give the rows by second, and within it as they were recorded."""
    for batch in table.sort_by("second").to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@lru_cache(maxsize=4096)
def _pairs(text: str) -> Tags:
    return tuple(json.loads(text).items())
