"""A scenario: which load, by which user class, judged how. Read from TOML that uses k6's words."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from lab.errors import ConfigError, ScenarioError, nearest
from lab.model import entries
from lab.model.dataset import DataNeeds
from lab.model.source import Source
from lab.model.stage import Stage, held, scale, stretch_hold, total_duration, user_seconds
from lab.model.threshold import INTEGRITY_METRICS, Threshold, parse_selector, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXECUTORS: Final = ("constant-vus", "ramping-vus")
DEFAULT_GRACE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load to run. Times in seconds. A constant number of users is one stage that starts at its target.

    `waived` names metrics whose default threshold the scenario switches off with an empty list. `contention` says that
    many users meet on few seats on purpose: that they do, and that the seats run out, is then nothing against the run.
    """

    name: str
    executor: str
    stages: tuple[Stage, ...]
    user_class: str
    start_users: int = 0
    users_file: str = ""
    description: str = ""
    thresholds: tuple[Threshold, ...] = ()
    waived: tuple[str, ...] = ()
    graceful_stop: float = DEFAULT_GRACE
    tags: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    data: DataNeeds = field(default_factory=DataNeeds)
    contention: bool = False

    @property
    def duration(self) -> float:
        """Give the planned length in seconds, without the graceful stop."""
        return total_duration(self.stages)

    @property
    def peak(self) -> int:
        """Give the highest number of users planned."""
        return max([self.start_users, *(stage.target for stage in self.stages)])

    @property
    def user_seconds(self) -> float:
        """Give the planned load: users × seconds."""
        return user_seconds(self.stages, self.start_users)

    def scaled(self, factor: float) -> Scenario:
        """Stretch the stages' time by `factor` (think time stays, since it belongs to the users)."""
        return replace(self, stages=scale(self.stages, factor))

    def with_duration(self, seconds: float) -> Scenario:
        """Stretch (or shrink) the hold at the peak until the whole takes so many seconds; ramps stay as they are.

        Raises:
            ConfigError: it has no hold, or its ramps alone take as long.
        """
        ramps = self.duration - held(self.stages, self.start_users)
        if ramps == self.duration:
            raise ConfigError(f"{self.name} never holds its peak of {self.peak} users: there is nothing to stretch")
        if seconds <= ramps:
            raise ConfigError(f"{self.name} cannot take {seconds:g} s: its ramps alone take {ramps:g} s")
        return replace(self, stages=stretch_hold(self.stages, self.start_users, seconds - ramps))

    def with_stages(self, stages: Sequence[Stage]) -> Scenario:
        """Replace the load by a ramp over other stages (the command line's --stage)."""
        return replace(self, executor="ramping-vus", stages=tuple(stages), start_users=0)

    def with_thresholds(self, extra: Sequence[Threshold]) -> Scenario:
        """Add thresholds; one on the same metric and aggregation replaces the scenario's own."""
        new = {(t.selector, t.aggregation, t.argument) for t in extra}
        kept = [t for t in self.thresholds if (t.selector, t.aggregation, t.argument) not in new]
        return replace(self, thresholds=(*kept, *extra))

    def with_integrity_thresholds(self) -> Scenario:
        """Add `== 0` for each figure of the audit that neither the scenario nor the user judges otherwise."""
        judged = {t.selector.metric for t in self.thresholds} | set(self.waived)
        extra = tuple(parse_threshold(metric, "value==0") for metric in INTEGRITY_METRICS if metric not in judged)
        return replace(self, thresholds=(*self.thresholds, *extra))


_KEYS: Final = (
    "description", "executor", "exec", "vus", "duration", "startVUs", "stages", "thresholds",
    "gracefulStop", "tags", "env", "data", "users", "contention",
)  # fmt: skip
_SHAPE_KEYS: Final = {"constant-vus": ("vus", "duration"), "ramping-vus": ("startVUs", "stages")}


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
    for key in table:
        if key not in _KEYS:
            raise source.error(f'unknown key "{key}"{nearest(key, _KEYS)}', key)
    executor = entries.text(table, "executor", source)
    if executor not in EXECUTORS:
        raise source.error(f'unknown executor "{executor}"{nearest(executor, EXECUTORS)}', executor)
    for other, keys in _SHAPE_KEYS.items():
        for key in keys:
            if other != executor and key in table:
                wanted = " and ".join(_SHAPE_KEYS[executor])
                raise source.error(f'"{key}" does not belong to {executor}, which takes {wanted}', key)
    start, stages = _shape(table, executor, source)
    return Scenario(
        name=name,
        executor=executor,
        stages=stages,
        start_users=start,
        user_class=entries.text(table, "exec", source),
        users_file=entries.text(table, "users", source, ""),
        description=" ".join(entries.text(table, "description", source, "").split()),
        thresholds=_thresholds(table.get("thresholds", {}), source),
        waived=tuple(metric for metric, texts in table.get("thresholds", {}).items() if texts == []),
        graceful_stop=entries.seconds(table, "gracefulStop", source, DEFAULT_GRACE),
        tags=entries.pairs(table, "tags", source),
        env=entries.pairs(table, "env", source),
        data=_data(table.get("data", {}), source),
        contention=entries.flag(table, "contention", source),
    )


def _shape(table: Mapping[str, Any], executor: str, source: Source) -> tuple[int, tuple[Stage, ...]]:
    if executor == "constant-vus":
        vus = entries.count(table, "vus", source)
        seconds = entries.seconds(table, "duration", source)
        if vus < 1 or seconds <= 0:
            raise source.error(f"{vus} users for {seconds:g} s are no load; both must be more than 0", "vus")
        return vus, (Stage(seconds, vus),)
    rows = table.get("stages")
    if not isinstance(rows, list) or not rows:
        raise source.error('ramping-vus needs stages = [{duration = "30s", target = 20}, …]', "stages")
    stages = []
    for row in rows:
        if not isinstance(row, dict):
            raise source.error('a stage is written {duration = "30s", target = 20}', "stages")
        for key in row:
            if key not in {"duration", "target"}:
                raise source.error(f'unknown key "{key}" in a stage{nearest(key, ("duration", "target"))}', key)
        stages.append(Stage(entries.seconds(row, "duration", source), entries.count(row, "target", source)))
    start = entries.count(table, "startVUs", source, 0)
    if user_seconds(stages, start) <= 0:
        raise source.error("these stages never run a user; give a target and a duration over 0", "stages")
    return start, tuple(stages)


def _thresholds(table: object, source: Source) -> tuple[Threshold, ...]:
    if not isinstance(table, dict):
        raise source.error('thresholds are written http_req_duration = ["p(95)<2000"]', "thresholds")
    found = []
    for metric, expressions in table.items():
        texts = [expressions] if isinstance(expressions, str) else expressions
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise source.error(f'{metric}: write a list of texts, like ["p(95)<2000"]', metric)
        try:
            parse_selector(metric)  # also where an empty list waives it
        except ConfigError as error:
            raise source.error(str(error), metric) from None
        for text in texts:
            try:
                found.append(parse_threshold(metric, text))
            except ConfigError as error:
                raise source.error(str(error), text if source.line_of(text) else metric) from None
    return tuple(found)


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
