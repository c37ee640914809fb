"""Samples as columns: a run's ticks in two Parquet files, so that merging runs is a group-by and a sum."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from lab import store
from lab.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from lab.model.sample import Tags, Tick
    from lab.store import RunFolder

SAMPLE_COLUMNS: Final = ("second", "metric", "name", "tags", "outcome", "clock", "bin", "count")
SERIES_COLUMNS: Final = ("second", "kind", "metric", "tags", "value", "total")


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


def close(folder: RunFolder) -> None:
    """Turn the live log into Parquet and take it away; a run that is closed already is left as it is."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    if not folder.ticks.exists():
        return
    for table, path in zip(tables(store.read_ticks(folder.ticks)), (folder.samples, folder.series), strict=True):
        temporary = path.with_suffix(".new")
        pq.write_table(table, temporary, compression="zstd")
        temporary.replace(path)
    folder.ticks.unlink()


def read(folder: RunFolder) -> tuple[pa.Table, pa.Table]:
    """Read a run's samples and series, from Parquet or, for a run that goes on or was killed, from its live log.

    Raises:
        RunError: there is neither.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy, and not every command needs it

    if folder.ticks.exists():
        return tables(store.read_ticks(folder.ticks))
    try:
        return pq.read_table(folder.samples), pq.read_table(folder.series)
    except (OSError, ValueError) as error:
        raise RunError(f"{folder.path}: no samples can be read: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
