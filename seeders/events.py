"""What a seeder tells while it works, as values: who shows them, and how, is not its business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one kind of thing has come: `done` of `total`, of which some were created and some found."""

    kind: str
    done: int
    total: int
    created: int = 0
    found: int = 0


OnProgress: TypeAlias = Callable[[Progress], None]
"""Takes an event; called in the thread that called the seeder, never in a worker."""


def ignore(_event: Progress) -> None:
    """Show nothing."""
