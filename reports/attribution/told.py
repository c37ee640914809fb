"""Where an operation's time goes, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import units
from reports.attribution.operation import ALL, MEDIAN, P95, leading, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.attribution.operation import Band, Operation

MOST_NAMED: Final = 5
LEAST: Final = 0.03


def line(operations: Sequence[Operation]) -> str:
    """Say of bookings, or else of the first operation, at p95 where it has enough requests; "" where nothing was told.

    `booking at p95 182ms: auth 81.2ms, booking.db 40.1ms, gateway 12ms, others 48.7ms`
    """
    if not operations:
        return ""
    first = leading(operations)[0]
    bands = (first.band(ranks) for ranks in (P95, MEDIAN, ALL))
    band = next((found for found in bands if found is not None), None)
    if band is None:
        return ""
    which = "on average" if band.ranks is ALL else f"at {band.ranks.name}"
    return f"{units.plain(first.name, 60)} {which} {units.duration(band.us)}: {parts(band)}"


def parts(band: Band, most: int = MOST_NAMED) -> str:
    """Name the parts that take the most, and what the others take together."""
    largest = sorted(band.parts.items(), key=lambda part: -part[1])
    named = [(shown(label), us) for label, us in largest[:most] if us >= LEAST * band.us]
    rest = band.us - sum(us for _, us in named)
    if rest >= 1:
        named.append(("others", rest))
    return ", ".join(f"{units.plain(label, 70)} {units.duration(us)}" for label, us in named)
