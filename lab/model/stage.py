"""Stages: how many users there should be, as a pure function of elapsed time (k6's ramping-vus)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MAX_USERS: Final = 1_000_000
MAX_DIGITS: Final = 18
MAX_SECONDS: Final = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A straight line from the users before it to `target` users, in `duration` seconds; 0 s is a jump."""

    duration: float
    target: int


def parse_duration(text: str) -> float:
    """Read k6's durations ("90s", "1m30s", "1.5h", "500ms"; a bare number is milliseconds in k6 and refused here).

    Returns:
        Seconds.

    Raises:
        ConfigError: the text is no duration, or one of more than a year.
    """
    compact = text.strip()
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ConfigError(f'"{text}" is no duration; write it like "30s", "1m30s" or "500ms"')
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > MAX_SECONDS:
        raise ConfigError(f'"{compact[:40]}" is longer than a year')
    return seconds


def parse_stage(text: str) -> Stage:
    """Read a stage from the command line: `30s:20` is "30 seconds to 20 users" (k6's --stage).

    Raises:
        ConfigError: the text is no stage.
    """
    duration, colon, target = text.partition(":")
    digits = target.strip()
    # The length first: Python refuses to read a number of thousands of digits.
    if not colon or not digits.isdecimal() or len(digits) > MAX_DIGITS or int(digits) > MAX_USERS:
        raise ConfigError(f'--stage "{text}": write DURATION:USERS, like 30s:20, with at most {MAX_USERS:,} users')
    try:
        return Stage(parse_duration(duration), int(digits))
    except ConfigError as error:
        raise ConfigError(f'--stage "{text}": {error}') from None


def total_duration(stages: Sequence[Stage]) -> float:
    """Give the length of all stages together, in seconds."""
    return sum(stage.duration for stage in stages)


def users_at(stages: Sequence[Stage], start: int, elapsed: float) -> int:
    """Give the number of users that should run `elapsed` seconds after the start.

    Between two targets the number follows the straight line, rounded to the nearest user; after the last stage it
    is the last target, and before the start it is the number that the run begins with.
    """
    return int(level_at(stages, start, elapsed) + 0.5)


def level_at(stages: Sequence[Stage], start: int, elapsed: float) -> float:
    """Give the point of the straight line between two targets, not rounded; as `users_at` outside."""
    before, begin = start, 0.0
    elapsed = max(elapsed, 0.0)
    for stage in stages:
        if elapsed < begin + stage.duration:
            part = (elapsed - begin) / stage.duration
            return before + (stage.target - before) * part
        before, begin = stage.target, begin + stage.duration
    return float(before)


def peak(stages: Sequence[Stage], start: int) -> int:
    """Give the highest number that the stages reach."""
    return max([start, *(stage.target for stage in stages)])


def stage_index(stages: Sequence[Stage], elapsed: float) -> int:
    """Give the index of the stage that `elapsed` seconds falls into; the last one from its end on."""
    end = 0.0
    for index, stage in enumerate(stages):
        end += stage.duration
        if elapsed < end:
            return index
    return max(len(stages) - 1, 0)


def user_seconds(stages: Sequence[Stage], start: int) -> float:
    """Give the area under the curve of users over time: how much load the stages plan, in user-seconds."""
    before, area = start, 0.0
    for stage in stages:
        area += (before + stage.target) / 2 * stage.duration
        before = stage.target
    return area


def user_seconds_by(stages: Sequence[Stage], start: int, elapsed: float) -> float:
    """Give how much of that load is over after `elapsed` seconds, in user-seconds."""
    before, area, rest = start, 0.0, max(elapsed, 0.0)
    for stage in stages:
        part = min(rest, stage.duration)
        slope = (stage.target - before) / stage.duration if stage.duration else 0.0
        area += before * part + slope * part * part / 2
        before, rest = stage.target, rest - part
    return area


def rises(stages: Sequence[Stage], start: int) -> int:
    """Give by how many users all the ways up together lead up: those who come after the start."""
    targets = [start, *(stage.target for stage in stages)]
    return sum(max(after - before, 0) for before, after in pairwise(targets))


def full_after(stages: Sequence[Stage], start: int) -> float:
    """Give the seconds until the highest number of users is first reached."""
    top, clock = peak(stages, start), 0.0
    if start == top:
        return clock
    for stage in stages:
        clock += stage.duration
        if stage.target == top:
            break
    return clock


def held(stages: Sequence[Stage], start: int) -> float:
    """Give the seconds that the highest number of users is held."""
    return sum(stage.duration for stage, holds in _holds(stages, start) if holds)


def stretch_hold(stages: Sequence[Stage], start: int, seconds: float) -> tuple[Stage, ...]:
    """Let the highest number of users be held for so many seconds; several holds share them as they did before."""
    factor = seconds / held(stages, start)
    return tuple(Stage(s.duration * factor, s.target) if holds else s for s, holds in _holds(stages, start))


def _holds(stages: Sequence[Stage], start: int) -> list[tuple[Stage, bool]]:
    top = peak(stages, start)
    starts = [start, *(stage.target for stage in stages)]
    return [(stage, before == stage.target == top) for before, stage in zip(starts, stages, strict=False)]


def scale(stages: Sequence[Stage], factor: float) -> tuple[Stage, ...]:
    """Stretch (or shrink) time by `factor`; the targets stay."""
    return tuple(Stage(stage.duration * factor, stage.target) for stage in stages)
