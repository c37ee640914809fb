"""One and many."""

from __future__ import annotations


def counted(number: int, noun: str, many: str = "") -> str:
    """Write a number with its noun: `1 booking`, `2,000 bookings`; `many` where the plural takes more than an s."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
