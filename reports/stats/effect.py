"""The effect of a change from one number per run: a mean difference and how sure it is (measurement.md §5.3).

Runs are the unit: requests within one run hang together, and a test that counts them as independent calls identical
systems different most of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST: Final = 2
"""Fewer pairs (or runs on a side) have no spread that could be estimated."""
_NO_SPREAD: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Effect:
    """A mean difference, candidate − baseline, on the scale that was put in (of ratios: their logarithms).

    Attributes:
        mean: the difference.
        error: its standard error; 0.0 where every pair gave the same difference.
        freedom: the degrees of freedom of its t distribution.
        p: of the two-sided t-test against no difference.
        runs: pairs; where they are not paired, the runs of the smaller side.
        paired: whether it comes from pairs.
    """

    mean: float
    error: float
    freedom: float
    p: float
    runs: int
    paired: bool

    def interval(self, alpha: float) -> tuple[float, float]:
        """Give the two-sided confidence interval at level 1 − alpha."""
        half = quantile(1 - alpha / 2, self.freedom) * self.error
        return self.mean - half, self.mean + half


def paired(differences: Sequence[float]) -> Effect:
    """Estimate the effect from differences within pairs, at least two (paired t-test)."""
    found = np.asarray(differences, dtype=np.float64)
    mean, runs = float(found.mean()), len(found)
    if _same(found):
        return Effect(mean, 0.0, runs - 1, _without_spread(mean, runs), runs, paired=True)
    tested = stats.ttest_1samp(found, 0.0)
    return Effect(mean, float(found.std(ddof=1)) / sqrt(runs), runs - 1, float(tested.pvalue), runs, paired=True)


def welch(baseline: Sequence[float], candidate: Sequence[float]) -> Effect:
    """Estimate the effect from runs that are not paired, at least two on each side (Welch's t-test)."""
    before, after = (np.asarray(side, dtype=np.float64) for side in (baseline, candidate))
    mean, runs = float(after.mean() - before.mean()), min(len(before), len(after))
    if _same(before) and _same(after):
        freedom = len(before) + len(after) - 2
        return Effect(mean, 0.0, freedom, _without_spread(mean, runs), runs, paired=False)
    tested = stats.ttest_ind(after, before, equal_var=False)
    error = sqrt(after.var(ddof=1) / len(after) + before.var(ddof=1) / len(before))
    return Effect(mean, error, float(tested.df), float(tested.pvalue), runs, paired=False)


@lru_cache(maxsize=4096)
def quantile(share: float, freedom: float) -> float:
    """Give a quantile of the t distribution; every row of a report asks for the same few."""
    return float(stats.t.ppf(share, freedom))


def _same(values: NDArray[np.float64]) -> bool:
    return float(np.ptp(values)) <= _NO_SPREAD * max(1.0, float(np.abs(values).max()))


def _without_spread(mean: float, runs: int) -> float:
    # The t-test divides by a spread of zero; what stays is how probable it is that all signs agree.
    return 1.0 if abs(mean) <= _NO_SPREAD else float(2.0 ** (1 - runs))
