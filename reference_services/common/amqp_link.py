"""A connection to RabbitMQ that is kept up by a thread of its own.

pika's connections belong to one thread. Here that thread runs the I/O loop and nothing else, so heartbeats are
answered however long others take to handle a message; what others want done is handed over to it by `run_soon`.
A connection that breaks is opened again, for ever, after pauses that grow.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from typing import TYPE_CHECKING, Protocol

from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.exceptions import AMQPError

from reference_services.common.amqp_reasons import why

if TYPE_CHECKING:
    from collections.abc import Callable

    from pika.channel import Channel
    from pika.connection import Connection
    from pika.frame import Method
    from pika.spec import Connection as ConnectionSpec

    from reference_services.common.amqp_address import AmqpAddress

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
# A broker that opens a connection and then says nothing to the declarations.
SETUP_S = 10.0
# How long a goodbye is waited for.
GOODBYE_S = 1.0


class Role(Protocol):
    """What a channel is used for. Both methods are called in the link's thread, and must not wait."""

    def opened(self, channel: Channel, up: Callable[[], None]) -> None:
        """Make a new channel ready for use, then call `up`."""

    def lost(self, reason: str) -> None:
        """Hear that the channel is gone, with all that was under way on it; also when it was never up."""


class Link:
    """One connection with one channel.

    Args:
        address: where the broker is.
        role: who uses the channel.
    """

    def __init__(self, address: AmqpAddress, role: Role) -> None:
        self._address = address
        self._role = role
        self._loop = IOLoop()
        self._thread = threading.Thread(target=self._run, name="rabbitmq", daemon=True)
        self._lock = threading.Lock()
        self._over = False
        self._stopping = False
        self._connection: Connection | None = None
        self._attempt = 0
        self._up_since = 0
        self._failures = 0
        self._why: str | None = None
        self._told: str | None = None
        self._reason: str | None = f"{address.name} is not reached yet"

    @property
    def address(self) -> AmqpAddress:
        """Where the broker is."""
        return self._address

    def start(self) -> None:
        """Start to connect, in the background."""
        self._loop.add_callback_threadsafe(self._connect)
        self._thread.start()

    def reason(self) -> str | None:
        """Give None when the channel can be used, or a sentence why it cannot."""
        return self._reason

    def run_soon(self, work: Callable[[], None]) -> None:
        """Let the link's thread do a piece of work; after `close` nothing is done any more."""
        with self._lock:
            if not self._over:
                self._loop.add_callback_threadsafe(work)

    def fail(self, reason: str) -> None:
        """Give this connection up, and open another; in the link's thread."""
        self._why = f"{self._address.name} {reason}"
        self._hang_up()

    def close(self) -> None:
        """Say goodbye to the broker, after all work that was handed over before."""
        self.run_soon(self._stop)
        if self._thread.is_alive():
            self._thread.join(2 * GOODBYE_S)

    def _run(self) -> None:
        while not self._over:
            try:
                self._loop.start()
            except Exception as error:
                # A mistake of ours, or pika's: the connection may be in any state, and another one is in none.
                log.exception("the connection to %s failed", self._address.name)
                with contextlib.suppress(Exception):
                    self._hang_up()
                self._down(repr(error))
        self._loop.close()

    def _connect(self) -> None:
        if self._stopping:
            self._end()
            return
        self._attempt += 1
        self._why = None
        try:
            self._connection = SelectConnection(
                self._address.parameters(),
                on_open_callback=self._connected,
                on_open_error_callback=self._gone,
                on_close_callback=self._gone,
                custom_ioloop=self._loop,
            )
        except (AMQPError, OSError) as error:
            self._down(why(error, self._address))

    def _connected(self, connection: Connection) -> None:
        if connection is not self._connection:
            return
        attempt = self._attempt

        def check() -> None:
            if attempt == self._attempt != self._up_since:
                self.fail("does not answer in time")

        self._loop.call_later(SETUP_S, check)
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        connection.channel(on_open_callback=self._open)

    def _open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_gone)
        attempt = self._attempt
        self._role.opened(channel, lambda: self._up(attempt))

    def _up(self, attempt: int) -> None:
        if attempt != self._attempt or self._connection is None:
            return
        if self._told is not None:
            log.warning("%s is back", self._address.name)
        self._up_since = attempt
        self._failures = 0
        self._told = None
        self._reason = None

    def _blocked(self, _connection: Connection, frame: Method[ConnectionSpec.Blocked]) -> None:
        self._reason = f"{self._address.name} takes no messages for now: {frame.method.reason}"
        log.warning(self._reason)

    def _unblocked(self, _connection: Connection, _frame: Method[ConnectionSpec.Unblocked]) -> None:
        self._reason = None

    def _channel_gone(self, channel: Channel, error: BaseException) -> None:
        if channel.connection is self._connection and self._connection.is_open:
            self._why = self._why or why(error, self._address)
            self._hang_up()

    def _gone(self, connection: Connection, error: BaseException) -> None:
        if connection is self._connection:
            self._down(self._why or why(error, self._address))

    def _hang_up(self) -> None:
        """Close the connection; one whose peer does not say goodbye is left behind."""
        connection = self._connection
        if connection is None:
            return
        self._reason = self._why or f"the connection to {self._address.name} is closing"

        def leave() -> None:
            if connection is self._connection:
                self._down(self._why or f"{self._address.name} does not answer")

        self._loop.call_later(GOODBYE_S, leave)
        if not (connection.is_closed or connection.is_closing):
            connection.close()

    def _down(self, reason: str) -> None:
        self._connection = None
        self._reason = reason
        self._role.lost(reason)
        if self._stopping:
            self._end()
            return
        if reason != self._told:
            log.warning("%s; trying again", reason)
        self._told = reason
        pause = min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S)
        self._failures = min(self._failures + 1, 10)
        # Spread out, so that all who lost the same broker do not come back in the same moment.
        self._loop.call_later(pause * random.uniform(0.5, 1.0), self._connect)  # noqa: S311 - no secret

    def _stop(self) -> None:
        self._stopping = True
        self._why = self._why or f"the connection to {self._address.name} was closed"
        if self._connection is None:
            self._end()
        else:
            self._hang_up()

    def _end(self) -> None:
        with self._lock:
            self._over = True
        self._loop.stop()
