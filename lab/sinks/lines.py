"""One point as a line of InfluxDB's line protocol: measurement, tags, fields, time. Pure.

A tag is made so that every server reads it alike: no control characters, no backslash (InfluxDB 1.x and 2.x escape it
differently), never empty, never so long that a server cuts it off.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NONE: Final = "-"
"""What stands for an empty tag, which the protocol does not have."""
LONGEST_TAG: Final = 200
_DIGEST: Final = 8
_TAG: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_TEXT: Final = str.maketrans({'"': r"\"", "\\": r"\\"})


@lru_cache(maxsize=4096)
def tag_text(value: str) -> str:
    """Give a text as a tag holds it; two texts stay different where only their length was in the way."""
    plain = "".join(char if char.isprintable() else " " for char in _encodable(value)).replace("\\", "/").strip()
    if len(plain) > LONGEST_TAG:
        digest = sha256(_encodable(value).encode()).hexdigest()[:_DIGEST]
        plain = f"{plain[: LONGEST_TAG - _DIGEST - 1]}…{digest}"
    return plain or NONE


@lru_cache(maxsize=4096)
def head(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    """Give the part of a line that names its series; the tags are sorted, as servers like them best."""
    parts = [measurement, *(f"{key}={tag_text(value).translate(_TAG)}" for key, value in sorted(tags))]
    return ",".join(parts)


def line(measurement: str, tags: Iterable[tuple[str, str]], fields: Mapping[str, float | str | None], at: int) -> str:
    """Write a point; `at` is in ns since the epoch.

    A field that is None, or no finite number, which the protocol does not have, is left out; at least one must stay.
    """
    values = ",".join(f"{name}={text}" for name, value in fields.items() if (text := _field(value)) is not None)
    return f"{head(measurement, tuple(tags))} {values} {at}"


def _field(value: float | str | None) -> str | None:
    if isinstance(value, str):
        # A line break would be allowed here, but a point is a line in the spool.
        plain = "".join(char if char.isprintable() else " " for char in _encodable(value))
        return f'"{plain.translate(_TEXT)}"'
    if isinstance(value, int):
        return f"{int(value)}i"
    return repr(value) if value is not None and isfinite(value) else None


def _encodable(text: str) -> str:
    # Half a surrogate pair, which JSON can hold and a server can't.
    return text.encode("utf-8", "replace").decode("utf-8")
