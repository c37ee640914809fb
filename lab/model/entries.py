"""The values of a scenario file, read by kind: each mistake names its line, its key and what is written there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lab.errors import ConfigError
from lab.model.source import Source, shown
from lab.model.stage import MAX_USERS, parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping


def text(table: Mapping[str, Any], key: str, source: Source, default: str | None = None) -> str:
    """Read a text.

    Raises:
        ScenarioError: it is none, or it is missing and has no default; as for the others here.
    """
    value = table.get(key, default)
    if value is None:
        raise source.error(f'"{key}" is missing; add a line like {_EXAMPLES[key]}')
    if not isinstance(value, str):
        raise source.error(f"{key} must be a text in quotes, not {shown(value)}", key)
    return value


def count(table: Mapping[str, Any], key: str, source: Source, default: int | None = None) -> int:
    """Read a whole number from 0 to the most users that there may be."""
    value = table.get(key, default)
    if value is None:
        raise source.error(f'"{key}" is missing; add a line like {_EXAMPLES[key]}')
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_USERS:
        raise source.error(f"{key} = {shown(value)} must be a whole number from 0 to {MAX_USERS:,}", key, value)
    return value


def seconds(table: Mapping[str, Any], key: str, source: Source, default: float | None = None) -> float:
    """Read a duration, in seconds."""
    value = table.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise source.error(f'{key} must be a duration in quotes, like {key} = "30s"', key, value)
    try:
        return parse_duration(value)
    except ConfigError as error:
        raise source.error(f"{key}: {error}", key, value) from None


def number(table: Mapping[str, Any], key: str, source: Source) -> float:
    """Read a number over 0; a key that is not there is 0."""
    value = table.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_USERS:
        raise source.error(f"{key} = {shown(value)} must be a number over 0, of at most {MAX_USERS:,}", key)
    if key in table and not value:
        raise source.error(f"{key} = 0 would let nothing through; leave it out for no limit", key)
    return float(value)


def choice(table: Mapping[str, Any], key: str, source: Source, choices: Mapping[str, bool]) -> bool:
    """Read one of two words; a key that is not there is the first."""
    value = table.get(key, next(iter(choices)))
    if not isinstance(value, str) or value not in choices:
        raise source.error(f"{key} is one of {', '.join(choices)}, not {shown(value)}", key)
    return choices[value]


def flag(table: Mapping[str, Any], key: str, source: Source) -> bool:
    """Read true or false; a key that is not there is false."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise source.error(f"{key} must be true or false, not {shown(value)}", key, value)
    return value


def pairs(table: Mapping[str, Any], key: str, source: Source) -> tuple[tuple[str, str], ...]:
    """Read a table of texts, sorted by key."""
    value = table.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise source.error(f'{key} is a table of texts, like {key} = {{team = "booking"}}', key)
    return tuple(sorted(value.items()))


_EXAMPLES: Final = {
    "executor": 'executor = "ramping-vus"',
    "exec": 'exec = "PoolBooker" (a user class of scenarios/users.py)',
    "vus": "vus = 25",
    "target": "target = 20",
    "startVUs": "startVUs = 0",
    "rate": "rate = 50 (iterations per timeUnit, which is 1s)",
    "preAllocatedVUs": "preAllocatedVUs = 20",
}
