"""From the words of the command line to an experiment that can be made, or one that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Final

from lab import place, redact, targets
from lab.errors import ConfigError, LabError, nearest
from lab.experiment import folder as folders
from lab.experiment import secrets
from lab.experiment.prepare import Places
from lab.model.experiment import Arm, Experiment, Kind, Making, arm, told_apart
from lab.stack.control import look_ahead
from lab.stack.profiles import RUNGS, check_profile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.experiment.folder import ExperimentFolder
    from lab.model.target import Target
    from lab.runner import Interrupts
    from lab.stack.backend import Backend

DEFAULT_PAIRS: Final = 10
MOST_UNTIL_SETTLED: Final = 20
FEWEST_SETTLED: Final = 6
"""Below this many pairs there is no verdict that could settle anything."""
BESIDE_RESUME: Final = frozenset(
    {
        *("--resume", "--out", "--db-url", "--amqp-url", "--smtp-url", "--influx", "--no-influx", "--allow-public"),
        *("--metric", "--margin", "--html", "--md", "--json", "--junit", "--fail-on"),
    }
)
"""What is not written down, since it may be secret, and what is only about the answer."""
_PIECE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Words:
    """What the command line says of the sides.

    Attributes:
        baseline: as `lab.model.experiment.arm` reads it; "" where only its command is given.
        candidates: the same, one or more.
        baseline_command: run before each of the baseline's runs.
        candidate_commands: of each candidate, or none at all.
        notes: of each candidate, or none at all.
        target: the target of sides that name none: a file or a name.
    """

    baseline: str
    candidates: Sequence[str]
    baseline_command: str = ""
    candidate_commands: Sequence[str] = ()
    notes: Sequence[str] = ()
    target: str = ""


def arms(words: Words, urls: dict[str, str]) -> tuple[Arm, ...]:
    """Read the sides, the baseline first.

    Raises:
        ConfigError: naming the option that cannot be used.
    """
    own = f"target:{words.target}" if words.target else ""
    count = max(len(words.candidates), len(words.candidate_commands))
    for option, given in (("--candidate-cmd", words.candidate_commands), ("--note", words.notes)):
        if len(given) not in {0, count}:
            raise ConfigError(f"{option} is given {len(given)} times, and there are {count} candidates: one for each")
    if words.candidates and len(words.candidates) != count:
        raise ConfigError("--candidate-cmd: give as many --candidate, or none and a --target")
    named = [*words.candidates] or [own] * len(words.candidate_commands)
    commands = [*words.candidate_commands] or [""] * count
    notes = [*words.notes] or [""] * count
    if not (words.baseline or words.baseline_command) or not named:
        raise ConfigError("name both sides: --baseline profile:as-found --candidate profile:safe")
    found = [
        arm("--baseline", words.baseline or own, RUNGS, words.baseline_command),
        *(arm("--candidate", *each) for each in zip(named, [RUNGS] * count, commands, notes, strict=True)),
    ]
    for one in found:
        if one.kind is Kind.PROFILE:
            check_profile(one.name)
        elif not (one.name or urls):
            raise ConfigError(
                "a side with a command of its own needs to know where to send load: --gateway or --target"
            )
        if secrets.holds_one(one.command):
            raise ConfigError(
                "a side's command seems to hold a password, and it is written down: read it from the environment, "
                "like --password $PASSWORD in single quotes"
            )
    _both_put_in_place(found)
    return told_apart(found)


def _both_put_in_place(found: Sequence[Arm]) -> None:
    """Refuse a deployment that one side changes and another takes as it finds it: as the first one left it."""
    for one in found:
        alike = [other for other in found if (other.kind, other.name) == (one.kind, one.name)]
        if one.command and not all(other.command for other in alike):
            raise ConfigError(
                f'"{one.command}" changes the deployment of another side, which has no command to change it back: '
                "give both --baseline-cmd and --candidate-cmd"
            )


def refuse_beside_resume(typed: Iterable[str]) -> None:
    """Refuse options that an experiment has had since it was begun.

    Args:
        typed: the options of the command line.

    Raises:
        ConfigError: naming those that cannot be given again.
    """
    settled = [option for option in typed if option not in BESIDE_RESUME]
    if settled:
        raise ConfigError(f"--resume goes on as it was begun: leave out {', '.join(settled)}")


def rungs(first: str, last: str, notes: Mapping[str, str]) -> tuple[Arm, ...]:
    """Give the rungs of the ladder of profiles from one to another as sides, the lowest as the baseline.

    Args:
        first: the lowest.
        last: the highest; "" for the top.
        notes: what each should give, by its name.

    Raises:
        ConfigError: a name is no rung, or they are not two.
    """
    for option, name in (("--from", first), ("--to", last)):
        if name and name not in RUNGS:
            raise ConfigError(f'{option}: "{name}" is no rung of the ladder{nearest(name, RUNGS)}')
    low, high = RUNGS.index(first), RUNGS.index(last or RUNGS[-1])
    if low >= high:
        raise ConfigError(f"--from {first} --to {RUNGS[high]}: a ladder goes up; its rungs are {', '.join(RUNGS)}")
    return tuple(Arm(name, Kind.PROFILE, name, note=notes.get(name, "")) for name in RUNGS[low : high + 1])


def begun(  # noqa: PLR0913 - all that an experiment is
    out: Path,
    sides: tuple[Arm, ...],
    making: Making,
    scenario: str,
    *,
    pairs: int | None,
    most_pairs: int | None = None,
    until_settled: bool = False,
    seed: int,
    alpha: float,
    cool_down: float,
    command: str,
) -> tuple[ExperimentFolder, Experiment]:
    """Make an experiment and its folder.

    Raises:
        ConfigError: a number is out of its range, or the URLs hold a password.
        RunError: the folder cannot be made.
    """
    if until_settled and pairs is not None:
        raise ConfigError("--until-settled ends by itself: give --max-pairs in the place of --pairs")
    if most_pairs is not None and not until_settled:
        raise ConfigError("--max-pairs is for --until-settled; without it give --pairs")
    if not 0 < alpha < 0.5:  # noqa: PLR2004 - beyond a half it would be no level
        raise ConfigError(f"--alpha {alpha:g} must be between 0 and 0.5, like 0.05")
    if not 0 <= cool_down <= 3600:  # noqa: PLR2004 - an hour is no cool-down any more
        raise ConfigError(f"--cool-down {cool_down:g}: give seconds, 0 to 3600")
    if any(redact.url(url) != url for url in making.urls.values()):
        raise ConfigError("a URL holds a password, and an experiment is written down: use a deployment without it")
    if most_pairs is not None and most_pairs < FEWEST_SETTLED:
        raise ConfigError(f"--max-pairs {most_pairs}: a verdict needs {FEWEST_SETTLED}")
    wanted = (most_pairs or MOST_UNTIL_SETTLED) if until_settled else DEFAULT_PAIRS if pairs is None else pairs
    found = Experiment(
        "",
        datetime.now(UTC).isoformat(timespec="milliseconds"),
        sides,
        wanted,
        seed,
        making,
        command,
        until_settled,
        alpha,
        cool_down,
    )
    folder = folders.create(out, scenario)
    found = replace(found, id=folder.path.name)
    folder.save(found)
    return folder, found


@contextmanager
def forgotten(folder: ExperimentFolder, *, new: bool) -> Iterator[None]:
    """Leave no folder of a new experiment that cannot begin, since something in the block is refused."""
    try:
        yield
    except LabError:
        if new:
            folder.forget()
        raise


def places(  # noqa: PLR0913 - where, on what, and who may stop it
    experiment: Experiment,
    log: Path,
    root: Path,
    backend: Backend | None,
    interrupts: Interrupts,
    *,
    allow_public: bool,
) -> Places:
    """Find what the sides stand on, before anything is started.

    Raises:
        TargetError: a target cannot be found, or is public.
        StackError: the backend cannot be used.
    """
    found: dict[str, Target] = {}
    for one in experiment.arms:
        if one.kind is Kind.TARGET:
            name = "" if one.name == place.LOCAL else one.name
            found[one.label] = targets.load(name, root, {} if name else experiment.making.urls)
            targets.require_private(found[one.label], allow_public=allow_public)
    if len(found) < len(experiment.arms) and backend is not None:
        look_ahead(backend)

    def pause(seconds: float) -> bool:
        waiting = Event()
        # In short pieces: a Ctrl-C is only counted, and ends no wait.
        for _ in range(max(round(seconds / _PIECE_S), 1)):
            if interrupts.count:
                return True
            waiting.wait(min(_PIECE_S, seconds))
        return interrupts.count > 0

    return Places(root, backend, found, log, pause)
