"""Samples as columns: a run's ticks in two Parquet files, so that merging runs is a group-by and a sum."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lab import store
from lab.errors import RunError
from lab.sample_rows import batches, seconds, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.parquet as pq

    from lab.model.sample import Tick
    from lab.store import RunFolder

ROWS_READ: Final = 131_072
"""Rows of a closed run that are read at once; read ahead, or by several threads, they take three times the memory."""
MUCH: Final = 8_000_000
"""Bytes of a live log."""


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


def logged(folder: RunFolder) -> Iterator[Tick]:
    """Read the live logs of a run: the load's seconds as they came, then what was measured beside it.

    Raises:
        RunError: a line is no tick.
    """
    yield from store.read_ticks(folder.ticks)
    if folder.probes.exists():
        yield from store.read_ticks(folder.probes)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
