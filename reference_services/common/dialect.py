"""What differs between the databases that a service can stand on, as one strategy; `database.py` uses no other."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError, IntegrityError


class Trouble(Enum):
    """Why a transaction came to nothing through no fault of its statements."""

    AWAY = auto()
    """The server is gone, stalls, or does not want us now."""
    CONFLICT = auto()
    """Others held the same rows: this transaction was, or will be, rolled back as a whole, and may be run again."""


class Dialect(Protocol):
    """How to deal with one kind of database.

    Attributes:
        url: where it is, with the driver that is used.
        engine_options: how its pool is made.
        retry_s: how long after its first try a transaction may be tried again, in seconds.
    """

    @property
    def url(self) -> URL: ...  # noqa: D102 - an attribute, described above

    @property
    def engine_options(self) -> dict[str, Any]: ...  # noqa: D102 - as above

    @property
    def retry_s(self) -> float: ...  # noqa: D102 - as above

    def prepare(self, engine: Engine) -> None:
        """Make an engine's connections what the services rely on."""

    def errand(self, engine: Engine, patience_s: float) -> Engine:
        """Give an engine for a question that waits this long and no longer, whatever the pool is doing."""

    def turn(self) -> AbstractContextManager[object]:
        """Wait for this process's turn to write, where there is one at a time."""

    def making_tables(self, connection: Connection) -> AbstractContextManager[object]:
        """Keep other processes from making the same tables."""

    def trouble(self, error: DBAPIError) -> Trouble | None:
        """Tell trouble that passes from an error of the statement's own (None)."""

    def is_reference_violation(self, error: IntegrityError) -> bool:
        """Tell a broken reference (true) from a value that is taken (false)."""
