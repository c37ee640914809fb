"""How often a trend sees a change where there is none, and how often it misses one: simulated series.

    python -m benchmarks.trend

It prints the table of docs/history.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from typing import TYPE_CHECKING, Final

import numpy as np

from reports.trend.changes import breaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTHS: Final = (8, 10, 15, 20, 40, 60)
SERIES: Final = 1_000
SPREAD: Final = 0.05
STEP: Final = 3 * SPREAD
LEAST: Final = 0.001


def share(series: NDArray[np.float64]) -> float:
    """Give the share of series in which a change is seen."""
    return float(np.mean([bool(breaks(values, LEAST)) for values in series]))


def main() -> None:
    """Simulate, and print a row per length."""
    rng = np.random.default_rng(1)
    print(f"{'runs':>5} {'no change, one seen':>20} {'a step of three spreads, seen':>30}")
    for length in LENGTHS:
        quiet = rng.normal(0, SPREAD, (SERIES, length))
        step = rng.normal(0, SPREAD, (SERIES, length)) + np.where(np.arange(length) < length // 2, 0, STEP)
        print(f"{length:>5} {share(quiet):>20.1%} {share(step):>30.1%}")


if __name__ == "__main__":
    main()
