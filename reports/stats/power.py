"""What the runs could have seen, and what a surer answer costs (measurement.md §5.5 and §5.6).

All of it takes the spread that was measured as the true one; with six pairs that is a rough guess, and the doc says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from reports.stats.effect import quantile

if TYPE_CHECKING:
    from reports.stats.effect import Effect

POWER: Final = 0.8
MOST_RUNS: Final = 200
"""Beyond this many pairs an answer counts as out of reach."""


def equivalent(effect: Effect, margin: float, alpha: float) -> bool:
    """Tell whether two one-sided tests place the effect within ± margin: its 1 − 2·alpha interval lies there."""
    low, high = effect.interval(2 * alpha)
    return -margin < low and high < margin


def detectable(effect: Effect, alpha: float) -> float:
    """Give the smallest true effect that such runs find with a probability of POWER, on the effect's scale."""
    return (quantile(1 - alpha / 2, effect.freedom) + quantile(POWER, effect.freedom)) * effect.error


def runs_to_settle(effect: Effect, margin: float, alpha: float, equivalence_alpha: float, fewest: int) -> int | None:
    """Give the number of pairs (or runs a side) that settle a question with a probability of POWER, one way or other.

    Args:
        effect: what was found so far; its mean and its spread are taken for the true ones.
        margin: what counts as equivalent, on the effect's scale.
        alpha: the two-sided level that the effect's row is held to.
        equivalence_alpha: the level of each of the two one-sided tests.
        fewest: no verdict is given below this number.

    Returns:
        The number, never below `fewest`; None where it is more than MOST_RUNS.
    """
    runs = np.arange(max(fewest, 2), MOST_RUNS + 1)
    freedom = effect.freedom * (runs - 1) / (effect.runs - 1)
    error = effect.error * np.sqrt(effect.runs / runs)
    differs = (stats.t.ppf(1 - alpha / 2, freedom) + stats.t.ppf(POWER, freedom)) * error <= abs(effect.mean)
    # Either test may miss, so that each gets half of the risk.
    halves = stats.t.ppf(1 - equivalence_alpha, freedom) + stats.t.ppf((1 + POWER) / 2, freedom)
    same = halves * error <= margin - abs(effect.mean)
    settled = runs[differs | same]
    return int(settled[0]) if len(settled) else None
