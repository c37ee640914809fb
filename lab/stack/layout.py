"""Where a stack keeps what it has: one folder, made by starting a stack and never by importing this."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import StackError
from lab.model.target import PORTS
from lab.stack import serverfolder
from lab.stack.passwords import password

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICES: Final = tuple(PORTS)
"""The platform's services."""

MARIADB: Final = "mariadb"
RABBITMQ: Final = "rabbitmq"
SERVERS: Final = (MARIADB, RABBITMQ)
"""The servers that the backend `services` starts before the services."""

MAIL: Final = "mail"
"""The mail sink: it stands beside the services, and has no `/health`."""

PARTS: Final = (*SERVERS, *SERVICES, MAIL)
"""Everything that a stack may start, in the order in which it is shown."""

SUPERVISOR: Final = "supervisor"

_TAIL_BYTES: Final = 1 << 16
_REMOVALS: Final = 40
_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside a stack's folder, which is absolute."""

    root: Path

    @property
    def state(self) -> Path:
        """What is up: written by the supervisor alone."""
        return self.root / "state.json"

    @property
    def data(self) -> Path:
        """The databases and the queue."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """One log per service."""
        return self.root / "logs"

    @property
    def mail(self) -> Path:
        """The mails that the sink accepted, one JSON object a line."""
        return self.root / "mail.jsonl"

    @property
    def secrets(self) -> Path:
        """The keys and passwords that the stack made for itself, a file each."""
        return self.root / "secrets"

    @property
    def jwt_key(self) -> Path:
        """The key that signs tokens."""
        return self.secrets / "jwt.key"

    def log(self, part: str) -> Path:
        """Give the log of a service, the mail sink or the supervisor."""
        return self.logs / f"{part}.log"

    def database(self, service: str) -> str:
        """Give the database URL of a service."""
        return f"sqlite:///{self.data / f'{service}.db'}"

    def bus(self) -> str:
        """Give the URL of the queue on disk."""
        return f"queue://{self.data / 'bus'}"

    def prepare(self) -> None:
        """Make the folders and the secrets that are missing, and set the last start's logs aside."""
        self.root.mkdir(parents=True, exist_ok=True)
        # Databases, mails and logs hold people's addresses and hashes of their passwords.
        self.root.chmod(0o700)
        self.data.mkdir(exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        password(self.secrets, self.jwt_key.stem)
        self.mail.touch()
        for part in (*PARTS, SUPERVISOR):
            if self.log(part).exists():
                self.log(part).replace(self.log(part).with_suffix(".log.1"))

    def forget(self) -> None:
        """Throw the databases, the queue, the mail and the keys away; the logs stay."""
        self.forget_servers()
        for folder in (self.data, self.secrets):
            shutil.rmtree(folder, ignore_errors=True)
        self.mail.unlink(missing_ok=True)

    def forget_servers(self) -> None:
        """Throw away what the stack's own servers keep, which may lie outside of this folder."""
        serverfolder.remove(self.root)

    def remove(self) -> None:
        """Throw everything away, the folder too."""
        self.forget_servers()
        for _ in range(_REMOVALS):
            shutil.rmtree(self.root, ignore_errors=True)
            # A part that is being killed may still write a file.
            if not self.root.exists():
                return
            time.sleep(_PAUSE_SECONDS)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second `up` or `down` out of this folder; the lock goes with the process that holds it.

        Raises:
            StackError: somebody else holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise StackError(f"another up or down is at work in {self.root}; try again when it is done") from None
        finally:
            os.close(handle)


def log_end(path: Path) -> str:
    """Give the last lines of a log as the end of an error: where it is, and what it says."""
    return f"the end of {path}:\n{tail(path) or '(the log is empty)'}"


def tail(path: Path, lines: int = 8, width: int = 600) -> str:
    """Give the last lines of a log; "" when there is none.

    A line longer than `width` characters loses its middle: a trace says the most at its end.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(_shortened(line, width) for line in text.rstrip().splitlines()[-lines:])


def _shortened(line: str, width: int) -> str:
    half = width // 2
    return line if len(line) <= width else f"{line[:half]} … {line[-half:]}"
