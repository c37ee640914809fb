"""Looking after every pair without fooling oneself: how much of alpha each look may spend.

Somebody who tests after every pair at 5 % and stops at the first significant result is wrong far more often than in
5 % of the cases. Lan and DeMets (Biometrika 70, 1983) spend alpha over the information t = pairs / most pairs; here
with their O'Brien–Fleming-like function, for each of the two sides a(t) = 2 − 2·Φ(z / √t), where z is the quantile of
1 − alpha/4: next to nothing at the first looks, where the spread is hardly known, and most of alpha at the last. The
boundaries follow by the recursion of Armitage, McPherson and Rowe (J. R. Statist. Soc. A 132, 1969) over the density
of the paths that have not stopped; distributions, integration and root finding are scipy's.

They are used as levels of the t-test's p, as Jennison and Turnbull (Group Sequential Methods, 2000) do where the spread
is not known. That is an approximation: with so few pairs it spends up to 1.17 times what it was given (simulated, 8 to
40 pairs at most), so that a little less is given to it. docs/comparison.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import integrate, optimize, stats

from reports.stats.ruling import FEWEST_RUNS, Levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PAIRS: Final = 20
GIVEN: Final = 0.87
"""The part of alpha that is planned with, so that t-tests of few pairs spend no more than the whole of it."""
_GRID: Final = 401
_FAR: Final = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the pairs so far, and the levels that a verdict at this look is held to."""

    pairs: int
    levels: Levels


def spent(alpha: float, information: float) -> float:
    """Give how much of a two-sided alpha may be spent when this share (0 to 1) of the pairs is there."""
    if information <= 0:
        return 0.0
    return float(4 * stats.norm.sf(stats.norm.isf(alpha / 4) / sqrt(min(information, 1.0))))


def looks(most_pairs: int = MOST_PAIRS, levels: Levels | None = None) -> tuple[Look, ...]:
    """Plan a look after each pair from the sixth on, so that all of them together keep to `levels`.

    Args:
        most_pairs: when the last look is, at least 6; with 6 it is the only one, and an ordinary test.
        levels: what all looks together may come to; 5 % when not given.
    """
    whole = levels or Levels()
    counts = range(FEWEST_RUNS, most_pairs + 1)
    information = tuple(count / most_pairs for count in counts)
    given = GIVEN if len(counts) > 1 else 1.0
    differing = nominal(given * whole.alpha, information)
    # A one-sided test at alpha has the upper boundary of a two-sided one at 2·alpha.
    same = nominal(2 * given * whole.equivalence, information)
    return tuple(
        Look(count, Levels(alpha, both / 2)) for count, alpha, both in zip(counts, differing, same, strict=True)
    )


@cache
def nominal(alpha: float, information: tuple[float, ...]) -> tuple[float, ...]:
    """Give the two-sided level of each look, in order of the information at it, that spends alpha in all."""
    levels: list[float] = []
    before, used = 0.0, 0.0
    places, density = np.zeros(1), np.ones(1)
    for share in information:
        may = spent(alpha, share) - used
        step = sqrt(share - before)
        boundary = _boundary(places, density, step, may)
        levels.append(float(2 * stats.norm.sf(boundary / sqrt(share))))
        places, density = _go_on(places, density, step, boundary)
        before, used = share, used + may
    return tuple(levels)


def _boundary(places: NDArray[np.float64], density: NDArray[np.float64], step: float, may: float) -> float:
    """Find how far from 0 a path must be to stop, so that `may` of all paths stop here."""

    def stops(boundary: float) -> float:
        out = stats.norm.sf((boundary - places) / step) + stats.norm.cdf((-boundary - places) / step)
        return float(_sum(places, density * out)) - may

    return float(optimize.brentq(stops, 0.0, _FAR, xtol=1e-10))


def _go_on(
    places: NDArray[np.float64], density: NDArray[np.float64], step: float, boundary: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the density of the paths that did not stop, on a new grid."""
    grid = np.linspace(-boundary, boundary, _GRID)
    moved = stats.norm.pdf((grid[:, None] - places[None, :]) / step) / step
    return grid, _sum(places, moved * density)


def _sum(places: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate over the last axis; before the first look all paths are in one place."""
    return np.asarray(integrate.simpson(values, x=places) if len(places) > 1 else values[..., 0])
