"""The folder of a stack's own servers, which may be another user's and lie outside of the stack's folder.

A server that root starts runs as a user who may not look into root's folders, and the stack's folder is closed to all
but its owner. As root the servers' data is therefore kept below /var/tmp, under a name made from the stack's folder,
and a link in the stack's folder leads there.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from lab.errors import StackError

OUTSIDE: Final = Path("/var/tmp")  # noqa: S108 - what is made there is checked to be ours
NAME: Final = "servers"
_PREFIX: Final = "airbourne-"
_OF: Final = "of"
"""A file that says whose the folder is: the path of the stack's folder."""


def place(root: Path) -> Path:
    """Give where the servers of the stack in `root` keep their data."""
    if os.geteuid() != 0:
        return root / NAME
    return OUTSIDE / f"{_PREFIX}{sha256(os.fsencode(root)).hexdigest()[:16]}"


def make(root: Path) -> Path:
    """Make the servers' folder if it is missing, and give it.

    Raises:
        StackError: something stands in its place that is not ours.
    """
    folder, link = place(root), root / NAME
    if folder == link:
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
    if not link.is_symlink():
        # The data of a stack whose folder was removed: its passwords are gone too.
        remove(root)
        link.symlink_to(folder)
    _sweep()
    folder.mkdir(mode=0o711, exist_ok=True)
    if not _is_ours(folder):
        raise StackError(f"{folder} belongs to somebody else; have it removed, or use another working folder")
    # Others may pass through it, and see nothing: each server's own folder is closed to them.
    folder.chmod(0o711)
    (folder / _OF).write_bytes(os.fsencode(root))
    return folder


def remove(root: Path) -> None:
    """Throw the servers' data away."""
    shutil.rmtree(place(root), ignore_errors=True)
    link = root / NAME
    if link.is_symlink():
        link.unlink()


def _sweep() -> None:
    """Remove what stacks left here whose own folders have been deleted: nobody could find it any more."""
    for folder in OUTSIDE.glob(f"{_PREFIX}*"):
        # Another process may be removing the same folder right now.
        with suppress(OSError):
            root = Path(os.fsdecode((folder / _OF).read_bytes())) if _is_ours(folder) else None
            if root is not None and not (root / NAME).is_symlink():
                remove(root)


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
