"""Publisher confirms: messages that were sent on a channel, until the broker has spoken about each of them."""

from __future__ import annotations

import threading
import time
from itertools import takewhile
from typing import TYPE_CHECKING
from uuid import uuid4

from pika import BasicProperties, DeliveryMode
from pika.exceptions import AMQPError
from pika.spec import Basic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pika.channel import Channel
    from pika.frame import Method

JSON = "application/json"


class Batch:
    """Messages that are waited for together; only `wait` is called outside the link's thread."""

    def __init__(self, size: int) -> None:
        self.problem: str | None = None
        self._left = size
        self._settled = threading.Event()

    def fail(self, problem: str) -> None:
        """Note why the batch is not all with the broker, and wait for no more of it."""
        self.problem = self.problem or problem
        self._settled.set()

    def settle(self) -> None:
        """Note that the broker spoke about one message."""
        self._left -= 1
        if self._left == 0:
            self._settled.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until all is settled; false when that took too long."""
        return self._settled.wait(timeout_s)


class Confirms:
    """Messages that the broker has not spoken about yet, on one channel after the other."""

    def __init__(self) -> None:
        self._channel: Channel | None = None
        self._number = 0
        self._sender = uuid4().hex[:12]
        self._waiting: dict[int, Batch] = {}

    def use(self, channel: Channel, ready: Callable[[], None], returned: Callable[[], None]) -> None:
        """Turn confirms on for a new channel, whose numbers start again, then call `ready`.

        Args:
            channel: the channel.
            ready: is called when messages can be sent.
            returned: is called when a message came back because no queue takes it.
        """

        def begin(_answer: object) -> None:
            self._channel, self._number = channel, 0
            ready()

        def unroutable(_channel: Channel, method: Basic.Return, properties: BasicProperties, _body: bytes) -> None:
            batch = self._waiting.get(int(str(properties.message_id).rpartition("-")[2]))
            if batch is not None:
                route = f'key "{method.routing_key}" of exchange "{method.exchange}"'
                batch.problem = f"the message came back: no queue is bound to {route}"
            returned()

        channel.add_on_return_callback(unroutable)
        channel.confirm_delivery(self._spoken, callback=begin)

    def send(self, batch: Batch, exchange: str, key: str, bodies: Sequence[bytes], headers: dict[str, str]) -> None:
        """Send a batch's messages."""
        if self._channel is None:
            batch.fail("the connection was lost before the messages were sent")
            return
        try:
            for body in bodies:
                self._number += 1
                self._waiting[self._number] = batch
                properties = BasicProperties(
                    content_type=JSON,
                    delivery_mode=DeliveryMode.Persistent,
                    # The broker confirms by number, but returns a message by what it carries.
                    message_id=f"{self._sender}-{self._number}",
                    headers=dict(headers) or None,
                    timestamp=int(time.time()),
                )
                self._channel.basic_publish(exchange, key, body, properties, mandatory=True)
        except AMQPError as error:
            batch.fail(f"the message could not be sent: {error!r}")

    def lost(self, reason: str) -> None:
        """Give up on all that is waited for: whether the broker has it is not known."""
        self._channel = None
        waiting, self._waiting = self._waiting, {}
        for batch in waiting.values():
            batch.fail(f"not confirmed, for the connection was lost: {reason}")

    def _spoken(self, frame: Method[Basic.Ack | Basic.Nack]) -> None:
        until: int = frame.method.delivery_tag
        upto = takewhile(lambda number: number <= until, self._waiting)
        numbers = list(upto) if frame.method.multiple else [until]
        for number in numbers:
            batch = self._waiting.pop(number, None)
            if batch is not None:
                if isinstance(frame.method, Basic.Nack):
                    batch.problem = "the broker could not keep the message"
                batch.settle()
