"""The errors that a user may see, each ending as one line that names the thing, where it stands and the remedy.

LabError
 ├─ ConfigError        what the user wrote cannot be used (exit 104)
 │   ├─ ScenarioError      a scenario file: path, line, word, nearest right one
 │   ├─ TargetError        a target: unknown, unsafe or not reachable before the run
 │   └─ DatasetError       a dataset file: missing, foreign, of another version
 ├─ StackError         the bundled platform cannot be started, found or stopped (exit 1)
 ├─ CallError          a call to the target was refused, or had no answer (exit 1)
 │   └─ SeedError          … while it was filled: what is kept, and how to go on
 ├─ RunError           the load could not be run or its folder not be read (exit 1)
 ├─ NotComparableError runs differ in more than what is compared (exit 3)
 ├─ SinkError          a server did not take a run's metrics (exit 1)
 ├─ StoppedError       the user asked to stop (exit 105)
 └─ ScriptError        the user's own class raised (exit 107)
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class LabError(Exception):
    """A failure that the user can act on; `exit_code` is what the command ends with."""

    exit_code: ClassVar[int] = 1


class ConfigError(LabError):
    """What the user wrote cannot be used."""

    exit_code = 104


class ScenarioError(ConfigError):
    """A scenario file cannot be used."""


class TargetError(ConfigError):
    """A target is unknown, unsafe or not reachable."""


class DatasetError(ConfigError):
    """A dataset file is missing, foreign or of another version."""


class StackError(LabError):
    """The bundled platform cannot be started, found or stopped."""


class CallError(LabError):
    """A call to the target was refused, had no answer, or had one that is none."""


class SeedError(CallError):
    """The target refused or went away while it was filled."""


class RunError(LabError):
    """The load could not be run, or a run folder cannot be read."""


class NotComparableError(LabError):
    """Runs differ in more than what is compared; every difference is named."""

    exit_code = 3


class SinkError(LabError):
    """A server did not take a run's metrics."""


class StoppedError(LabError):
    """The user asked to stop."""

    exit_code = 105


class ScriptError(LabError):
    """The user's own class raised."""

    exit_code = 107


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the end of a sentence that helps with a mistyped word: `; did you mean "x"?` or the list of known words."""
    choices = sorted(known)
    close = get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known are: {', '.join(choices)}" if choices else ""
