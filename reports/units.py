"""Figures as a person reads them. Base units come in (µs, bytes, shares); text goes out."""

from __future__ import annotations

import unicodedata
from math import isinf
from typing import Final

US_PER_MS: Final = 1_000
US_PER_S: Final = 1_000_000
S_PER_MIN: Final = 60
NO_FIGURE: Final = "–"
NO_ANSWER: Final = "no answer"
_BYTES: Final = ("B", "kB", "MB", "GB", "TB")
_KILO: Final = 1000
_DENSE: Final = 10


def trimmed(value: float, digits: int = 2) -> str:
    """Write a figure with at most `digits` decimals and no zeros at their end."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(us: float | None) -> str:
    """Write a time the way k6 does: `7µs`, `28.24ms`, `1.44s`, `1m3s`.

    Args:
        us: µs; None gives a dash and infinity "no answer".
    """
    if us is None:
        return NO_FIGURE
    if isinf(us):
        return NO_ANSWER
    for limit, divisor, unit in (
        (US_PER_MS, 1, "µs"),
        (US_PER_S, US_PER_MS, "ms"),
        (US_PER_S * S_PER_MIN, US_PER_S, "s"),
    ):
        # Rounded before it is compared, so that 999.999 ms is written 1s and not 1000ms.
        if round(us / divisor, 2) * divisor < limit:
            return trimmed(us / divisor) + unit
    return clock(us / US_PER_S)


def clock(seconds: float) -> str:
    """Write a length of time: `12s`, `2m`, `1m3s`, `1h2m`."""
    if round(seconds, 1) < S_PER_MIN:
        return f"{trimmed(seconds, 1)}s"
    whole = round(seconds)
    hours, rest = divmod(whole, S_PER_MIN * S_PER_MIN)
    minutes, left = divmod(rest, S_PER_MIN)
    parts = [(hours, "h"), (minutes, "m"), (left, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def ms(us: float | None) -> str:
    """Write a time for a table whose column says "ms": three figures that count, and thousands apart."""
    if us is None:
        return NO_FIGURE
    if isinf(us):
        return NO_ANSWER
    value = us / US_PER_MS
    digits = 2 if value < _DENSE else 1 if value < _DENSE * _DENSE else 0
    return f"{value:,.{digits}f}"


def size(count: float) -> str:
    """Write bytes in k6's decimal units: `68 kB`, `1.3 MB`."""
    value = float(count)
    for unit in _BYTES[:-1]:
        if abs(value) < _KILO:
            return f"{value:.1f} {unit}" if unit != "B" and value < _DENSE else f"{value:.0f} {unit}"
        value /= _KILO
    return f"{value:.1f} {_BYTES[-1]}"


def percent(share: float, digits: int = 2) -> str:
    """Write a share of 1 as percent; a share that is not quite 0 or 1 is never rounded to it."""
    text = f"{share * 100:.{digits}f}"
    least = 10**-digits
    if share > 0 and float(text) == 0:
        return f"<{least:.{digits}f}%"
    if share < 1 and float(text) == 100:  # noqa: PLR2004 - percent
        return f">{100 - least:.{digits}f}%"
    return f"{text}%"


def whole(count: float) -> str:
    """Write a count with its thousands apart."""
    return f"{count:,.0f}"


def plain(text: str, limit: int = 300) -> str:
    """Make a text from elsewhere safe to show on one line: no control or direction-changing character, and bounded.

    A terminal obeys escape sequences, and a reader is misled by text that runs backwards: each such character is
    shown as its code instead.
    """
    shown = "".join(_visible(char) for char in text[: limit + 1])
    if len(text) <= limit:
        return shown
    return f"{shown[: limit - 1]}… ({len(text):,} characters)"


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\t\r\n":
        return " "
    if category == "Cc":
        return f"\\x{ord(char):02x}"
    return f"\\u{ord(char):04x}" if category in {"Cf", "Cs", "Zl", "Zp"} else char


def cells(text: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
