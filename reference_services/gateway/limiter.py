"""The rate limit per client address: a count in fixed windows of a minute."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from reference_services.common.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_S = 60


class Limiter:
    """Counts requests per address; all counts are forgotten when a window ends, so memory stays bounded by a minute."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def admit(self, address: str) -> None:
        """Count a request.

        Raises:
            Refusal: 429 with `Retry-After`, the address has sent too many in this window.
        """
        moment = self._clock()
        window = int(moment // WINDOW_S)
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            count = self._counts.get(address, 0) + 1
            self._counts[address] = count
        if count > self._most:
            wait_s = int(WINDOW_S - moment % WINDOW_S) + 1
            sentence = f"More than {self._most} requests in a minute; try again in {wait_s} s."
            raise Refusal(429, sentence, {"rate": "limited"}, {"Retry-After": str(wait_s)})
