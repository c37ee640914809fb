"""The rate limit per client address: a count in fixed windows of a minute."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from reference_services.common.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_S = 60


class Counting(Protocol):
    """Counts requests."""

    def add(self, address: str, window: int) -> int:
        """Count a request of an address in a window; give how many there were, with this one."""


class Tally:
    """The counts of one process; all are forgotten when a window ends, so memory stays bounded by a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def add(self, address: str, window: int) -> int:
        """Count a request."""
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            count = self._counts.get(address, 0) + 1
            self._counts[address] = count
        return count


class Limiter:
    """Refuses the requests of an address beyond so many in a window.

    Args:
        most: requests in a window.
        clock: of the machine, so that the processes of a gateway agree on the window.
        counting: counts them.
    """

    def __init__(
        self, most: int, clock: Callable[[], float] = time.monotonic, counting: Counting | None = None
    ) -> None:
        self._most = most
        self._clock = clock
        self._counting = counting or Tally()

    def admit(self, address: str) -> None:
        """Count a request.

        Raises:
            Refusal: 429 with `Retry-After`, the address has sent too many in this window.
        """
        moment = self._clock()
        count = self._counting.add(address, int(moment // WINDOW_S))
        if count > self._most:
            wait_s = int(WINDOW_S - moment % WINDOW_S) + 1
            sentence = f"More than {self._most} requests in a minute; try again in {wait_s} s."
            raise Refusal(429, sentence, {"rate": "limited"}, {"Retry-After": str(wait_s)})
