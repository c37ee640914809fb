"""What explains the difference between two runs: how much each part of each hop took more or less. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import units
from reports.attribution.operation import MEDIAN, P95, Operation, Ranks, merged, ordered, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_NAMED: Final = 5
LEAST: Final = 0.04
"""Parts below this share of all that moved are not named by themselves."""
US_PER_MS: Final = 1000
REST: Final = "the rest"
_DENSE: Final = ((10_000, 0), (1_000, 1), (0, 2))
"""From so many µs on: so many decimals of ms."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How much longer the requests of some ranks took, by part, the part that moved most first; in µs."""

    ranks: Ranks
    before: float
    after: float
    parts: tuple[tuple[str, float], ...]

    @property
    def us(self) -> float:
        """Give by how much the whole changed; the parts add up to it."""
        return self.after - self.before

    def __str__(self) -> str:
        """Write it: `p95 −38 ms: auth −31, booking.db −9, gateway +2`; what is written adds up, too."""
        widest = max([abs(self.us), *(abs(us) for _, us in self.parts)])
        digits = next(decimals for least, decimals in _DENSE if widest >= least)
        whole = round(self.us / US_PER_MS, digits)
        moved = sum(abs(us) for _, us in self.parts)
        named = [
            (shown(label), figure)
            for label, us in self.parts[:MOST_NAMED]
            if (figure := round(us / US_PER_MS, digits)) and abs(us) >= LEAST * moved
        ]
        rest = round(whole - sum(figure for _, figure in named), digits)
        said = [f"{units.plain(label, 70)} {_signed(figure, digits)}" for label, figure in named]
        if rest:
            said.append(f"{REST} {_signed(rest, digits)}")
        head = f"{self.ranks.name} {_signed(whole, digits)} ms"
        return f"{head}: {', '.join(said)}" if said else head


@dataclass(frozen=True, slots=True)
class Explained:
    """An operation of two runs: what explains the difference of its median and of its p95, where both can be said."""

    operation: str
    differences: tuple[Difference, ...]


def difference(before: Operation, after: Operation, ranks: Ranks) -> Difference | None:
    """Say which parts made the requests of these ranks faster or slower; None where one side has too few."""
    one, other = before.band(ranks), after.band(ranks)
    if one is None or other is None:
        return None
    labels = ordered({*one.parts, *other.parts})
    moved = [(label, other.parts.get(label, 0.0) - one.parts.get(label, 0.0)) for label in labels]
    return Difference(ranks, one.us, other.us, tuple(sorted(moved, key=lambda part: -abs(part[1]))))


def explained(
    before: Iterable[Operation], after: Iterable[Operation], ranks: tuple[Ranks, ...] = (MEDIAN, P95)
) -> list[Explained]:
    """Explain the operations that both sides have; a side may hold several runs, whose requests are taken together.

    The operation that took the most time comes first.
    """
    first, second = merged(before), merged(after)
    found = []
    for name in sorted(first.keys() & second.keys(), key=lambda name: (-first[name].us - second[name].us, name)):
        said = (difference(first[name], second[name], chosen) for chosen in ranks)
        if differences := tuple(one for one in said if one is not None):
            found.append(Explained(name, differences))
    return found


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}".replace("-", "−") if value else "±0"
