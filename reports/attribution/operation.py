"""Where the time of an operation's requests goes: of those around the median, around p95, of the slowest 1 %. Pure.

A marginal histogram of a part does not say what it was in slow requests. So parts are summed by groups of latencies, 64
to a doubling, and a band of ranks takes whole groups, and of those at its ends the share that lies inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.model.server_timing import CLIENT, COUNTS, GAP, SUMS
from reports.shown import HIDDEN_BELOW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.model.sample import TrendKey

Sums = dict[str, dict[int, int]]
FIRST: Final = "booking"
"""The operation that the platform is there for."""
HOPS: Final = ("gateway", "auth", "booking", "flights", "reminder")
"""The order in which a request meets them."""
KINDS: Final = ("own", "hash", "group", "db", "pool", "queue", "net")


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which requests of an operation, in the order of their latency: shares from 0 to 1.

    `needs` is how many requests the operation must have, by the rule of ten samples beyond.
    """

    name: str
    low: float
    high: float
    needs: int


MEDIAN: Final = Ranks("median", 0.45, 0.55, 2 * HIDDEN_BELOW)
P95: Final = Ranks("p95", 0.94, 0.96, 20 * HIDDEN_BELOW)
SLOWEST: Final = Ranks("slowest 1 %", 0.99, 1.0, 100 * HIDDEN_BELOW)
ALL: Final = Ranks("all", 0.0, 1.0, 1)
SHOWN: Final = (MEDIAN, P95, SLOWEST)


@dataclass(frozen=True, slots=True)
class Band:
    """The mean time of some requests, by part, in µs; the parts add up to what the client waited."""

    ranks: Ranks
    requests: float
    parts: Mapping[str, float]

    @property
    def us(self) -> float:
        """Give what the client waited, on average."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation's requests that told where their time went.

    Attributes:
        name: the operation.
        counts: requests by group of latencies.
        sums: µs by part, `hop.kind`, and group.
        of: how many requests succeeded, whether they told or not; None where that is not known.
    """

    name: str
    counts: Mapping[int, int]
    sums: Mapping[str, Mapping[int, int]]
    of: int | None = None

    @property
    def requests(self) -> int:
        """Give how many they are."""
        return sum(self.counts.values())

    @property
    def us(self) -> int:
        """Give the time of all of them."""
        return sum(sum(groups.values()) for groups in self.sums.values())

    def band(self, ranks: Ranks) -> Band | None:
        """Give where the time of the requests of these ranks goes; None where the operation has too few."""
        whole = self.requests
        if whole < ranks.needs:
            return None
        low, high = ranks.low * whole, ranks.high * whole
        weights, seen = {}, 0
        for group in sorted(self.counts):
            count = self.counts[group]
            inside = min(seen + count, high) - max(seen, low)
            if inside > 0:
                weights[group] = inside / count
            seen += count
        requests = sum(weight * self.counts[group] for group, weight in weights.items())
        if not requests:
            return None
        parts = {
            label: sum(weight * groups.get(group, 0) for group, weight in weights.items()) / requests
            for label, groups in self.sums.items()
        }
        return Band(ranks, requests, {label: parts[label] for label in ordered(parts)})


def operations(trends: Iterable[tuple[TrendKey, Mapping[int, int]]]) -> list[Operation]:
    """Give the operations that a run's trends tell of, the one that took the most time in all first."""
    counts: dict[str, Counter[int]] = {}
    sums: dict[str, dict[str, Counter[int]]] = {}
    for key, bins in trends:
        tags = dict(key.tags)
        name = tags.get("operation", "")
        if key.metric == COUNTS:
            counts.setdefault(name, Counter()).update(bins)
        elif key.metric == SUMS:
            label = f"{tags.get('hop', '')}.{tags.get('kind', '')}"
            sums.setdefault(name, {}).setdefault(label, Counter()).update(bins)
    found = [Operation(name, groups, sums.get(name, {})) for name, groups in counts.items()]
    return sorted(found, key=lambda operation: (-operation.us, operation.name))


def merged(parts: Iterable[Operation]) -> dict[str, Operation]:
    """Add up the same operations of several runs, by name."""
    counts: dict[str, Counter[int]] = {}
    sums: dict[str, dict[str, Counter[int]]] = {}
    of: dict[str, int | None] = {}
    for part in parts:
        before = of.get(part.name, 0)
        of[part.name] = None if before is None or part.of is None else before + part.of
        counts.setdefault(part.name, Counter()).update(part.counts)
        for label, groups in part.sums.items():
            sums.setdefault(part.name, {}).setdefault(label, Counter()).update(groups)
    return {name: Operation(name, groups, sums.get(name, {}), of[name]) for name, groups in counts.items()}


def leading(found: Iterable[Operation]) -> list[Operation]:
    """Put the operation that the platform is there for first, and leave the others in their order."""
    return sorted(found, key=lambda operation: operation.name != FIRST)


def ordered(labels: Iterable[str]) -> list[str]:
    """Put parts in the order in which a request meets them, and what the client waited beyond them last."""

    def place(label: str) -> tuple[bool, int, str, int, str]:
        hop, _, kind = label.rpartition(".")
        known = HOPS.index(hop) if hop in HOPS else len(HOPS)
        work = KINDS.index(kind) if kind in KINDS else len(KINDS)
        return hop == CLIENT, known, hop, work, kind

    return sorted(labels, key=place)


def shown(label: str) -> str:
    """Write a part as people read it: a hop's own work by the hop alone."""
    return "gap" if label == GAP else label.removesuffix(".own")
