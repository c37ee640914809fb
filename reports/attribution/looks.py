"""How parts look in charts: a colour for each hop and a pattern for each kind of work, the same all over a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.server_timing import CLIENT, split
from reports.attribution.operation import HOPS, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOURS: Final = 5
"""The page has this many for hops; what is the client's, or of no hop, has another one."""
_NEUTRAL: Final = "series-6"
_PATTERNS: Final = dict(zip(KINDS, ("", "x", "+", "/", "\\", "-", "."), strict=True))
_FREE: Final = ("", "x", "/", "+", "\\", "-", ".")
_REST: Final = "|"


class Looks:
    """Gives each part of a run its colour and its pattern."""

    def __init__(self, labels: Iterable[str]) -> None:
        """Make it of all parts that any chart may show: what is not known by name takes turns, by the alphabet."""
        places = {split(label) for label in labels}
        hops = {hop for hop, _ in places} - {CLIENT, ""}
        self._hops = {hop: place % _COLOURS for place, hop in enumerate(HOPS)}
        left = [place for place in range(_COLOURS) if place not in {self._hops.get(hop) for hop in hops}] or [0]
        for place, hop in enumerate(sorted(hops - {*HOPS})):
            self._hops[hop] = left[place % len(left)]
        self._kinds = dict(_PATTERNS)
        kinds = {kind for hop, kind in places if hop != CLIENT}
        free = [shape for shape in _FREE if shape not in {_PATTERNS.get(kind) for kind in kinds}] or [_REST]
        for place, kind in enumerate(sorted(kinds - {*KINDS})):
            self._kinds[kind] = free[place % len(free)]

    def colour(self, label: str) -> str:
        """Name the colour of a part's hop, as a custom property of the page's style sheet."""
        hop, _ = split(label)
        return f"series-{self._hops[hop] + 1}" if hop in self._hops else _NEUTRAL

    def pattern(self, label: str) -> dict[str, object]:
        """Give the pattern of a part's kind of work, as plotly wants it."""
        hop, kind = split(label)
        shape = "" if hop == CLIENT else self._kinds.get(kind, _REST) if hop else _REST
        return {"shape": shape, "size": 7}
