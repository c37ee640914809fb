"""Where the time of requests goes, as the target tells it: kept by operation, ready to be added to other processes'.

Of every part there is a histogram. To say where the time of the slowest 1 % went, that is not enough: so of the
requests of each group of latencies (64 to a doubling) the parts are summed as well. Every BLOCK_S seconds the sums go
into the second that ends then, every SPREAD_S seconds the histograms, and both where the warm-up ends: no sum and no
histogram holds what is judged and what is not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from time import time_ns
from typing import TYPE_CHECKING, Final

from lab.engine.tags import UNTAGGED
from lab.model.histogram import bin_of
from lab.model.sample import NO_CLOCK, OK, SeriesKey, TrendKey
from lab.model.server_timing import (
    BLOCK_S,
    COUNTS,
    GAP,
    GROUP_BITS,
    ODD,
    OTHER,
    QUEUE,
    SUMS,
    TIMING,
    Odd,
    Reader,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.line import Second
    from lab.model.sample import Tags

BEGUN: Final = "X-Request-Start"
"""The header in which a target that tells its time is told when a request was sent: so it knows how long it waited."""
SPREAD_S: Final = 30
MAX_PARTS: Final = 48
MAX_OPERATIONS: Final = 200
SLACK_US: Final = 1000
"""By so much the parts may exceed what the client waited: clocks tick, and others round."""
_SMALL: Final = 2048
"""Below it each value is its own bin."""

Bins = defaultdict[int, int]


class Slot:
    """What a block holds of one part."""

    __slots__ = ("bins", "sums")

    def __init__(self) -> None:
        self.bins: Bins = defaultdict(int)
        self.sums: Bins = defaultdict(int)


class Kept:
    """What a block holds of one operation."""

    __slots__ = ("counts", "slots")

    def __init__(self) -> None:
        self.counts: Bins = defaultdict(int)
        self.slots: defaultdict[str, Slot] = defaultdict(Slot)


Block = defaultdict[str, Kept]
"""By operation."""


class Parts:
    """The parts of one operation's requests; `Book.of` makes it and gives the same one again."""

    __slots__ = ("_block", "_book", "_kept", "_labels", "_now", "_operation", "_reader")

    def __init__(self, operation: str, now: Callable[[], Second], book: Book) -> None:
        self._operation = operation
        self._now = now
        self._book = book
        self._reader = book.reader
        self._labels: set[str] = set()
        self._block: Block | None = None
        self._kept = Kept()

    def told(self, us: int, text: str) -> None:
        """Take in what the header of an answer says; `us` is how long the client waited for that."""
        second = self._now()
        found = self._reader.read(text)
        for odd in found.odd:
            second.counters[_odd(odd)] += 1
        parts = found.parts
        if not parts:
            return
        self._book.heard = True
        gap = us - sum(parts.values())
        if gap < 0:
            gap += _less_queue(parts, -gap)
        if gap < -SLACK_US:
            second.counters[_odd(Odd.SUM)] += 1
            return
        parts[GAP] = max(gap, 0)
        if second.block is not self._block:
            self._block, self._kept = second.block, second.block[self._operation]
        group = (us if 0 <= us < _SMALL else bin_of(us)) >> GROUP_BITS
        self._kept.counts[group] += 1
        slots, labels = self._kept.slots, self._labels
        for name, part in parts.items():
            slot = slots[name if name in labels else self._known(name)]
            slot.bins[part if part < _SMALL else bin_of(part)] += 1
            if part:
                slot.sums[group] += part

    def _known(self, label: str) -> str:
        if len(self._labels) >= MAX_PARTS:
            return OTHER
        self._labels.add(label)
        return label


class Book:
    """All operations' parts, by block of seconds. `heard` is whether any answer told its time."""

    def __init__(self, now: Callable[[], Second], warmup: int | None = 0) -> None:
        """Make it.

        Args:
            now: gives the second that is counted in.
            warmup: how many seconds at the beginning are not judged; None where that is found out when the run is
                over, which is by batches as long as a block.
        """
        self._now = now
        self._cut = warmup or 0
        self._spread_s = BLOCK_S if warmup is None else SPREAD_S
        self.reader = Reader()
        self.heard = False
        self._parts: dict[str, Parts] = {}
        self._blocks: dict[int, Block] = {}
        self._spread: dict[TrendKey, Counter[int]] = {}

    def of(self, operation: str) -> Parts:
        """Give the parts of an operation; those of operations that are too many are kept together."""
        if operation not in self._parts and len(self._parts) >= MAX_OPERATIONS:
            operation = UNTAGGED
        found = self._parts.get(operation)
        if found is None:
            found = self._parts[operation] = Parts(operation, self._now, self)
        return found

    def block(self, number: int) -> Block:
        """Give the block that a second belongs to."""
        end = self._end(number)
        found = self._blocks.get(end)
        if found is None:
            found = self._blocks[end] = defaultdict(Kept)
        return found

    def _end(self, number: int) -> int:
        """Give the second before which the block of a second ends."""
        end = (number // BLOCK_S + 1) * BLOCK_S
        return self._cut if number < self._cut < end else end

    def clear(self) -> None:
        """Forget what was kept."""
        self._blocks.clear()
        self._spread.clear()

    def take(self, number: int, *, last: bool) -> Mapping[TrendKey, Mapping[int, int]]:
        """Give what goes into a second: of the blocks that end with it, or before it; with `last` all there is."""
        found: dict[TrendKey, Counter[int]] = {}
        for end in sorted(end for end in self._blocks if last or end <= number + 1):
            for operation, kept in self._blocks.pop(end).items():
                self._add(found, operation, kept)
        if last or number + 1 == self._cut or (number + 1) % self._spread_s == 0:
            found |= self._spread
            self._spread = {}
        return found

    def _add(self, found: dict[TrendKey, Counter[int]], operation: str, kept: Kept) -> None:
        told = ("operation", operation)
        found.setdefault(TrendKey(COUNTS, "", (told,), OK, NO_CLOCK), Counter()).update(kept.counts)
        for label, slot in kept.slots.items():
            hop, kind = split(label)
            tags: Tags = (("hop", hop), ("kind", kind), told)
            if slot.sums:
                found.setdefault(TrendKey(SUMS, "", tags, OK, NO_CLOCK), Counter()).update(slot.sums)
            self._spread.setdefault(TrendKey(TIMING, "", tags), Counter()).update(slot.bins)


def begun() -> dict[str, str]:
    """Give the header of a request that is sent now."""
    return {BEGUN: f"t={time_ns() // 1000}"}


def _less_queue(parts: dict[str, int], too_much: int) -> int:
    """Shorten the first hop's wait, which it knows by its own clock and not by the client's; gives by how much."""
    first = next(iter(parts))
    if not first.endswith(QUEUE):
        return 0
    less = min(parts[first], too_much)
    parts[first] -= less
    return less


def _odd(odd: Odd) -> SeriesKey:
    return SeriesKey(ODD, (("reason", odd),))
