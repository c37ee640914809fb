"""An experiment: what is held against what, in which order, and how far it came. Pure values."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPERIMENT_VERSION: Final = 1
MOST_PAIRS: Final = 200
TRIES: Final = 2
"""How often a run is tried before it is given up and named."""


class Kind(StrEnum):
    """What stands behind an arm: the bundled platform with a profile, or somebody's deployment."""

    PROFILE = "profile"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the things that are held against each other; the first of an experiment is its baseline.

    Attributes:
        label: what it is called, no other arm's name.
        kind: what stands behind it.
        name: the profile, or how the target is named: a file, a name, or nothing for the URLs of the command line.
        command: what the shell runs before each of its runs; without secrets, since it is written down.
        note: what was changed, and what it should give.
    """

    label: str
    kind: Kind
    name: str = ""
    command: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One run that is to be made: of a pair (from 1; with more than two arms a block), for an arm."""

    pair: int
    label: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run that was tried.

    Attributes:
        turn: for what.
        run_id: its folder; empty where it did not come so far.
        failure: why it does not count, or (of the last try) why little can be built on it; empty for a good one.
        counts: whether the comparison has it.
        seconds: how long it took, with all that belongs to it.
    """

    turn: Turn
    run_id: str
    failure: str
    counts: bool
    seconds: float


class State(StrEnum):
    """How far an experiment came."""

    OPEN = "open"
    DONE = "done"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Making:
    """How each of the runs is made, as the command line said it: what `--resume` needs to go on alike.

    `urls` are those of a target that was named by its URLs; `backend` is "" for what the settings say; `dataset` is
    the file of a target's data, "" for the target's own.
    """

    scenario: str
    stages: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    duration: str = ""
    warmup: str = ""
    time_scale: float = 1.0
    workers: int | None = None
    backend: str = ""
    audit: bool = True
    urls: dict[str, str] = field(default_factory=dict)
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment as it is written down.

    Attributes:
        id: the name of its folder.
        started: ISO 8601 in UTC.
        arms: what is held against what, the baseline first.
        pairs: how many there are to be, or with `until_settled` at most.
        seed: of the order, and of the users' choices in every run.
        making: how each of the runs is made.
        command: the command line that began it, for a person.
        until_settled: whether it ends as soon as the answer is there; each look is held to a level of its own then.
        alpha: how often all looks together may claim a difference where there is none.
        cool_down: seconds between two runs.
        attempts: what was tried.
        state: how far it came.
    """

    id: str
    started: str
    arms: tuple[Arm, ...]
    pairs: int
    seed: int
    making: Making
    command: str = ""
    until_settled: bool = False
    alpha: float = 0.05
    cool_down: float = 2.0
    attempts: tuple[Attempt, ...] = ()
    state: State = State.OPEN
    version: int = EXPERIMENT_VERSION

    def __post_init__(self) -> None:
        """Refuse what is no experiment.

        Raises:
            ConfigError: naming the option.
        """
        if len(self.arms) < 2:  # noqa: PLR2004 - a baseline and somebody to hold against it
            raise ConfigError("an experiment holds a --candidate against a --baseline: name both")
        if not 1 <= self.pairs <= MOST_PAIRS:
            raise ConfigError(f"{self.pairs} pairs: give 1 to {MOST_PAIRS}; a verdict needs 6")
        for label, count in Counter(arm.label for arm in self.arms).items():
            if count > 1:
                raise ConfigError(f'two sides are called "{label}": no two may have one name')

    @property
    def identical(self) -> bool:
        """Tell whether all its sides are one and the same: an A/A experiment."""
        return len({(arm.kind, arm.name, arm.command) for arm in self.arms}) == 1

    def order(self, pair: int) -> tuple[Turn, ...]:
        """Give the runs of a pair, in an order drawn from the seed: who comes first is nobody's choice."""
        labels = [arm.label for arm in self.arms]
        random.Random(f"{self.seed} {pair}").shuffle(labels)  # noqa: S311 - an order, no secret
        return tuple(Turn(pair, label) for label in labels)

    def arm(self, label: str) -> Arm:
        """Give the arm of this name."""
        return next(arm for arm in self.arms if arm.label == label)

    def whole(self, pair: int) -> bool:
        """Tell whether every arm has a run of a pair that counts."""
        return {one.turn.label for one in self.attempts if one.turn.pair == pair and one.counts} == {
            arm.label for arm in self.arms
        }

    def over(self, pair: int) -> bool:
        """Tell whether nothing is to be done for a pair any more: it is whole, or one of its runs was given up."""
        tried = Counter(one.turn.label for one in self.attempts if one.turn.pair == pair and not one.counts)
        return self.whole(pair) or any(count >= TRIES for count in tried.values())

    def ever_made(self, label: str) -> bool:
        """Tell whether a run of an arm ever counted."""
        return any(one.counts and one.turn.label == label for one in self.attempts)

    @property
    def complete(self) -> int:
        """Give how many pairs are whole."""
        return sum(self.whole(pair) for pair in range(1, self.pairs + 1))

    @property
    def next_pair(self) -> int:
        """Give the pair that is next; one more than there are when none is left."""
        return next((pair for pair in range(1, self.pairs + 1) if not self.over(pair)), self.pairs + 1)

    def runs_of(self, label: str) -> tuple[str, ...]:
        """Give the runs of an arm that the comparison has: those of whole pairs."""
        return tuple(
            one.run_id for one in self.attempts if one.counts and one.turn.label == label and self.whole(one.turn.pair)
        )

    def with_attempt(self, attempt: Attempt) -> Experiment:
        """Note a run that was tried."""
        return replace(self, attempts=(*self.attempts, attempt))

    def taken_up(self) -> Experiment:
        """Go on with it: a pair that was left half-made is made again, since its halves belong side by side."""
        if not any(one.counts for one in self.attempts):
            # Not one run came about, and whatever stood in the way may be gone: no pair is given up for that.
            return replace(self, attempts=())
        kept = tuple(one for one in self.attempts if self.over(one.turn.pair))
        return replace(self, attempts=kept)


def arm(option: str, text: str, profiles: Sequence[str], command: str = "", note: str = "") -> Arm:
    """Read an arm as the command line names it.

    Args:
        option: the option that it stands in, for the error.
        text: `profile:NAME`, `target:FILE` or `target:NAME`; empty for the URLs of the command line.
        profiles: those that there are.
        command: what is run before each of its runs.
        note: what was changed.

    Raises:
        ConfigError: it is none of these.
    """
    kind, colon, name = text.partition(":")
    if not text:
        return Arm("", Kind.TARGET, "", command, note)
    if not colon or kind not in list(Kind) or not name:
        like = f"profile:{text}" if text in profiles else "profile:safe, or target:staging.toml"
        raise ConfigError(f"{option} {text}: write it like {like}")
    if kind == Kind.PROFILE and command:
        raise ConfigError(f"{option}-cmd belongs to a deployment of your own (target:…); {text} is started by the lab")
    label = name if kind == Kind.PROFILE else name.rpartition("/")[2].removesuffix(".toml")
    return Arm(label, Kind(kind), name, command, note)


def told_apart(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """Name arms that are one and the same: `safe A`, `safe B` (an A/A experiment), and those that have no name."""
    names = [one.label or ("baseline" if place == 0 else "candidate") for place, one in enumerate(arms)]
    counts = Counter(names)
    used: Counter[str] = Counter()
    found = []
    for one, name in zip(arms, names, strict=True):
        used[name] += 1
        label = f"{name} {chr(ord('A') + used[name] - 1)}" if counts[name] > 1 else name
        found.append(replace(one, label=label))
    return tuple(found)
