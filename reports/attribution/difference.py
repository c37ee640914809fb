"""What explains the difference between two sides: how much each part of each hop took more or less. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.model.server_timing import CLIENT, split
from reports import units
from reports.attribution.operation import MEDIAN, P95, Operation, Ranks, merged, ordered, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_NAMED: Final = 5
LEAST: Final = 0.04
"""Parts below this share of all that moved are not named by themselves."""
US_PER_MS: Final = 1000
OTHERS: Final = "others"
_DENSE: Final = ((10_000, 0), (1_000, 1), (0, 2))
"""From so many µs on: so many decimals of ms."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a part, `hop.kind`, took on both sides, in µs; None where that side never named it, which counts as 0."""

    label: str
    before: float | None
    after: float | None

    @property
    def us(self) -> float:
        """Give by how much it changed."""
        return (self.after or 0.0) - (self.before or 0.0)

    def moved(self, digits: int) -> float:
        """Give by how much it changed, in ms: the difference of the two figures as they are written."""
        return round(ms(self.after, digits) - ms(self.before, digits), digits)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much longer the requests of some ranks took, by part, the part that moved most first."""

    ranks: Ranks
    parts: tuple[Part, ...]

    @property
    def before(self) -> float:
        """Give what the client waited in the baseline, in µs; the parts add up to it."""
        return sum(part.before or 0.0 for part in self.parts)

    @property
    def after(self) -> float:
        """Give what the client waited in the candidate, in µs; the parts add up to it."""
        return sum(part.after or 0.0 for part in self.parts)

    @property
    def us(self) -> float:
        """Give by how much the whole changed; the parts' changes add up to it."""
        return self.after - self.before

    @property
    def whole(self) -> Part:
        """Give all of it as if it were one part."""
        return Part("", self.before, self.after)

    @property
    def digits(self) -> int:
        """Give with how many decimals of ms its changes are written in a sentence."""
        widest = max([abs(self.us), *(abs(part.us) for part in self.parts)])
        return next(decimals for least, decimals in _DENSE if widest >= least)

    @property
    def fine(self) -> int:
        """Give with how many decimals of ms its figures are written in a table.

        A sentence rounds the differences of these: one more keeps that from being off by a whole digit.
        """
        return self.digits + 1

    @property
    def _by_hop_where_gone(self) -> list[Part]:
        """Give the parts; those of a hop that only one side named at all as one, `auth.*`: it is not called there."""
        by_hop: dict[str, list[Part]] = {}
        for part in self.parts:
            by_hop.setdefault(split(part.label)[0], []).append(part)
        found = []
        for hop, parts in by_hop.items():
            before, after = ([us for us in side if us is not None] for side in zip(*map(_sides, parts), strict=True))
            if (before and after) or len(parts) == 1:
                found += parts
            else:
                found.append(Part(f"{hop}.*", sum(before), sum(after)))
        return sorted(found, key=lambda part: -abs(part.us))

    def matters(self, part: Part) -> bool:
        """Tell whether a part's change is a share of all that moved that is worth naming."""
        return abs(part.us) >= LEAST * sum(abs(other.us) for other in self.parts)

    def __str__(self) -> str:
        """Write it: `p95 −38 ms: auth −31, booking.db −9, gateway +2`; what is written adds up, too."""
        digits = self.digits
        whole = round(self.whole.moved(self.fine), digits)
        named = [
            (shown(part.label), figure)
            for part in self._by_hop_where_gone[:MOST_NAMED]
            if (figure := round(part.moved(self.fine), digits)) and self.matters(part)
        ]
        others = round(whole - sum(figure for _, figure in named), digits)
        said = [f"{units.plain(label, 70)} {signed(figure, digits)}" for label, figure in named]
        if others:
            said.append(f"{OTHERS} {signed(others, digits)}")
        head = f"{self.ranks.name} {signed(whole, digits)} ms"
        return f"{head}: {', '.join(said)}" if said else head


@dataclass(frozen=True, slots=True)
class Explained:
    """An operation of two sides: what explains the difference of its median and of its p95, where both can be said."""

    operation: str
    differences: tuple[Difference, ...]


def difference(before: Operation, after: Operation, ranks: Ranks) -> Difference | None:
    """Say which parts made the requests of these ranks faster or slower; None where one side has too few."""
    one, other = before.band(ranks), after.band(ranks)
    if one is None or other is None:
        return None
    parts = [Part(label, one.parts.get(label), other.parts.get(label)) for label in ordered({*one.parts, *other.parts})]
    return Difference(ranks, tuple(sorted(parts, key=lambda part: -abs(part.us))))


def explained(
    before: Iterable[Operation], after: Iterable[Operation], ranks: tuple[Ranks, ...] = (MEDIAN, P95)
) -> list[Explained]:
    """Explain the operations that both sides have; a side may hold several runs, whose requests are taken together.

    The operation that took the most time comes first. One of which the sides name no part in common is left out: what
    two targets call by different names cannot be held against each other.
    """
    first, second = merged(before), merged(after)
    found = []
    for name in sorted(first.keys() & second.keys(), key=lambda name: (-first[name].us - second[name].us, name)):
        if not alike(first[name], second[name]):
            continue
        said = (difference(first[name], second[name], chosen) for chosen in ranks)
        if differences := tuple(one for one in said if one is not None):
            found.append(Explained(name, differences))
    return found


def _sides(part: Part) -> tuple[float | None, float | None]:
    return part.before, part.after


def alike(before: Operation, after: Operation) -> bool:
    """Tell whether two sides name any part of the target in common."""
    return any(not label.startswith(f"{CLIENT}.") for label in before.sums.keys() & after.sums.keys())


def ms(us: float | None, digits: int) -> float:
    """Give µs as ms with so many decimals; what was not named as 0."""
    return round((us or 0.0) / US_PER_MS, digits)


def signed(value: float, digits: int) -> str:
    """Write a change of ms with its sign."""
    return f"{value:+,.{digits}f}".replace("-", "−") if value else "±0"
