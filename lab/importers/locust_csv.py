"""Locust's `--csv` files: figures without samples, kept as they are.

Locust rounds its percentiles to two significant digits and counts failures in; nothing of that can be undone here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError
from lab.importers.figures import Table
from lab.importers.found import Found
from lab.importers.source import rows, shown, wrong
from lab.model.run import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.importers.figures import Cell

FORM: Final = "statistics"
NO_FIGURE: Final = "N/A"
WHOLE: Final = "Aggregated"
_COUNTS: Final = ("Request Count", "Failure Count")
_STATS: Final = ("Type", "Name", *_COUNTS, "Requests/s")
_HISTORY: Final = ("Timestamp", "User Count", "Name")
_WORDS: Final = ("Type", "Name")


def read(path: Path, history: Path | None = None) -> Found:
    """Read `…_stats.csv`, and the times and users of `…_stats_history.csv`.

    Raises:
        ConfigError: one of them is cut off or foreign.
    """
    found = [(number, row, _cells(path, number, row)) for number, row in rows(path, _STATS)]
    whole = next((cells for _, row, cells in found if row["Name"] == WHOLE), None)
    if whole is None:
        raise ConfigError(f'{path}: expected a last row "{WHOLE}"; found {len(found)} rows without it: is it cut off?')
    columns = tuple(found[0][1])
    began, seconds, peak = _course(history) if history else (None, _length(whole), 0)
    sent, failed = (round(float(whole[name] or 0)) for name in _COUNTS)
    table = Table("Requests (times in ms)", columns, tuple(tuple(cells.values()) for _, _, cells in found))
    empty = [str(row["Name"]) for _, row, cells in found if not cells["Request Count"]]
    notes = ["its percentiles are Locust's own: of two significant digits, over successes and failures alike"]
    if history is None:
        notes.append("how many users there were stands in …_stats_history.csv: give it as the second file")
    if empty:
        notes.append(f"NO DATA: nothing was measured of {', '.join(map(shown, empty))}: its zeros mean nothing")
    totals = Totals(sent=sent, ok=max(sent - failed, 0), failed=failed, seconds=round(seconds))
    return Found("Locust", FORM, seconds, peak, totals, began=began, tables=(table,), notes=tuple(notes))


def _cells(path: Path, number: int, row: Mapping[str, str]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for name, text in row.items():
        if name in _WORDS:
            cells[name] = text
        elif text == NO_FIGURE:
            cells[name] = None
        else:
            cells[name] = _figure(path, number, name, text)
    return cells


def _figure(path: Path, number: int, name: str, text: str) -> float:
    try:
        return int(text) if text.isdecimal() else _finite(text)
    except (ValueError, OverflowError):
        raise wrong(path, number, f"a figure in {name}", text or "nothing") from None


def _finite(text: str) -> float:
    value = float(text)
    if value - value:
        raise ValueError
    return value


def _length(whole: Mapping[str, Cell]) -> float:
    """Give how long the run took: what Locust divided its count by."""
    count, rate = whole["Request Count"], whole["Requests/s"]
    return float(count) / float(rate) if count and rate else 0.0


def _course(path: Path) -> tuple[float | None, float, int]:
    """Give when the run began, how many seconds it took and its most users."""
    times, peak = [0.0, 0.0], 0
    for number, row in rows(path, _HISTORY):
        at = _figure(path, number, "Timestamp", row["Timestamp"])
        times = [times[0] or at, at]
        peak = max(peak, int(_figure(path, number, "User Count", row["User Count"])))
    if not times[0]:
        raise ConfigError(f"{path}: expected a row for each second; found none")
    return times[0], times[1] - times[0], peak
