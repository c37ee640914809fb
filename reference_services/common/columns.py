"""Types that each database is told of in its own words."""

from __future__ import annotations

from sqlalchemy import DateTime
from sqlalchemy.ext.compiler import compiles


class Timestamp(DateTime):
    """A moment to the millisecond."""


@compiles(Timestamp, "mysql", "mariadb")
def _mysql_timestamp(_type: Timestamp, _compiler: object, **_options: object) -> str:
    return "DATETIME(3)"  # a plain DATETIME is cut to seconds there
