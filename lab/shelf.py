"""Runs that were made, put in order: given another label, or thrown away. One that goes on is left alone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lab import living, store
from lab.errors import RunError
from lab.model.run import Run
from lab.store import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Doomed:
    """A run that is to be thrown away, and how many bytes that frees."""

    folder: RunFolder
    run: Run
    size: int


def relabel(folder: RunFolder, label: str) -> Run:
    """Give a run another label; an empty one takes it away.

    Raises:
        RunError: it goes on, is no run, or the disk does not take it.
    """
    run = folder.load()
    _ended(run, "its label can be changed")
    changed = replace(run, label=label)
    folder.save(changed)
    return changed


def doomed(references: Sequence[str], out: Path) -> list[Doomed]:
    """Find runs that are to be thrown away, each once; nothing is touched.

    Raises:
        RunError: one of them is no run, goes on, or its folder holds what is no part of a run.
    """
    found = {folder.path.resolve(): folder for folder in (store.find(reference, out) for reference in references)}
    return [_doomed(folder) for folder in found.values()]


def remove(found: Iterable[Doomed]) -> int:
    """Throw runs away and give how many bytes that freed.

    Raises:
        RunError: the disk does not let one go; those before it are gone.
    """
    freed = 0
    for one in found:
        # It may have been begun again, or replaced, while somebody was asked.
        _ended(one.folder.load(), "it can be removed")
        try:
            # First, so that half a folder is no run.
            (one.folder.path / store.RUN_FILE).unlink()
            shutil.rmtree(one.folder.path)
        except OSError as error:
            raise RunError(
                f"{one.folder.path} cannot be removed whole: {error.strerror or error}; remove the folder by hand"
            ) from None
        freed += one.size
    return freed


def _doomed(folder: RunFolder) -> Doomed:
    run = folder.load()
    _ended(run, "it can be removed")
    if folder.path.is_symlink():
        raise RunError(f"{folder.path} is a link: remove what it points to by its own path")
    inside = list(folder.path.iterdir())
    if any(path.is_dir() for path in inside) or folder.path.resolve() == Path.cwd():
        raise RunError(f"{folder.path} holds more than a run, and is left as it is: remove it by hand")
    return Doomed(folder, run, sum(path.lstat().st_size for path in inside))


def _ended(run: Run, what: str) -> None:
    if living.going(run):
        raise RunError(f"{run.id} goes on; {what} when it has ended (Ctrl-C in its terminal stops it)")
