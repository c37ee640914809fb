"""How a platform's throughput grows with its users: Gunther's Universal Scalability Law, with intervals.

X(N) = λN / (1 + σ(N − 1) + κN(N − 1)): λ is the rate of one user, σ the share of the work that only one can do at a
time (contention), κ what every two of them cost each other (crosstalk). With κ above 0 the rate has a peak, at
N = √((1 − σ)/κ), and falls beyond it (N. J. Gunther, Guerrilla Capacity Planning, 2007, chapters 4 and 5).

The fit is by weighted least squares. Intervals are profile likelihood's (Bates and Watts, Nonlinear Regression
Analysis, 1988, section 6.1): all values of a parameter for which the best fit of the others leaves
S ≤ S_min + s²·F(level; 1, n − 3). They keep to the parameters' limits, where an interval from the curvature at the best
fit would lie: a κ of 0 is in the interval when data without any crosstalk could look like these. s² is S_min/(n − 3),
but never below 1: points that happen to lie well are not known better than their own spread allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy import optimize, stats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL: Final = 0.95
FEWEST: Final = 5
"""Steps of different users that a fit of three parameters needs: with fewer an interval says nothing."""
LEAST_SPREAD: Final = 0.001
"""No step's rate is taken to be known better than to this share of it."""
_PARAMETERS: Final = 3
_MOST_DOUBLINGS: Final = 60
_LEAST_RATE: Final = 1e-12
_MOST_CONTENTION: Final = 1 - 1e-9


class FewPointsError(ValueError):
    """There are not enough steps for a fit."""


class Point(NamedTuple):
    """A step: how many users, their rate, and its standard error in the rate's unit."""

    users: float
    rate: float
    error: float


class Span(NamedTuple):
    """An estimate and the interval that it may lie in; `high` may be infinite."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Law:
    """A fitted law.

    Attributes:
        one: λ, the rate of one user.
        contention: σ.
        crosstalk: κ.
        peak: the users at which the rate is highest; infinite where there is no κ.
        misfit: the largest distance of a point from the law, as a share of its rate.
    """

    one: Span
    contention: Span
    crosstalk: Span
    peak: Span
    misfit: float

    @property
    def peaks(self) -> bool:
        """Tell whether the data show that there is a peak: κ's interval does not hold 0."""
        return self.crosstalk.low > 0

    def rate(self, users: float) -> float:
        """Give the rate that the law expects of so many users."""
        return self.one.value * float(_gain(np.float64(users), self.contention.value, self.crosstalk.value))


def fit(points: Sequence[Point], level: float = LEVEL) -> Law:
    """Fit the law to steps of load.

    Args:
        points: steps, in any order; several may have the same users.
        level: of the intervals.

    Raises:
        FewPointsError: there are fewer than FEWEST different numbers of users with a rate above 0.
    """
    used = [point for point in points if point.rate > _LEAST_RATE]
    if len({point.users for point in used}) < FEWEST:
        raise FewPointsError(f"{len({point.users for point in used})} steps: a fit needs {FEWEST} or more")
    return _Fit(used, level).law()


def _gain(users: Floats | np.float64, contention: float, crosstalk: float) -> Floats | np.float64:
    return users / (1 + contention * (users - 1) + crosstalk * users * (users - 1))


