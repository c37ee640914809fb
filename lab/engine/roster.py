"""Who works for a master: hellos that are taken or refused, and what is known of each worker since."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lab.engine.clock import ClockWatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROTOCOL: Final = 1
SILENCE: Final = 5.0
"""Seconds without a message after which a worker, which speaks every second, is lost."""
NO_FILE: Final = "none"
LONGEST: Final = 255
"""Characters of a host's name, and so of all that a hello may say."""


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a worker is: its lab's version, its machine, its users file's digest, and its number if the master's own."""

    lab: str
    host: str
    users: str
    child: int | None = None
    protocol: int = PROTOCOL

    def to_wire(self) -> dict[str, object]:
        """Give it as plain values."""
        return asdict(self)

    @classmethod
    def from_wire(cls, data: Any) -> Hello | None:  # noqa: ANN401 - whatever somebody sent
        """Read it; None when it is none."""
        try:
            found = cls(**data)
        except TypeError:
            return None
        texts = (found.lab, found.host, found.users)
        # They are shown to people: nothing in them may steer a terminal.
        sound = all(isinstance(text, str) and text.isprintable() and len(text) <= LONGEST for text in texts)
        sound = sound and isinstance(found.child, int | None)
        return found if sound else None


def digest(users: Path) -> str:
    """Give a fingerprint of a users file's text; `NO_FILE` where there is none."""
    try:
        return hashlib.sha256(users.read_bytes()).hexdigest()
    except OSError:
        return NO_FILE


class State(StrEnum):
    """How far a worker is."""

    HERE = "here"
    READY = "ready"
    OVER = "over"
    LEFT = "left"
    LOST = "lost"


@dataclass(slots=True)
class Peer:
    """A worker as its master knows it. `heard` is by the master's monotonic clock, in seconds."""

    client: str
    hello: Hello
    heard: float
    name: str = ""
    place: int = -1
    users: int = 0
    state: State = State.HERE
    clock: ClockWatch = field(default_factory=ClockWatch)

    @property
    def working(self) -> bool:
        """Tell whether it is still to report."""
        return self.state in {State.HERE, State.READY}

    @property
    def local(self) -> bool:
        """Tell whether it is a child of the master's."""
        return self.hello.child is not None

    def silent(self, limit: float = SILENCE) -> bool:
        """Tell whether it has said nothing for long: `limit` seconds."""
        return time.monotonic() - self.heard > limit


class Roster:
    """The workers of a run: at most `size`, all of this lab's version and with the same users file."""

    def __init__(self, size: int, users: Path, lab: str) -> None:
        self.size = size
        self.refusals: list[str] = []
        self._users, self._digest, self._lab = users, digest(users), lab
        self._peers: dict[str, Peer] = {}
        self._full = False

    def __iter__(self) -> Iterator[Peer]:
        """Go through the workers, by their places once they have some."""
        return iter(sorted(self._peers.values(), key=lambda peer: peer.place))

    def __len__(self) -> int:
        """Count the workers that came."""
        return len(self._peers)

    def get(self, client: str) -> Peer | None:
        """Find a worker by its identity on the wire."""
        return self._peers.get(client)

    def hear(self, client: str, data: object) -> str:
        """Take a hello.

        Returns:
            "" when the worker is taken, else the sentence to refuse it with.
        """
        hello = Hello.from_wire(data)
        sentence = self._objection(hello)
        if sentence or hello is None:
            self.refusals.append(sentence)
            return sentence
        self._peers[client] = Peer(client, hello, time.monotonic())
        return ""

    def forget(self, peer: Peer) -> None:
        """Let go of a worker that went away before the run began."""
        self._peers.pop(peer.client, None)

    def close(self) -> None:
        """Give everybody a place and a name, the master's own children first; nobody is taken any more."""
        self._full = True
        order = sorted(
            self._peers.values(),
            key=lambda peer: (peer.hello.child is None, peer.hello.child or 0, peer.hello.host, peer.client),
        )
        for place, peer in enumerate(order):
            peer.place = place
            peer.name = f"worker {place + 1}" + ("" if peer.local else f" on {peer.hello.host}")

    def _objection(self, hello: Hello | None) -> str:
        if hello is None or hello.protocol != PROTOCOL or hello.lab != self._lab:
            theirs = "another" if hello is None else hello.lab
            return f"it is of airbourne-lab {theirs}, and the master of {self._lab}: install the same on both"
        if self._full or len(self._peers) >= self.size:
            return f"the run has its {self.size} workers already"
        if hello.users != self._digest:
            return (
                f"its users file is not the master's {self._users.name}: copy that file to {hello.host} and name it "
                "there with --users-file"
            )
        return ""
