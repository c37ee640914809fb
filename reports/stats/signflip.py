"""The exact sign-flip test: the cross-check of the paired t-test that assumes no distribution (measurement.md §5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXACT_UP_TO: Final = 12
"""With more pairs than this, the 2^k sign patterns are drawn from, which takes milliseconds instead of seconds."""
DRAWN: Final = 9_999
_SEED: Final = 1


class SignFlip(NamedTuple):
    """The two-sided p of the test, and whether every sign pattern was counted or only some were drawn."""

    p: float
    exact: bool


def sign_flip(differences: Sequence[float]) -> SignFlip:
    """Test whether differences within pairs have no direction: had none, each sign were as likely as its opposite."""
    exact = len(differences) <= EXACT_UP_TO
    tested = stats.permutation_test(
        (np.asarray(differences, dtype=np.float64),),
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else DRAWN,
        rng=np.random.default_rng(_SEED),
    )
    return SignFlip(min(float(tested.pvalue), 1.0), exact)


def _mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    return np.asarray(values.mean(axis=axis))
