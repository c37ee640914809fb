"""In which order the runs were made: a drift of the machine is an effect of the change when all of one side came first.

With runs interleaved, a drift adds a little noise; with AAAA…BBBB it adds itself, and no test can tell the two apart.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

APART: Final = 0.5
"""Sides that are more than this far apart (0 interleaved, 1 one after the other) are not to be judged."""
DRIFTING: Final = 0.01
"""A drift with a p up to this is told."""
_SIDES_AND_SLOPE: Final = 3


class Drift(NamedTuple):
    """How a figure moved from one run to the next, whichever side it was on, and the p of its being none."""

    per_run: float
    p: float


def separation(order: Sequence[bool]) -> float:
    """Tell how far apart in time the two sides are: 0 for interleaved, 1 when one was done before the other began.

    Args:
        order: the runs as they were made, True for the candidate's.
    """
    sides = np.asarray(order, dtype=np.bool_)
    if not sides.any() or sides.all():
        return 0.0
    places = np.arange(len(sides))
    gap = abs(float(places[sides].mean() - places[~sides].mean()))
    return gap / (len(sides) / 2)


def drift(values: Sequence[float], order: Sequence[bool]) -> Drift | None:
    """Estimate how much a figure moves per run, the effect of the side taken out; None below six runs of both sides.

    Args:
        values: a figure per run, in the order in which they were made (logarithms: the drift is then a share).
        order: True for the candidate's.
    """
    if len(values) <= 2 * _SIDES_AND_SLOPE:
        return None
    sides = np.asarray(order, dtype=np.bool_)
    moved, places = np.asarray(values, dtype=np.float64).copy(), np.arange(len(values), dtype=np.float64)
    for side in (sides, ~sides):
        if side.any():
            moved[side] -= moved[side].mean()
            places[side] -= places[side].mean()
    along, noise = float(places @ places), float(moved @ moved)
    if not along or not noise:
        return None
    slope = float(places @ moved) / along
    together = min(slope**2 * along / noise, 1 - 1e-15)
    freedom = len(values) - _SIDES_AND_SLOPE
    return Drift(slope, float(2 * stats.t.sf(sqrt(together * freedom / (1 - together)), freedom)))
