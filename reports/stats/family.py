"""Many rows, one report: the false discovery rate over all of them (Benjamini–Hochberg, measurement.md §5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence


class Adjusted(NamedTuple):
    """A row's place among the others: its adjusted p, and the share of alpha that Benjamini–Hochberg leaves it."""

    q: float
    share: float


def adjust(values: Sequence[float]) -> list[Adjusted]:
    """Adjust the p values of a report's rows, in their order.

    The share is rank / rows: a row is significant as soon as its own p is at most alpha × share.
    """
    if not values:
        return []
    q = stats.false_discovery_control(values, method="bh")
    ranks = stats.rankdata(np.asarray(values), method="max") / len(values)
    return [Adjusted(float(one), float(share)) for one, share in zip(q, ranks, strict=True)]
