"""What is up, as values and as the versioned file that tells other processes."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lab.errors import StackError
from lab.model.target import local_target
from lab.stack.layout import MAIL, SERVICES, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.model.target import Target

STATE_VERSION: Final = 2

Condition = Literal["starting", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class StackEvent:
    """A step of starting or stopping, for one line on the screen.

    `service` is a service, a server, `mail`, or `stack` for what concerns all of them; `seconds` have passed since the
    start.
    """

    service: str
    state: Condition
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that a recycled pid cannot be mistaken for: pid and time of creation (seconds since the epoch)."""

    pid: int
    created: float


@dataclass(frozen=True, slots=True)
class PartState:
    """One started service, server or the mail sink; `seconds` is how long it took to become ready or to fail."""

    name: str
    port: int
    process: Identity
    state: Condition
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StackState:
    """A started stack.

    Attributes:
        folder: where it keeps what it has.
        profile: what the services are configured as.
        port_offset: how far the standard ports are moved.
        started: when, in seconds since the epoch.
        supervisor: the process that owns it.
        parts: what was started until now.
        backend: what the services stand on: `embedded`, `services` or `external`.
        backend_shown: the same with its URLs, without users and passwords.
        planned: the names of all that will have been started.
    """

    folder: Path
    profile: str
    port_offset: int
    started: float
    supervisor: Identity
    parts: tuple[PartState, ...]
    backend: str = "embedded"
    backend_shown: str = "embedded"
    planned: tuple[str, ...] = (*SERVICES, MAIL)

    def target(self) -> Target:
        """Give the five URLs under which the stack answers."""
        return local_target(self.port_offset)

    @property
    def mail_path(self) -> Path | None:
        """The file that the mail sink appends to; None where mails go to another server."""
        return Layout(self.folder).mail if MAIL in self.planned else None

    @property
    def processes(self) -> Mapping[str, int]:
        """The main process of every part: the services, the stack's own servers, the mail sink."""
        return {part.name: part.process.pid for part in self.parts}

    @property
    def pids(self) -> Mapping[str, int]:
        """The main process of each of the five services; a WSGI server's workers are its children."""
        return {part.name: part.process.pid for part in self.parts if part.name in SERVICES}

    @property
    def failed(self) -> tuple[PartState, ...]:
        """What has died."""
        return tuple(part for part in self.parts if part.state == "failed")

    @property
    def ready(self) -> bool:
        """Whether everything answers, as far as the supervisor knows."""
        return {part.name for part in self.parts if part.state == "ready"} >= set(self.planned)


def save(state: StackState) -> None:
    """Write the state file in one step, so that a reader sees the old one or the new one."""
    path = Layout(state.folder).state
    values = {"version": STATE_VERSION, **asdict(state), "folder": str(state.folder)}
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(values, indent=1), encoding="utf-8")
    os.replace(scratch, path)  # noqa: PTH105 - the atomic step is the point, and this is its plain name


def load(root: Path) -> StackState | None:
    """Read the state file of a folder; None when there is none.

    Raises:
        StackError: the file is of another version or damaged.
    """
    path = Layout(root).state
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values.pop("version")
        if version != STATE_VERSION:
            raise StackError(
                f"{path} has version {version}, this lab reads version {STATE_VERSION}; "
                "stop that stack with the lab that started it, or remove the file if nothing of it is up"
            )
        return _from_values(values)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(f"{path} is damaged ({error}); remove it if no stack of this folder is up") from None


def _from_values(values: dict[str, object]) -> StackState:
    known: dict[str, object] = dict(values)
    known["folder"] = Path(str(values["folder"]))
    known["supervisor"] = Identity(**values["supervisor"])  # type: ignore[arg-type]
    parts = [
        PartState(**{**part, "process": Identity(**part["process"])})
        for part in values["parts"]  # type: ignore[attr-defined]
    ]
    known["parts"] = tuple(parts)
    known["planned"] = tuple(values["planned"])  # type: ignore[arg-type]
    return StackState(**known)  # type: ignore[arg-type]
