"""A scenario as it is written: TOML that uses k6's words, with one load at the top or several in [scenarios.NAME]."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from lab.errors import ConfigError, ScenarioError, nearest
from lab.model import entries, load_entries
from lab.model.dataset import DataNeeds
from lab.model.scenario import Scenario
from lab.model.source import Source
from lab.model.threshold import Threshold, parse_selector, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.model.load import Load

WHOLE_KEYS: Final = ("description", "thresholds", "data", "users", "contention", "rps", "warmup")
AUTO: Final = "auto"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A load's name becomes a tag, by which thresholds find it."""
_THRESHOLD_KEYS: Final = ("threshold", "abortOnFail", "delayAbortEval")


def parse_scenario(text: str, name: str, where: str) -> Scenario:
    """Read a scenario.

    Args:
        text: TOML.
        name: the scenario's name (its file's stem).
        where: what to call the file in an error.

    Raises:
        ScenarioError: naming the file, the line, the word and, for a mistyped one, the nearest right one.
    """
    source = Source(text, where)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        raise ScenarioError(f"{where}: no valid TOML: {error}") from None
    loads = _loads(table, source)
    warmup = table.get("warmup", "0s")
    return Scenario(
        name=name,
        loads=loads,
        users_file=entries.text(table, "users", source, ""),
        description=" ".join(entries.text(table, "description", source, "").split()),
        thresholds=_thresholds(table.get("thresholds", {}), source),
        waived=tuple(metric for metric, texts in table.get("thresholds", {}).items() if texts == []),
        data=_data(table.get("data", {}), source),
        contention=entries.flag(table, "contention", source),
        rps=entries.number(table, "rps", source),
        warmup=0.0 if warmup == AUTO else _warmup(table, source, max(load.end for load in loads)),
        auto_warmup=warmup == AUTO,
    )


def _loads(table: Mapping[str, Any], source: Source) -> tuple[Load, ...]:
    several = table.get("scenarios")
    known = (*WHOLE_KEYS, "scenarios", *(() if several is not None else load_entries.KEYS))
    for key in table:
        if key not in known:
            moved = several is not None and key in load_entries.KEYS
            hint = ": it belongs into a [scenarios.NAME]" if moved else nearest(key, known)
            raise source.error(f'unknown key "{key}"{hint}', key)
    if several is None:
        return (load_entries.load({key: value for key, value in table.items() if key not in WHOLE_KEYS}, "", source),)
    if not isinstance(several, dict) or not several or not all(isinstance(inner, dict) for inner in several.values()):
        raise source.error("several loads are tables of their own: [scenarios.NAME]", "scenarios")
    for name in several:
        if not _NAME.fullmatch(name):
            raise source.error(f'"{name}" is no name for a load: write letters, digits, "-" and "_"', name)
    return tuple(load_entries.load(inner, name, source.section(f"scenarios.{name}")) for name, inner in several.items())


def _warmup(table: Mapping[str, Any], source: Source, length: float) -> float:
    seconds = entries.seconds(table, "warmup", source, 0.0)
    if seconds >= length:
        raise source.error(f"warmup: {seconds:g} s leave nothing of a run of {length:g} s", "warmup")
    return seconds


def _thresholds(table: object, source: Source) -> tuple[Threshold, ...]:
    if not isinstance(table, dict):
        raise source.error('thresholds are written http_req_duration = ["p(95)<2000"]', "thresholds")
    found = []
    for metric, expressions in table.items():
        rows = [expressions] if isinstance(expressions, str | dict) else expressions
        if not isinstance(rows, list) or not all(isinstance(row, str | dict) for row in rows):
            raise source.error(f'{metric}: write a list of texts, like ["p(95)<2000"]', metric)
        try:
            parse_selector(metric)  # also where an empty list waives it
        except ConfigError as error:
            raise source.error(str(error), metric) from None
        found += [_threshold(metric, row, source) for row in rows]
    return tuple(found)


def _threshold(metric: str, row: str | dict[str, Any], source: Source) -> Threshold:
    """Read one: a text, or k6's table with `threshold`, `abortOnFail` and `delayAbortEval`."""
    table: dict[str, Any] = {"threshold": row} if isinstance(row, str) else row
    for key in table:
        if key not in _THRESHOLD_KEYS:
            raise source.error(f'{metric}: unknown key "{key}"{nearest(key, _THRESHOLD_KEYS)}', key)
    text = table.get("threshold")
    if not isinstance(text, str):
        raise source.error(f'{metric}: write {{threshold = "p(95)<2000", abortOnFail = true}}', metric)
    abort = entries.flag(table, "abortOnFail", source)
    delay = entries.seconds(table, "delayAbortEval", source, 0.0)
    try:
        return parse_threshold(metric, text, abort=abort, delay=delay)
    except ConfigError as error:
        raise source.error(str(error), text if source.line_of(text) else metric) from None


def _data(table: object, source: Source) -> DataNeeds:
    if not isinstance(table, dict):
        raise source.error("data is a table: [data]", "data")
    known = {f.name for f in fields(DataNeeds)}
    for key in table:
        if key not in known:
            raise source.error(f'unknown key "{key}" in [data]{nearest(key, known)}', key)
    plain = DataNeeds()
    seats = table.get("seats", list(plain.seats))
    if (
        not isinstance(seats, list)
        or len(seats) != len(plain.seats)
        or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in seats)
        or seats[0] > seats[1]
    ):
        raise source.error("seats is [fewest, most] per flight, like [150, 250]", "seats")
    flights = entries.count(table, "flights", source, plain.flights)
    if not flights:
        raise source.error("flights must be at least 1: there is nothing else to book", "flights")
    return DataNeeds(flights, entries.count(table, "users", source, plain.users), (seats[0], seats[1]))
