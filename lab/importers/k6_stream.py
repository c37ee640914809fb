"""k6's `--out json` (a sample a line) and `--out csv`, read line by line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from lab.importers.found import of_samples
from lab.importers.k6_points import LEFT_OUT, Point, Points
from lab.importers.source import lines, rows, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.importers.filling import Filling
    from lab.importers.found import Found

JSON_FORM: Final = "JSON samples"
CSV_FORM: Final = "CSV samples"
_LARGEST: Final = 1e15
_SAMPLE: Final = 'a JSON object with "type", "metric" and "data"'
_LEFT_OUT: Final = re.compile(r'\{"metric":"(\w+)","type":"Point","data":\{')
_COLUMNS: Final = ("metric_name", "timestamp", "metric_value")
_PACKED: Final = ("extra_tags", "metadata")
_UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From which size on a time since 1970 is in so many parts of a second."""


def read_json(path: Path, filling: Filling) -> Found:
    """Read `--out json`.

    Raises:
        ConfigError: a line is no sample: the file is cut off or foreign.
    """
    points = Points(filling)
    for number, line in lines(path):
        # Seven of nine lines that k6 writes for a request: not worth their parsing. A whole line ends with its braces.
        head = _LEFT_OUT.match(line)
        if head and head[1] in LEFT_OUT and line.rstrip().endswith("}}"):
            continue
        try:
            raw = json.loads(line)
            data = raw["data"]
            if raw["type"] == "Point":
                points.add(_point(raw["metric"], data["time"], data["value"], data.get("tags") or {}))
            elif raw["type"] == "Metric":
                _declare(points, raw["metric"], data)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise wrong(path, number, _SAMPLE, line) from None
    return _found(JSON_FORM, points, filling, ())


def read_csv(path: Path, filling: Filling) -> Found:
    """Read `--out csv`. It does not say of what kind the script's own metrics are: these are left out, by name.

    Raises:
        ConfigError: a row is no sample: the file is cut off or foreign.
    """
    points = Points(filling)
    for number, row in rows(path, _COLUMNS):
        tags = {key: value for key, value in row.items() if value and key not in {*_COLUMNS, *_PACKED}}
        tags.update(parse_qsl(row.get("extra_tags", "")))
        try:
            points.add(_point(row["metric_name"], row["timestamp"], float(row["metric_value"]), tags))
        except (ValueError, TypeError, OverflowError):
            found = f"{row['timestamp']}, {row['metric_value']}"
            raise wrong(path, number, "a time and a figure", found) from None
    return _found(CSV_FORM, points, filling, ("k6's CSV has its times in whole seconds, unless it was told otherwise",))


def _declare(points: Points, name: str, data: Mapping[str, Any]) -> None:
    sources = [item if isinstance(item, str) else item["source"] for item in data.get("thresholds") or []]
    points.declare(name, data["type"], time=data.get("contains") == "time", thresholds=sources)


def _point(metric: str, time: str, value: float, tags: Mapping[str, str]) -> Point:
    if not isinstance(metric, str) or isinstance(value, bool) or not -_LARGEST < value < _LARGEST:
        raise ValueError
    return Point(_seconds(time), metric, value, {str(key): str(tag) for key, tag in tags.items()})


def _seconds(text: str) -> float:
    """Read a time: ISO 8601, or a number since 1970 in s, ms, µs or ns, told by its size."""
    try:
        number = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not 0 <= number < 1e20:  # noqa: PLR2004 - nanoseconds of some thousand years
        raise ValueError
    return number / next((parts for least, parts in _UNITS if number >= least), 1)


def _found(form: str, points: Points, filling: Filling, notes: tuple[str, ...]) -> Found:
    tally = filling.close()
    thresholds, strange = points.judged(tally)
    said = [*notes, "the parts of a request (blocked, connecting, waiting, …) are left out: the lab times the whole"]
    if thresholds:
        said.append("the thresholds were judged here, by the samples: a failure is an answer that never came")
    if strange:
        said.append(f"thresholds that the lab cannot judge: {'; '.join(strange)}")
    if points.unknown:
        names = ", ".join(sorted(points.unknown)[:20])
        said.append(f"left out, since the file does not say of what kind they are: {names}")
    return of_samples("k6", form, filling, tally, tuple(said), thresholds=thresholds)
