"""Times: UTC inside, to the millisecond, ISO 8601 with a `Z` in answers."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Give this moment in UTC without a zone (as databases keep it), cut to the millisecond."""
    moment = datetime.now(tz=UTC)
    return moment.replace(tzinfo=None, microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """Write a moment as clients see it: `2026-01-31T08:05:00.000Z`."""
    return moment.isoformat(timespec="milliseconds") + "Z"
