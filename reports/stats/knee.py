"""Where a curve of throughput over users bends: the Kneedle method, by kneed.

It draws a straight line from the first step to the last and takes the step that lies furthest above it (V. Satopää et
al., Finding a "Kneedle" in a Haystack, 2011). It knows no law and no spread: it is a cross-check of a fit, and no more.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from kneed import KneeLocator

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST: Final = 4
"""Steps that a bend can be told from."""


def knee(users: Sequence[float], rates: Sequence[float]) -> float | None:
    """Give the users at the bend; None where there is none, or too few steps. The first and the last are no bend.

    Args:
        users: of each step, rising.
        rates: what came of them.
    """
    if len(users) < FEWEST:
        return None
    with warnings.catch_warnings():
        # It warns where it finds none.
        warnings.simplefilter("ignore")
        found = KneeLocator(list(users), list(rates), curve="concave", direction="increasing").knee
    return float(found) if found is not None and users[0] < found < users[-1] else None
