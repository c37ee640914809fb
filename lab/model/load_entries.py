"""The keys of a load, executor by executor, as k6 has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lab.errors import nearest
from lab.model import entries
from lab.model.load import DEFAULT_GRACE, EXECUTORS, LONGEST, Load
from lab.model.stage import MAX_USERS, Stage, user_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.model.source import Source

COMMON: Final = ("executor", "exec", "startTime", "gracefulStop", "tags", "env")
"""The keys that every load takes."""
_OPEN: Final = ("timeUnit", "preAllocatedVUs", "maxVUs", "arrivals", "whenBusy")
_BOUNDED: Final = ("vus", "iterations", "maxDuration")
OWN: Final = {
    "constant-vus": ("vus", "duration"),
    "ramping-vus": ("startVUs", "stages", "gracefulRampDown"),
    "shared-iterations": _BOUNDED,
    "per-vu-iterations": _BOUNDED,
    "constant-arrival-rate": ("rate", "duration", *_OPEN),
    "ramping-arrival-rate": ("startRate", "stages", *_OPEN),
}
"""The keys that each executor takes besides."""
KEYS: Final = tuple(dict.fromkeys((*COMMON, *(key for keys in OWN.values() for key in keys))))
"""Every key that some load takes."""
_ARRIVALS: Final = {"uniform": False, "poisson": True}
_BUSY: Final = {"drop": False, "wait": True}


def load(table: Mapping[str, Any], name: str, source: Source) -> Load:
    """Read a load.

    Raises:
        ScenarioError: naming the line, the word and, for a mistyped one, the nearest right one.
    """
    for key in table:
        if key not in KEYS:
            raise source.error(f'unknown key "{key}"{nearest(key, KEYS)}', key)
    executor = entries.text(table, "executor", source)
    if executor not in EXECUTORS:
        raise source.error(f'unknown executor "{executor}"{nearest(executor, EXECUTORS)}', executor)
    own = OWN[executor]
    for key in table:
        if key not in COMMON and key not in own:
            raise source.error(f'"{key}" does not belong to {executor}, which takes {_listed(own)}', key, table[key])
    shape = _SHAPES[executor](table, executor, source)
    return Load(
        executor=executor,
        user_class=entries.text(table, "exec", source),
        stages=shape.stages,
        start=shape.start,
        name=name,
        start_time=entries.seconds(table, "startTime", source, 0.0),
        iterations=shape.iterations,
        **_arriving(table, source, shape) if executor.endswith("arrival-rate") else {},
        graceful_stop=entries.seconds(table, "gracefulStop", source, DEFAULT_GRACE),
        graceful_ramp_down=entries.seconds(table, "gracefulRampDown", source, DEFAULT_GRACE),
        tags=entries.pairs(table, "tags", source),
        env=entries.pairs(table, "env", source),
    )


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True, slots=True)
class _Shape:
    start: int
    stages: tuple[Stage, ...]
    iterations: int = 0


def _constant(table: Mapping[str, Any], executor: str, source: Source) -> _Shape:
    key = "rate" if executor == "constant-arrival-rate" else "vus"
    number = entries.count(table, key, source)
    seconds = entries.seconds(table, "duration", source)
    if number < 1 or seconds <= 0:
        what = "arrivals" if key == "rate" else "users"
        word = key if number < 1 else "duration"
        raise source.error(f"{number} {what} for {seconds:g} s are no load; both must be more than 0", word)
    return _Shape(number, (Stage(seconds, number),))


def _ramping(table: Mapping[str, Any], executor: str, source: Source) -> _Shape:
    rows = table.get("stages")
    if not isinstance(rows, list) or not rows:
        raise source.error(f'{executor} needs stages = [{{duration = "30s", target = 20}}, …]', "stages")
    stages = []
    for row in rows:
        if not isinstance(row, dict):
            raise source.error('a stage is written {duration = "30s", target = 20}', "stages")
        for key in row:
            if key not in {"duration", "target"}:
                raise source.error(f'unknown key "{key}" in a stage{nearest(key, ("duration", "target"))}', key)
        stages.append(Stage(entries.seconds(row, "duration", source), entries.count(row, "target", source)))
    opens = executor == "ramping-arrival-rate"
    start = entries.count(table, "startRate" if opens else "startVUs", source, 0)
    if user_seconds(stages, start) <= 0:
        what = "start an iteration" if opens else "run a user"
        raise source.error(f"these stages never {what}; give a target and a duration over 0", "stages")
    return _Shape(start, tuple(stages))


def _bounded(table: Mapping[str, Any], executor: str, source: Source) -> _Shape:
    vus, iterations = entries.count(table, "vus", source, 1), entries.count(table, "iterations", source, 1)
    if vus < 1 or iterations < 1:
        word = "vus" if vus < 1 else "iterations"
        raise source.error(f"{vus} users and {iterations} iterations are no load; both must be more than 0", word)
    if executor == "shared-iterations" and vus > iterations:
        raise source.error(f"{vus} users share {iterations} iterations: some would have nothing to do", "iterations")
    seconds = entries.seconds(table, "maxDuration", source, LONGEST)
    if seconds <= 0:
        raise source.error("maxDuration must be more than 0", "maxDuration")
    return _Shape(vus, (Stage(seconds, vus),), iterations)


_SHAPES: Final = {
    "constant-vus": _constant,
    "ramping-vus": _ramping,
    "shared-iterations": _bounded,
    "per-vu-iterations": _bounded,
    "constant-arrival-rate": _constant,
    "ramping-arrival-rate": _ramping,
}


def _arriving(table: Mapping[str, Any], source: Source, shape: _Shape) -> dict[str, Any]:
    unit = entries.seconds(table, "timeUnit", source, 1.0)
    if unit <= 0:
        raise source.error("timeUnit must be more than 0", "timeUnit")
    fewest = entries.count(table, "preAllocatedVUs", source)
    most = entries.count(table, "maxVUs", source, max(fewest, 1))
    if not 1 <= most <= MAX_USERS or most < fewest:
        raise source.error(f"maxVUs = {most} must be at least 1, and no less than preAllocatedVUs = {fewest}", "maxVUs")
    if user_seconds(shape.stages, shape.start) / unit < 1:
        raise source.error("this rate starts not one iteration; raise it, or run longer", "timeUnit")
    return {
        "time_unit": unit,
        "pre_allocated": fewest,
        "max_vus": most,
        "poisson": entries.choice(table, "arrivals", source, _ARRIVALS),
        "waits": entries.choice(table, "whenBusy", source, _BUSY),
    }
