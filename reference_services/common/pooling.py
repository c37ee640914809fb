"""How many connections to its database a service keeps, and what it asks of each before its use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reference_services.common.profile import Profile

FOUND: Final = 5
"""What the first version's library keeps when nobody says anything."""
# Little's law: connections at work = transactions a second × seconds that each holds one. A thousand a second is more
# than one process of Python can do; 8 ms is a transaction with its commit to disk while both cores are full; and as
# many again, since those that are in use at once vary about their mean.
RATE_PER_S: Final = 1000
HELD_S: Final = 0.008
SLACK: Final = 2
SPARE: Final = 4
"""Background tasks need connections beside the threads that answer requests; these are closed when they come back."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections that are kept.

    Attributes:
        size: how many.
        ping: whether each is tried out before it is used. Without that, a broken one is found by the transaction that
            meets it, which is run again (database.py).
    """

    size: int
    ping: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """What SQLAlchemy calls it."""
        return {
            "pool_size": self.size,
            "max_overflow": SPARE,
            "pool_pre_ping": self.ping,
            # Who closes a connection ends what is open on it. To roll back what was committed is a question to the
            # server after each transaction, for those who use connections by themselves; nobody here does.
            "pool_reset_on_return": None,
        }


def pool_of(profile: Profile, threads: int) -> Pool:
    """Choose the profile's pool; no service needs more connections than it has threads."""
    if profile.connections == "per-call":
        return Pool(min(threads, FOUND))
    return Pool(min(threads, math.ceil(RATE_PER_S * HELD_S * SLACK)), ping=False)
