"""Exact-count, log-linear histograms of integer microseconds (HdrHistogram's index with 3 significant digits).

A value below 2048 is its own bin. Above, with e = bit_length(v) − 11, the bin is 1024·e + (v >> e): 1024 bins to each
doubling, so a bin's low edge is at most 1/1024 below any value in it (measurement.md §1).
"""

from __future__ import annotations

from collections import Counter
from math import ceil, inf, isclose
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUB_BITS: Final = 11
HALF: Final = 1 << (SUB_BITS - 1)


def bin_of(value: int) -> int:
    """Give the bin of a value in µs; negative values (a clock that stepped back) count as 0."""
    if value < 2 * HALF:
        return max(value, 0)
    exponent = value.bit_length() - SUB_BITS
    return HALF * exponent + (value >> exponent)


def low_edge(index: int) -> int:
    """Give the lowest value, in µs, that falls into a bin."""
    if index < 2 * HALF:
        return index
    exponent = index // HALF - 1
    return (index - HALF * exponent) << exponent


def width(index: int) -> int:
    """Give how many µs a bin spans."""
    return 1 if index < 2 * HALF else 1 << (index // HALF - 1)


def middle(index: int) -> int:
    """Give the value, in µs, that stands for a bin: its middle, so that the error is halved on both sides."""
    return low_edge(index) + (width(index) >> 1)


def rank_of(share: float, total: int) -> int:
    """Give ⌈share·total⌉, at least 1: which of `total` values in order is the percentile."""
    product = share * total
    whole = round(product)
    # 0.07 × 100 must be 7 and not, by the last bit of a float, 8.
    return max(whole if isclose(product, whole, rel_tol=1e-15) else ceil(product), 1)


def percentile_bin(bins: Mapping[int, int], share: float) -> int | None:
    """Give the first bin whose cumulated count reaches ⌈share·n⌉, or None when there is no count at all."""
    total = sum(bins.values())
    return _bin_at(bins, rank_of(share, total)) if total else None


def _bin_at(bins: Mapping[int, int], rank: int) -> int:
    seen = 0
    for index in sorted(bins):
        seen += bins[index]
        if seen >= rank:
            return index
    raise AssertionError("a rank beyond the count")  # share > 1 is refused by the callers' parsers


class Histogram:
    """Counts by bin; grows by `add` and `merge`, and answers in µs. Merging is exact and in any order."""

    __slots__ = ("bins",)

    def __init__(self, bins: Mapping[int, int] | None = None) -> None:
        self.bins: Counter[int] = Counter(bins or {})

    def add(self, value: int, count: int = 1) -> None:
        """Count a value in µs."""
        self.bins[bin_of(value)] += count

    def merge(self, bins: Mapping[int, int]) -> None:
        """Add the counts of other bins."""
        for index, count in bins.items():
            self.bins[index] += count

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Histogram:
        """Give the sum of several histograms."""
        whole = cls()
        for part in parts:
            whole.merge(part.bins)
        return whole

    @property
    def count(self) -> int:
        """Give the number of values."""
        return sum(self.bins.values())

    @property
    def mean(self) -> float:
        """Give the mean in µs, from the middles of the bins (within 1/2048), or 0.0 when empty."""
        total = self.count
        return sum(middle(index) * count for index, count in self.bins.items()) / total if total else 0.0

    @property
    def minimum(self) -> int | None:
        """Give the lowest bin's value in µs."""
        return middle(min(self.bins)) if self.bins else None

    @property
    def maximum(self) -> int | None:
        """Give the highest bin's value in µs."""
        return middle(max(self.bins)) if self.bins else None

    def percentile(self, share: float) -> int | None:
        """Give the value in µs that `share` (0 to 1) of the values do not exceed; None when empty."""
        index = percentile_bin(self.bins, share)
        return None if index is None else middle(index)

    def percentile_with_failures(self, share: float, failed: int) -> float | None:
        """Give a percentile over successes and failures, where a failure counts as "no answer".

        q_all(p) = q_ok(p / (1 − e)) with failure share e (measurement.md §2), so that failing fast never looks fast.

        Returns:
            µs; `inf` when the percentile falls among the failures; None when nothing was counted.
        """
        succeeded = self.count
        total = succeeded + failed
        if not total:
            return None
        rank = rank_of(share, total)
        return float(middle(_bin_at(self.bins, rank))) if rank <= succeeded else inf
