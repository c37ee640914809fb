"""The embedded bus: persist-queue's SQLite queue with acknowledgement, shared by two processes.

`SQLiteAckQueue` is made for threads of one process. What it keeps in memory is wrong once a second process works
on the same file: its counter `total` (the consumer's goes below zero), `put_event` (a waiting `get` never hears
of a foreign `put`), and `auto_resume` (a publisher that starts would give back what the consumer is handling).
It also commits each message by itself with an fsync, and finds the next message by walking over all that were
ever acknowledged. So this class keeps its file, table and states, and adds what works on rows alone: many
messages per transaction, acknowledged ones deleted, counts asked from the table. Waiting is polling.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persistqueue import SQLiteAckQueue
from persistqueue.serializers import json as json_serializer
from persistqueue.sqlackqueue import AckStatus

from reference_services.common.bus import Delivery
from reference_services.common.errors import BusError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BUSY_TIMEOUT_S = 10.0
POLL_S = 0.05


class RowQueue(SQLiteAckQueue):
    """An acknowledging queue on disk whose every answer comes from its rows."""

    def __init__(self, directory: str, name: str, *, resume: bool) -> None:
        super().__init__(
            directory,
            name=name,
            multithreading=True,
            timeout=BUSY_TIMEOUT_S,
            auto_resume=resume,
            serializer=json_serializer,
        )
        self._reads: Any = self._getter
        self._writes: Any = self._putter

    def _new_db_connection(self, path: str, multithreading: bool, timeout: float) -> sqlite3.Connection:  # noqa: FBT001 - the base class's signature
        connection: sqlite3.Connection = super()._new_db_connection(path, multithreading, timeout)
        # As in database.py: in WAL mode this loses nothing when a process dies.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def put_many(self, items: Iterable[Any]) -> None:
        """Add messages in one transaction."""
        moment = time.time()
        rows = [(self._serializer.dumps(item), moment) for item in items]
        with self.tran_lock, self._writes as transaction:
            transaction.executemany(self._sql_insert, rows)

    def take_many(self, most: int) -> list[tuple[int, Any]]:
        """Take up to `most` messages in the order of their arrival and mark them as not acknowledged, atomically."""
        ready = f"SELECT {self._key_column}, data FROM {self._table_name} WHERE status < ? ORDER BY 1 LIMIT ?"  # noqa: S608 - the class's own names
        with self.tran_lock:
            if self._reads.execute(ready, (AckStatus.unack, 1)).fetchone() is None:
                return []
            with self._writes as transaction:
                transaction.execute("BEGIN IMMEDIATE")
                rows = transaction.execute(ready, (AckStatus.unack, most)).fetchall()
                marks = [(AckStatus.unack, key) for key, _ in rows]
                transaction.executemany(self._sql_mark_ack_status, marks)
        return [(key, self._serializer.loads(data)) for key, data in rows]

    def settle_many(self, keys: Iterable[int], *, handled: bool) -> None:
        """Delete messages that were handled, or make them ready again."""
        delete = f"DELETE FROM {self._table_name} WHERE {self._key_column} = ?"  # noqa: S608 - the class's own names
        with self.tran_lock, self._writes as transaction:
            if handled:
                transaction.executemany(delete, [(key,) for key in keys])
            else:
                transaction.executemany(self._sql_mark_ack_status, [(AckStatus.ready, key) for key in keys])

    def waiting(self) -> int:
        """Count the messages that are not acknowledged."""
        count = f"SELECT COUNT(*) FROM {self._table_name}"  # noqa: S608 - the class's own names
        with self.tran_lock:
            row = self._reads.execute(count).fetchone()
        return int(row[0])

    def oldest(self) -> float | None:
        """Give when the oldest message that is not acknowledged came, in seconds since the epoch."""
        first = f"SELECT MIN(timestamp) FROM {self._table_name}"  # noqa: S608 - the class's own name
        with self.tran_lock:
            row = self._reads.execute(first).fetchone()
        return None if row[0] is None else float(row[0])

    def ready(self) -> str | None:
        """Give None when the file answers, or the reason why it does not."""
        try:
            self.waiting()
        except sqlite3.Error as error:
            return f"queue: {error}"
        return None


def open_queue(directory: str, name: str, *, resume: bool) -> RowQueue:
    """Open a queue, making its directory and table when they are missing.

    Raises:
        ConfigError: the directory or its file cannot be used.
    """
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
        return RowQueue(directory, name, resume=resume)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"BUS_URL: the queue in {directory} cannot be opened: {error}") from error


class DiskPublisher:
    """The sending side of the embedded bus."""

    def __init__(self, directory: str, queue: str) -> None:
        self._queue = open_queue(directory, queue, resume=False)

    def publish(self, bodies: Sequence[str]) -> None:
        """Hand over messages in one transaction.

        Raises:
            BusError: the queue's file does not take them.
        """
        try:
            self._queue.put_many(bodies)
        except sqlite3.Error as error:
            raise BusError(f"not published: the queue says: {error}") from error

    def ready(self) -> str | None:
        """Give None when the queue's file answers, or the reason why not."""
        return self._queue.ready()

    def close(self) -> None:
        """Close the file."""
        self._queue.close()


