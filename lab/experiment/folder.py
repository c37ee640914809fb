"""An experiment's folder: `experiment.json`, replaced atomically after every run; its runs stand beside it."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab import store
from lab.errors import RunError
from lab.model.experiment import EXPERIMENT_VERSION, Experiment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import TypeAdapter

FILE: Final = "experiment.json"


@dataclass(frozen=True, slots=True)
class ExperimentFolder:
    """Where an experiment is written."""

    path: Path

    @property
    def file(self) -> Path:
        """Give the file that says how far it came."""
        return self.path / FILE

    @property
    def home(self) -> Path:
        """Give the folder that it and its runs stand in."""
        return self.path.resolve().parent

    @property
    def report(self) -> Path:
        """Give the path of its HTML report."""
        return self.path / store.REPORT_FILE

    @property
    def commands(self) -> Path:
        """Give the log of what the sides' commands said."""
        return self.path / "commands.log"

    def save(self, experiment: Experiment) -> None:
        """Write how far it came, whole or not at all.

        Raises:
            RunError: the disk does not take it.
        """
        temporary = self.path / f".{FILE}.new"
        with store.written(self.file):
            temporary.write_bytes(_adapter().dump_json(experiment, indent=1) + b"\n")
            temporary.replace(self.file)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else from going on with it; the lock goes with the process that holds it.

        Raises:
            RunError: somebody is at it.
        """
        with (self.path / ".lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(f"{self.path.name} goes on in another terminal: wait for its end, or stop it") from None
            yield

    def forget(self) -> None:
        """Remove it, as long as nothing but its own file is in it: what could not begin leaves nothing."""
        with suppress(OSError):
            self.file.unlink()
            self.path.rmdir()

    def load(self) -> Experiment:
        """Read it.

        Raises:
            RunError: it is missing, foreign, cut off, or of another version.
        """
        try:
            raw = self.file.read_bytes()
        except OSError:
            raise RunError(f"{self.path} is no experiment: it has no {FILE}") from None
        try:
            found: Any = json.loads(raw)
            version = found["version"]
            if version != EXPERIMENT_VERSION:
                raise RunError(
                    f"{self.file} has version {version}; this airbourne-lab reads version {EXPERIMENT_VERSION}: "
                    "go on with the release that began it, or begin it again"
                )
            return _adapter().validate_python(found)
        except (ValueError, KeyError, TypeError):
            raise RunError(f"{self.file} is no experiment of this lab, or it is cut off") from None


@cache
def _adapter() -> TypeAdapter[Experiment]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - not for `--help`

    return TypeAdapter(Experiment)


def create(out: Path, scenario: str) -> ExperimentFolder:
    """Make a new folder for an experiment.

    Raises:
        RunError: it cannot be made.
    """
    return ExperimentFolder(store.create(out, f"experiment-{scenario}").path)


def find(reference: str, out: Path) -> ExperimentFolder | None:
    """Find an experiment by its id or its folder's path; None when there is none."""
    for path in (out / reference, Path(reference)):
        if reference and (path / FILE).is_file():
            return ExperimentFolder(path)
    return None


def must_find(reference: str, out: Path) -> ExperimentFolder:
    """Find an experiment.

    Raises:
        RunError: there is none; those that there are are named.
    """
    found = find(reference, out)
    if found is not None:
        return found
    there = sorted((file.parent.name for file in out.glob(f"*/{FILE}")), reverse=True)
    known = f"; there are {', '.join(there[:4])}" if there else ""
    raise RunError(f'no experiment "{reference}" in {out}{os.sep}{known}')
