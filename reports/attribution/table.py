"""What explains a difference, as lines of a table: figures in ms that add up, as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import units
from reports.attribution.difference import OTHERS, ms, signed
from reports.attribution.operation import shown

if TYPE_CHECKING:
    from reports.attribution.difference import Difference, Part

MOST_LINES: Final = 14
LARGE: Final = 0.05
"""From this share of what was waited on a part is named even where it did not change."""
WHOLE: Final = "waited in all"
ROUNDING: Final = "rounding"
"""What is left where every part stands there."""


@dataclass(frozen=True, slots=True)
class Line:
    """A part's figures in ms, as text, and how far its bar goes: from −1 (less) to 1 (more)."""

    name: str
    before: str
    after: str
    change: str
    reach: float


def lines(found: Difference, most: int = MOST_LINES) -> list[Line]:
    """Give a line for each part that matters, one for the others, and last the whole, which they add up to."""
    digits = found.fine
    waited = max(found.before, found.after)
    chosen = [
        part
        for part in found.parts
        if found.matters(part) or max(part.before or 0.0, part.after or 0.0) >= LARGE * waited
    ][:most]
    whole = ms(found.before, digits), ms(found.after, digits)
    sums = [sum(ms(us, digits) for us in side) for side in zip(*((p.before, p.after) for p in chosen), strict=True)]
    before, after = (round(all_of_it - part, digits) for all_of_it, part in zip(whole, sums or (0.0, 0.0), strict=True))
    changes = [*(part.moved(digits) for part in chosen), round(after - before, digits)]
    widest = max(map(abs, changes)) or 1.0
    made = [_line(part, digits, widest) for part in chosen]
    if before or after:
        change = changes[-1]
        name = OTHERS if len(chosen) < len(found.parts) else ROUNDING
        made.append(Line(name, text(before, digits), text(after, digits), signed(change, digits), change / widest))
    change = round(whole[1] - whole[0], digits)
    return [*made, Line(WHOLE, text(whole[0], digits), text(whole[1], digits), signed(change, digits), 0.0)]


def _line(part: Part, digits: int, widest: float) -> Line:
    before, after = (
        units.NO_FIGURE if us is None else text(ms(us, digits), digits) for us in (part.before, part.after)
    )
    moved = part.moved(digits)
    return Line(units.plain(shown(part.label), 70), before, after, signed(moved, digits), round(moved / widest, 4))


def text(figure: float, digits: int) -> str:
    """Write ms; what rounding leaves for the others may be below 0."""
    return f"{figure:,.{digits}f}".replace("-", "−")
