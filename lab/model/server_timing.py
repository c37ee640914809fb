"""The header `Server-Timing`: where a target says that a request's time went (docs/attribution.md). Pure.

`auth.db;dur=1.250` is 1.25 ms of kind `db` at the hop `auth`. A name without a dot is the whole of a hop, which its
parts add up to; where no name has a dot, each is a kind of work of one hop, `server`. The header is what somebody else
wrote: it is bounded, and what cannot be understood in it is left out and said, never raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

TIMING: Final = "server_timing"
"""The parts' histograms, by hop, kind and operation."""
SUMS: Final = "server_timing_sums"
"""The parts' sums in µs, by the group of latencies that their requests belong to."""
COUNTS: Final = "server_timing_counts"
"""How many requests belong to each group."""
ODD: Final = "server_timing_odd"
"""How often something in a header was left out, by reason."""
GROUP_BITS: Final = 4
"""16 bins make a group: 64 groups to each doubling."""
BLOCK_S: Final = 5
"""Seconds that sums are kept for together."""

LONGEST: Final = 4096
MOST_ENTRIES: Final = 64
MOST_US: Final = 3_600_000_000
MOST_NAMES: Final = 512
SERVER: Final = "server"
CLIENT: Final = "client"
GAP: Final = f"{CLIENT}.gap"
"""What the client waited beyond what the target took: the network, and the load generator itself."""
QUEUE: Final = ".queue"
"""The end of a part that is the wait for a hop."""
OTHER: Final = f"{SERVER}.other"
"""What has no name that is left for it."""
_TOTAL: Final = "total"
"""A hop's whole, in headers of others."""
_NAME: Final = re.compile(r"[a-z0-9_-]{1,32}")
_ENTRY: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)++')
_PARAMETER: Final = re.compile(r';\s*([^;="\s]*)\s*(?:=\s*("(?:[^"\\]|\\.)*+"|[^;"]*))?')


class Odd(StrEnum):
    """Why something in a header was left out."""

    LONG = "a header that is too long"
    MANY = "too many parts"
    NAME = "a name that is none"
    DURATION = "a duration that is none"
    SUM = "parts that add up to more than the client waited"


@dataclass(slots=True)
class Told:
    """What one header says: µs by `hop.kind`, and what was left out of it."""

    parts: dict[str, int] = field(default_factory=dict)
    odd: list[Odd] = field(default_factory=list)


class Reader:
    """Reads headers; names that it has seen are looked up, so that the usual header costs little."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def read(self, text: str) -> Told:
        """Read a header; the time of parts with the same name is added up."""
        if len(text) > LONGEST:
            return Told(odd=[Odd.LONG])
        if text.count(",") >= MOST_ENTRIES:
            return Told(odd=[Odd.MANY])
        parts: dict[str, int] = {}
        names = self._names
        for entry in text.split(","):
            head, _, duration = entry.partition(";dur=")
            label = names.get(head)
            if label == "":
                continue
            try:
                us = int(float(duration) * 1000 + 0.5)
            except (ValueError, OverflowError):
                return self._read_slowly(text)
            if label is None or not 0 <= us <= MOST_US:
                return self._read_slowly(text)
            parts[label] = parts.get(label, 0) + us
        return Told(parts) if parts else self._read_slowly(text)

    def _read_slowly(self, text: str) -> Told:
        """Read a header of any form, and get to know its names."""
        told = Told()
        wholes: dict[str, int] = {}
        for entry in _ENTRY.findall(text):
            name, semicolon, rest = entry.partition(";")
            parameters = _PARAMETER.findall(semicolon + rest)
            durations = [value for key, value in parameters if key.lower() == "dur"]
            label = _label(name.strip().lower())
            if not durations:
                continue  # a name alone, such as `miss`, is no part and no fault
            if label is None:
                told.odd.append(Odd.NAME)
                continue
            us = _us(durations[0].strip().strip('"'))
            if us is None:
                told.odd.append(Odd.DURATION)
                continue
            into = told.parts if "." in label else wholes
            into[label] = into.get(label, 0) + us
            head, known, _ = entry.partition(";dur=")
            if known and len(self._names) < MOST_NAMES:
                self._names[head] = label if into is told.parts else ""
        if not told.parts:
            told.parts = {f"{SERVER}.{name}": us for name, us in wholes.items() if name != _TOTAL}
        return told


def timing_of(headers: Any) -> str:  # noqa: ANN401 - any client's
    """Give the header `Server-Timing` of an answer's headers, or "" where there is none; several of them as one."""
    try:
        found = headers.get("Server-Timing")
    except (AttributeError, TypeError, KeyError):
        return ""
    return found if isinstance(found, str) else ",".join(map(str, found)) if isinstance(found, (list, tuple)) else ""


def split(label: str) -> tuple[str, str]:
    """Give a part's hop and kind."""
    hop, _, kind = label.rpartition(".")
    return hop, kind


def _label(name: str) -> str | None:
    """Give `hop.kind` (of a longer name its last two), or the name of a whole; None where it is no such name."""
    words = name.split(".")[-2:]
    return ".".join(words) if all(_NAME.fullmatch(word) for word in words) else None


def _us(text: str) -> int | None:
    try:
        us = int(float(text) * 1000 + 0.5)
    except (ValueError, OverflowError):
        return None
    return us if 0 <= us <= MOST_US else None
