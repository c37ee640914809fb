"""W3C `traceparent`: taken from who asks, and passed on to who is asked, with this service's own place in between."""

from __future__ import annotations

import re
from random import getrandbits
from typing import Final

# A later version may say more after these four fields; what it says is not passed on.
GIVEN: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.{0,200})?"
)
SAMPLED: Final = "01"
LONGEST_STATE: Final = 512


def continued(traceparent: str) -> str:
    """Give what is passed on: the same trace (a new one, where none that is valid was given), a parent of its own."""
    found = GIVEN.fullmatch(traceparent) if traceparent else None
    trace, flags = found.groups() if found else (_identity(128), SAMPLED)
    return f"00-{trace}-{_identity(64)}-{flags}"


def state_of(tracestate: str) -> dict[str, str]:
    """Give the header `tracestate` as it is passed on: as it came, unless it is longer than need be."""
    return {"tracestate": tracestate} if 0 < len(tracestate) <= LONGEST_STATE else {}


def _identity(bits: int) -> str:
    return f"{getrandbits(bits) or 1:0{bits // 4}x}"
