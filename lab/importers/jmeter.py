"""JMeter's results file (.jtl) as CSV: a row for each sample, read line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.importers.found import of_samples
from lab.importers.source import rows, wrong
from lab.model.metrics import GROUP_DURATION
from lab.model.sample import SeriesKey, TrendKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.importers.filling import Filling
    from lab.importers.found import Found

FORM: Final = "samples"
_COLUMNS: Final = ("timeStamp", "elapsed", "label", "success")
_CONTROLLER: Final = "Number of samples in transaction"
"""How the message of a transaction controller begins: its row sums up samples that have rows of their own."""
_BYTES: Final = (("bytes", "data_received"), ("sentBytes", "data_sent"))
_MS: Final = 1000
_LATEST: Final = 10**14
_LARGEST: Final = 10**12
"""No sample has so many bytes, and no test so many users."""


def read(path: Path, filling: Filling) -> Found:
    """Read the file. A sample stands in the second in which it ended.

    Raises:
        ConfigError: a row is no sample: the file is cut off or foreign.
    """
    controllers = 0
    for number, row in rows(path, _COLUMNS):
        try:
            begin, elapsed = int(row["timeStamp"]), int(row["elapsed"])
            sizes = {metric: int(row.get(column) or 0) for column, metric in _BYTES}
            users = row.get("allThreads") or ""
            vus = float(users) if users else None
            if not all(0 <= figure < _LARGEST for figure in (*sizes.values(), vus or 0)):
                raise wrong(path, number, "bytes and threads in figures from 0 on", _figures(row))
        except ValueError:
            begin = elapsed = -1
        if begin < 0 or elapsed < 0 or begin + elapsed > _LATEST or row["success"] not in {"true", "false"}:
            found = f"{row['timeStamp']}, {row['elapsed']}, {row['success']}"
            raise wrong(path, number, "ms since 1970, ms elapsed, and true or false", found)
        at = (begin + elapsed) / _MS
        if row.get("responseMessage", "").startswith(_CONTROLLER):
            controllers += 1
            filling.trend(at, TrendKey(GROUP_DURATION, "", (("group", row["label"]),)), elapsed * _MS)
            continue
        filling.request(at, row["label"], (), elapsed * _MS, _reason(row))
        for metric, size in sizes.items():
            filling.count(at, SeriesKey(metric), size)
        if vus is not None:
            filling.gauge(at, SeriesKey("vus"), vus)
    tally = filling.close()
    notes = ["its times are whole milliseconds"]
    if controllers:
        notes.append(f"{controllers:,} rows of transaction controllers are kept as groups and not counted as requests")
    return of_samples("JMeter", FORM, filling, tally, tuple(notes))


def _figures(row: Mapping[str, str]) -> str:
    return ", ".join(row.get(column) or "nothing" for column in (*(column for column, _ in _BYTES), "allThreads"))


def _reason(row: Mapping[str, str]) -> str | None:
    if row["success"] == "true":
        return None
    said = " ".join(part for part in (row.get("responseCode", ""), row.get("responseMessage", "")) if part)
    return row.get("failureMessage") or said or "no reason in the file"
