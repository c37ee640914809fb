"""Which percentiles may be shown: those that at least ten samples lie beyond (measurement.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lab.model.histogram import Histogram

HIDDEN_BELOW: Final = 10
"""A percentile with fewer samples than this beyond it is hidden."""
WEAK_BELOW: Final = 100
"""A percentile with fewer samples than this beyond it is shown, and nothing is judged by it."""


def beyond(share: float, count: float) -> float:
    """Give how many of `count` samples lie beyond a percentile; rounded, so that 0.95 of 200 leaves 10 exactly."""
    return round(count * (1 - share), 6)


def enough(share: float, count: float) -> bool:
    """Tell whether a percentile of so many samples may be shown."""
    return beyond(share, count) >= HIDDEN_BELOW


def shown_percentile(histogram: Histogram, share: float, failed: int = 0) -> float | None:
    """Give a percentile in µs, or None where too few samples lie beyond it.

    With `failed`, failures count as answers that never came, and infinity says that it falls among them.
    """
    value = histogram.percentile_with_failures(share, failed)
    return value if value == float("inf") or enough(share, histogram.count + failed) else None
