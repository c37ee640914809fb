"""How a MariaDB or MySQL server is, as it says itself: for `/figures`, over a connection that is kept for this."""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import URL, Connection, Engine

FIGURES: Final[Mapping[str, str]] = {
    "Innodb_row_lock_waits": "dbRowLockWaits",
    "Slow_queries": "dbSlowQueries",
    "Threads_running": "dbThreadsRunning",
}
"""The server's names, and ours; all but the threads are counted since it started."""
STATUS: Final = "SHOW GLOBAL STATUS WHERE Variable_name IN ({})".format(", ".join(f"'{name}'" for name in FIGURES))


def number_of(url: URL) -> int:
    """Give the number by which services of one server are known: it is the same for the same address."""
    return zlib.crc32(f"{url.host}:{url.port}".encode())


class ServerStatus:
    """Asks a server, one question at a time.

    Args:
        errand: connects for each question, and waits no longer than a moment.
    """

    def __init__(self, errand: Engine) -> None:
        self._errand = errand
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def ask(self) -> Mapping[str, int]:
        """Give what the server says; nothing when it does not."""
        with self._lock:
            try:
                rows = self._rows()
            except SQLAlchemyError:
                self._let_go()
                return {}
        return {FIGURES[name]: int(value) for name, value in rows if name in FIGURES}

    def _rows(self) -> list[Any]:
        if self._connection is None:
            self._connection = self._errand.connect().execution_options(isolation_level="AUTOCOMMIT")
        return list(self._connection.exec_driver_sql(STATUS).all())

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except DBAPIError:
                return