class _Fit:
    """The sum of squares S over the law's parameters, its minimum, and the edges of where it is low enough."""

    def __init__(self, points: Sequence[Point], level: float) -> None:
        columns = np.asarray(points, dtype=np.float64).T
        self._users, self._rates = columns[0], columns[1]
        self._errors = np.maximum(columns[2], LEAST_SPREAD * self._rates)
        self._best = self._search(self._start(), lambda free: (free[0], free[1], free[2]), (inf, 1.0, inf))
        least, freedom = self._cost(*self._best), len(points) - _PARAMETERS
        self._limit = least + max(1.0, least / freedom) * float(stats.f.ppf(level, 1, freedom))

    def law(self) -> Law:
        one, contention, crosstalk = self._best
        expected = one * _gain(self._users, contention, crosstalk)
        return Law(
            self._span(one, lambda v, free: (v, free[0], free[1]), (contention, crosstalk), (1.0, inf)),
            self._span(contention, lambda v, free: (free[0], v, free[1]), (one, crosstalk), (inf, inf), most=1.0),
            self._span(crosstalk, lambda v, free: (free[0], free[1], v), (one, contention), (inf, 1.0)),
            self._peak(),
            float(np.max(np.abs(self._rates - expected) / self._rates)),
        )

    def _peak(self) -> Span:
        one, contention, crosstalk = self._best
        # With a σ of 1 the inverse would have no end, and its interval no inside to begin at.
        contention = min(contention, _MOST_CONTENTION)
        value = sqrt((1 - contention) / crosstalk) if crosstalk > 0 else inf
        # The peak's inverse, squared, has 0 where the law has no peak.
        of = self._span(
            crosstalk / (1 - contention),
            lambda v, free: (free[0], free[1], v * (1 - free[1])),
            (one, contention),
            (inf, 1.0),
        )
        return Span(value, _root(of.high), _root(of.low))

    def _start(self) -> tuple[float, float, float]:
        """Give where to begin: N/X is linear in 1/λ, σ/λ and κ/λ."""
        inverse = self._users / self._rates
        weights = self._rates / (self._errors * inverse)
        columns = np.stack([np.ones_like(inverse), self._users - 1, self._users * (self._users - 1)], axis=1)
        (first, second, third), _ = optimize.nnls(columns * weights[:, None], inverse * weights)
        if first <= 0:
            return float(np.max(self._rates / self._users)), 0.5, 0.0
        return 1 / first, min(second / first, 1.0), third / first

    def _search(
        self,
        start: Sequence[float],
        whole: Callable[[Sequence[float]], tuple[float, float, float]],
        most: Sequence[float],
    ) -> tuple[float, float, float]:
        """Give the parameters of the least S; `whole` makes them of those that are free, which are from 0 to `most`."""
        begin = [min(max(value, 0.0), limit) for value, limit in zip(start, most, strict=True)]
        found = optimize.least_squares(
            lambda free: self._residuals(*whole(free)), begin, bounds=(np.zeros(len(begin)), most), x_scale="jac"
        )
        # The start may lie on a limit, where the search cannot come back to it.
        return min(whole(begin), whole(found.x.tolist()), key=lambda values: self._cost(*values))

    def _residuals(self, one: float, contention: float, crosstalk: float) -> Floats:
        return np.asarray((self._rates - one * _gain(self._users, contention, crosstalk)) / self._errors)

    def _cost(self, one: float, contention: float, crosstalk: float) -> float:
        return float(np.sum(self._residuals(one, contention, crosstalk) ** 2))

    def _span(
        self,
        value: float,
        whole: Callable[[float, Sequence[float]], tuple[float, float, float]],
        others: Sequence[float],
        limits: Sequence[float],
        most: float = inf,
    ) -> Span:
        """Give a parameter's interval: on each side as far as the best fit of the others stays within the limit."""

        def beyond(fixed: float) -> float:
            found = self._search(others, lambda free: whole(fixed, free), limits)
            return self._cost(*found) - self._limit

        return Span(value, self._edge(beyond, value, 0.0), self._edge(beyond, value, most))

    def _edge(self, beyond: Callable[[float], float], value: float, end: float) -> float:
        """Give the edge of the interval between the estimate, inside, and the parameter's own limit."""
        if end < inf:
            if value == end or beyond(end) <= 0:
                return end
            outside = end
        else:
            step = value or self._smallest
            for _ in range(_MOST_DOUBLINGS):
                if beyond(value + step) > 0:
                    break
                step *= 2
            else:
                return inf
            outside = value + step
        return float(optimize.brentq(beyond, value, outside, xtol=1e-12, rtol=1e-6))

    @property
    def _smallest(self) -> float:
        """Give a step away from 0 that no rate shows."""
        return float(LEAST_SPREAD / np.max(self._users) ** 2)


def _root(inverse_square: float) -> float:
    if inverse_square == 0:
        return inf
    return 1 / sqrt(inverse_square) if inverse_square < inf else 0.0
