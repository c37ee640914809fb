"""How many connections to its database a service keeps, and what it asks of each before and after its use."""

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
        reset: whether each is rolled back after its use. SQLAlchemy ends what is open in any case; this is another
            question to the server, for those who use its connections by themselves.
    """

    size: int
    ping: bool = True
    reset: bool = True

    @property
    def options(self) -> dict[str, Any]:
        """What SQLAlchemy calls it."""
        return {
            "pool_size": self.size,
            "max_overflow": SPARE,
            "pool_pre_ping": self.ping,
            "pool_reset_on_return": "rollback" if self.reset else None,
        }


def pool_of(profile: Profile, threads: int) -> Pool:
    """Choose the profile's pool; no service needs more connections than it has threads."""
    if profile.connections == "per-call":
        return Pool(min(threads, FOUND))
    return Pool(min(threads, math.ceil(RATE_PER_S * HELD_S * SLACK)), ping=False, reset=profile.bookings == "alone")
