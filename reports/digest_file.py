"""A run's digest on disk: kept beside the samples that it was made of, made again where it does not belong to them.

`digest.npz` holds columns, and as `head` what says whether they still hold: the version, the size, time and hash of the
samples, and from which second on the run is judged. Samples that were edited, a run of before or of another release,
or a file that is cut off: then the samples are read again, and what is kept is replaced. It may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from lab import sample_rows, samples_file
from reports.digest import Digest, build
from reports.kinds import Kind, Kinds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from lab.model.run import Run
    from lab.store import RunFolder

DIGEST_FILE: Final = "digest.npz"
DIGEST_VERSION: Final = 1
"""Goes up with every change of what a digest holds, or of how it is worked out."""
_FRAMES: Final = ("totals", "requests", "windows")
_DAMAGED: Final = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


def read(folder: RunFolder, run: Run, since: int | None = None) -> tuple[Digest, pa.Table]:
    """Give a run's digest and its series: of a closed run what is kept, if it still holds.

    Args:
        folder: a run that is closed, goes on, or was killed.
        run: what its `run.json` says.
        since: the second from which on it is judged, where that is not the end of its warm-up.

    Raises:
        RunError: the samples or the series cannot be read.
    """
    warmup = run.warmup if since is None else since
    if folder.ticks.exists():
        return _of_tables(*samples_file.read(folder), run, warmup)
    if not folder.samples.exists():
        return _of_tables(*sample_rows.tables([]), run, warmup)
    series = samples_file.series(folder)
    kept = folder.path / DIGEST_FILE
    seconds = run.totals.seconds or _end(series)
    found = _kept(kept, folder.samples, warmup, seconds)
    if found is None:
        tie = _tie(folder.samples)
        found = build(lambda: samples_file.parts(folder), warmup, run.totals.seconds, _end(series))
        if warmup == run.warmup:
            _keep(kept, found, {**tie, "warmup": warmup, "seconds": seconds})
    return found, series


def _of_tables(samples: pa.Table, series: pa.Table, run: Run, warmup: int) -> tuple[Digest, pa.Table]:
    def parts() -> Iterator[pa.Table]:
        for start in range(0, len(samples), sample_rows.ROWS_WRITTEN):
            yield samples.slice(start, sample_rows.ROWS_WRITTEN)

    return build(parts, warmup, run.totals.seconds, _end(series)), series


def _end(series: pa.Table) -> int:
    """Give when the last of the series ends, in seconds."""
    return int(series["second"].to_numpy().max(initial=-1)) + 1


def _tie(samples: Path) -> dict[str, Any]:
    """Give what tells these samples from others."""
    about = samples.stat()
    with samples.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return {"version": DIGEST_VERSION, "size": about.st_size, "time": about.st_mtime_ns, "sha256": content}


def _kept(path: Path, samples: Path, warmup: int, seconds: int) -> Digest | None:
    """Read what is kept; None where there is nothing that holds for these samples."""
    try:
        with np.load(path, allow_pickle=False) as columns:
            head = json.loads(columns["head"].tobytes())
            wanted = (DIGEST_VERSION, warmup, seconds)
            if tuple(head[name] for name in ("version", "warmup", "seconds")) != wanted or not _same(head, samples):
                return None
            frames = [_frame(columns, name) for name in _FRAMES]
        bands = {(operation, metric): (low, high) for operation, metric, low, high in head["bands"]}
        kinds = Kinds(tuple(Kind(*kind) for kind in head["kinds"]))
        return Digest(warmup, head["length"], kinds, frames[0], frames[1], frames[2], bands)
    except _DAMAGED:
        return None


def _same(head: dict[str, Any], samples: Path) -> bool:
    about = samples.stat()
    if about.st_size != head["size"]:
        return False
    # A folder that was copied has new times and the same content.
    return bool(about.st_mtime_ns == head["time"] or _tie(samples)["sha256"] == head["sha256"])


def _frame(columns: Any, name: str) -> pd.DataFrame:  # noqa: ANN401 - what NumPy reads
    names = [column for column in columns.files if column.startswith(f"{name}.")]
    return pd.DataFrame({column.partition(".")[2]: columns[column].astype(np.int64) for column in names})


def _keep(path: Path, digest: Digest, head: dict[str, Any]) -> None:
    """Write a digest, whole or not at all; where the disk does not take it, it is worked out again the next time."""
    head |= {
        "length": digest.seconds,
        "kinds": digest.kinds.all,
        "bands": [[*key, *limits] for key, limits in digest.bands.items()],
    }
    columns: dict[str, Any] = {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)}
    for name in _FRAMES:
        frame: pd.DataFrame = getattr(digest, name)
        columns |= {f"{name}.{column}": _narrow(frame[column].to_numpy(np.int64)) for column in frame.columns}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(file, **columns)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _narrow(column: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[Any]]:
    """Give a column in the smallest type that holds it."""
    low, high = int(column.min(initial=0)), int(column.max(initial=0))
    kinds = (np.int8, np.int16, np.int32)
    return column.astype(
        next((kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max), np.int64)
    )