class DiskConsumer:
    """The receiving side of the embedded bus."""

    def __init__(self, directory: str, queue: str) -> None:
        self._queue = open_queue(directory, queue, resume=True)
        self._dead = open_queue(directory, f"{queue}.dead", resume=False)
        self._unsettled: list[tuple[list[int], bool]] = []

    def take(self, most: int, wait_s: float) -> list[Delivery]:
        """Take messages; look again every 50 ms while there are none.

        Raises:
            BusError: the file still does not take what was said of earlier ones.
        """
        self._settle()
        until = time.monotonic() + wait_s
        while not (rows := self._queue.take_many(most)) and time.monotonic() < until:
            self._queue.put_event.wait(POLL_S)
        return [Delivery(key, body if isinstance(body, str) else repr(body)) for key, body in rows]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Delete messages that were handled."""
        self._settle(deliveries, handled=True)

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Make messages ready again."""
        self._settle(deliveries, handled=False)

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Write the message to the dead letters, then delete it; a crash between leaves it in both."""
        self._dead.put_many([{"reason": reason, "body": delivery.body}])
        self.acknowledge([delivery])

    def _settle(self, deliveries: Sequence[Delivery] = (), *, handled: bool = True) -> None:
        """Write what was said of messages; what the file does not take now (its disk is full) is written later."""
        if deliveries:
            self._unsettled.append(([delivery.tag for delivery in deliveries], handled))
        try:
            while self._unsettled:
                keys, done = self._unsettled[0]
                self._queue.settle_many(keys, handled=done)
                del self._unsettled[0]
        except sqlite3.Error as error:
            raise BusError(f"not settled: the queue says: {error}") from error

    def depth(self) -> int:
        """Count the messages that are not acknowledged.

        Raises:
            BusError: the queue's file does not answer.
        """
        try:
            return self._queue.waiting()
        except sqlite3.Error as error:
            raise BusError(f"queue: {error}") from error

    def age_ms(self) -> int | None:
        """Give how long ago the oldest message came that is not acknowledged, in ms; 0 when there is none.

        Raises:
            BusError: the queue's file does not answer.
        """
        try:
            oldest = self._queue.oldest()
        except sqlite3.Error as error:
            raise BusError(f"queue: {error}") from error
        return 0 if oldest is None else max(int((time.time() - oldest) * 1000), 0)

    def ready(self) -> str | None:
        """Give None when the queue's file answers, or the reason why not."""
        return self._queue.ready()

    def close(self) -> None:
        """Close the files."""
        self._queue.close()
        self._dead.close()
