"""Starting as root and serving as somebody who may do nothing else: the user of a server, and the way there."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from lab.stack import tether

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROOT: Final = 0
_NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a server runs as; `switch` says that this process must become that user first."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def of(cls, *names: str) -> Account:
        """Give this process's own user; when that is root, the first of the names that the system knows."""
        if os.geteuid() != ROOT:
            return cls(os.geteuid(), os.getegid(), switch=False)
        for name in (*names, _NOBODY):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            if entry.pw_uid != ROOT:
                return cls(entry.pw_uid, entry.pw_gid, switch=True)
        return cls(65534, 65534, switch=True)

    @property
    def for_subprocess(self) -> dict[str, Any]:
        """Give the arguments with which `subprocess` runs a command as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def folder(self, path: Path) -> None:
        """Make a folder that only this user may look into."""
        path.mkdir(mode=0o700, exist_ok=True)
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def file(self, path: Path, text: str) -> None:
        """Write a file that only this user may read, at any moment."""
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if self.switch:
                os.fchown(handle, self.uid, self.gid)
            file.write(text)

    def become(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> NoReturn:
        """Turn this process into a server that runs as this user, in a folder, tied to the same parent as before."""
        parent = os.getppid()
        tied = tether.is_tied()
        os.chdir(folder)
        if self.switch:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)
        if tied:
            # The kernel forgets the tie with the change of user.
            tether.tie(parent)
        os.execve(command[0], list(command), dict(environment))  # noqa: S606 - no shell is what is wanted
