"""How far a worker's clock is from the master's, from messages that go there and back. Pure.

The clock is each machine's monotonic one, so that nobody's time of day matters. A message that took d to go and come
back was read somewhere in between: the middle is wrong by at most d/2, so that the quickest exchange is the best one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 16
"""How many exchanges are looked back on: with one a second, clocks that drift by 50 ppm part by 0.8 ms meanwhile."""
WORTH: Final = 0.002
"""Seconds: a smaller correction is not worth a message."""
LIMIT: Final = 0.010
"""Seconds: what clocks may differ by before it is said."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Their clock minus ours, in seconds, within ± `doubt`."""

    seconds: float
    doubt: float


def offset(sent: float, theirs: float, received: float) -> Offset:
    """Give the offset from one exchange: sent and received by our clock, read in between by theirs."""
    return Offset(theirs - (sent + received) / 2, (received - sent) / 2)


class ClockWatch:
    """One worker's clock as the exchanges show it; `used` is the offset that the worker goes by."""

    def __init__(self) -> None:
        self._seen: deque[Offset] = deque(maxlen=WINDOW)
        self.used: float | None = None
        self.worst = 0.0

    @property
    def best(self) -> Offset | None:
        """Give the quickest of the newest exchanges; None before the first."""
        return min(self._seen, key=lambda seen: seen.doubt, default=None)

    def add(self, seen: Offset) -> None:
        """Take an exchange in; `worst` is how far the two clocks may have been apart, in seconds, since `use`."""
        self._seen.append(seen)
        best = self.best
        if best is not None and self.used is not None:
            self.worst = max(self.worst, abs(best.seconds - self.used) + best.doubt)

    def use(self) -> float:
        """Go by the best offset from now on.

        Raises:
            LookupError: there was no exchange yet.
        """
        if self.best is None:
            raise LookupError("no exchange yet")
        if self.used is None:
            self.worst = self.best.doubt
        self.used = self.best.seconds
        return self.used

    @property
    def drifted(self) -> bool:
        """Tell whether the offset that is used is worth a correction, and the exchanges good enough to make one."""
        best = self.best
        return best is not None and self.used is not None and abs(best.seconds - self.used) > max(WORTH, best.doubt)
