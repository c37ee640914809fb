"""Where a series of figures seems to have changed: PELT on the scale that effects are on, by the library ruptures.

The penalty of one change is 3 · s² · ln n. The spread s from run to run is estimated from neighbouring runs, so that a
change does not count as spread: by the root mean square of their differences or, where that is larger, by the median.
Where nothing changes, a change is seen all the same in at most one series of twenty (docs/history.md).
"""

from __future__ import annotations

from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Final

import numpy as np

from reports.trend.result import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reports.comparison.metrics import Metric
    from reports.trend.result import Point

FEWEST: Final = 8
"""In fewer figures no change is looked for."""
SHORTEST: Final = 3
"""Runs between two changes."""
PENALTY: Final = 3.0
LEAST_SPREAD: Final = 0.1
"""Of what counts as equivalent: runs are never taken to be more alike than that."""
_NORMAL: Final = 0.6744897501960817
"""The median of |x| for a standard normal x."""


def usable(metric: Metric, points: Sequence[Point]) -> list[int]:
    """Give the positions of the points that changes are looked for in; a ratio has no place for 0."""
    return [
        place
        for place, point in enumerate(points)
        if point.counts and point.value is not None and (metric.absolute or point.value > 0)
    ]


def changes(metric: Metric, points: Sequence[Point]) -> tuple[Change, ...]:
    """Find where the figure changed, in points that stand in the order of time; in few there is nothing to find."""
    places = usable(metric, points)
    if len(places) < FEWEST:
        return ()
    values = np.array([metric.scaled(points[place].value or 0.0) for place in places])
    ends = [0, *breaks(values, metric.limit * LEAST_SPREAD), len(values)]
    means = [metric.unscaled(float(values[begin:end].mean())) for begin, end in pairwise(ends)]
    return tuple(
        Change(places[begin], points[places[begin]].run_id, before, after)
        for begin, (before, after) in zip(ends[1:-1], pairwise(means), strict=True)
    )


def breaks(values: NDArray[np.float64], least: float) -> list[int]:
    """Give the positions at which a level begins that differs from the one before it; `least` is the least spread."""
    from ruptures.detection import Pelt  # noqa: PLC0415 - half a second, and only a trend needs it

    penalty = PENALTY * max(spread(values), least) ** 2 * log(len(values))
    found: list[int] = Pelt(model="l2", min_size=SHORTEST, jump=1).fit(values).predict(pen=penalty)
    return found[:-1]


def spread(values: NDArray[np.float64]) -> float:
    """Estimate the standard deviation from run to run by the differences of neighbours."""
    differences = np.diff(values)
    median = float(np.median(np.abs(differences))) / _NORMAL
    return max(median, float(np.sqrt(np.mean(differences**2)))) / 2**0.5
