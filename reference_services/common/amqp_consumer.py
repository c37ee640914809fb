"""The receiving side of RabbitMQ: messages are taken in batches, and acknowledged when somebody says so."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_services.common.amqp_address import AmqpAddress
from reference_services.common.amqp_confirms import Batch, Confirms
from reference_services.common.amqp_link import Link
from reference_services.common.amqp_topology import dead_letters_of, declare
from reference_services.common.bus import Delivery
from reference_services.common.errors import BusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pika import BasicProperties
    from pika.channel import Channel
    from pika.frame import Method
    from pika.spec import Basic
    from pika.spec import Queue as QueueSpec

    from reference_services.common.bus import BusConfig

# Two of the reminder's batches: one is handled while the next is on its way.
PREFETCH = 400
DEPTH_TIMEOUT_S = 1.0
BURY_TIMEOUT_S = 10.0
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Held:
    """What the broker gave on the connection that is up now, and was not told the end of.

    Attributes:
        tag: what the broker knows the delivery by, on this connection only.
        raw: the body as it came.
        sent: when it was handed over, in seconds since the epoch; None where its publisher did not say.
    """

    tag: int
    raw: bytes
    sent: int | None


class AmqpConsumer:
    """Consumes a queue.

    Deliveries are numbered here, over all connections: what is said of one whose connection broke is said of
    nothing, for the broker gives that message again. `_held` belongs to the link's thread, `_inbox` to its lock.

    Args:
        bus: which queue.

    Raises:
        ConfigError: the URL is wrong. A broker that is away is no error: it is tried again and again.
    """

    def __init__(self, bus: BusConfig) -> None:
        self._bus = bus
        self._confirms = Confirms()
        self._channel: Channel | None = None
        self._numbers = itertools.count(1)
        self._held: dict[int, Held] = {}
        self._inbox: deque[Delivery] = deque()
        self._arrived = threading.Condition()
        self._link = Link(AmqpAddress.parse(bus.url), self)
        self._link.start()

    def take(self, most: int, wait_s: float) -> list[Delivery]:
        """Take up to `most` messages; when there are none, wait up to this long for the first."""
        with self._arrived:
            self._arrived.wait_for(lambda: bool(self._inbox), wait_s)
            return [self._inbox.popleft() for _ in range(min(most, len(self._inbox)))]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Say that these were handled; one whose connection broke comes again all the same."""
        self._link.run_soon(lambda: self._settle(deliveries, handled=True))

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Put these back: they come again."""
        self._link.run_soon(lambda: self._settle(deliveries, handled=False))

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Publish the message to the dead letters, its reason in the header `reason`; then acknowledge it.

        A connection that breaks between leaves it in both.

        Raises:
            BusError: the broker did not confirm the dead letter; the message is not acknowledged.
        """
        batch = Batch(1)
        self._link.run_soon(lambda: self._bury(batch, delivery, reason))
        if not batch.wait(BURY_TIMEOUT_S):
            raise BusError(f"{self._link.address.name} did not confirm a dead letter within {BURY_TIMEOUT_S:g} s")
        if batch.problem is not None:
            raise BusError(f"{self._link.address.name}: {batch.problem}")
        self.acknowledge([delivery])

    def depth(self) -> int:
        """Count the messages that are not acknowledged: those in the queue, and those that we hold.

        A message on its way to us is neither. So the broker is asked twice, and the higher count is given: what was
        on its way at the first answer has arrived before the second.

        Raises:
            BusError: the broker is away, or too slow.
        """
        if (reason := self._link.reason()) is not None:
            raise BusError(f"the queue's depth is not known: {reason}")
        answered = threading.Event()
        found: list[int] = []

        def count(frame: Method[QueueSpec.DeclareOk]) -> None:
            found.append(frame.method.message_count + len(self._held))
            if len(found) == 1:
                self._ask(count)
            else:
                answered.set()

        self._link.run_soon(lambda: self._ask(count))
        if not answered.wait(DEPTH_TIMEOUT_S):
            raise BusError(f"{self._link.address.name} did not give the queue's depth within {DEPTH_TIMEOUT_S:g} s")
        return max(found)

    def age_ms(self) -> int | None:
        """Give how long ago the oldest message was handed over that is not acknowledged, in ms, to the second.

        The broker gives messages in their order, and we always hold some where there are any: the first of them is
        the oldest.

        Raises:
            BusError: the broker is away.
        """
        if (reason := self._link.reason()) is not None:
            raise BusError(f"the queue's age is not known: {reason}")
        answered = threading.Event()
        found: list[Held] = []

        def look() -> None:
            found.extend(itertools.islice(self._held.values(), 1))
            answered.set()

        self._link.run_soon(look)
        if not answered.wait(DEPTH_TIMEOUT_S):
            raise BusError(f"the queue's age is not known: {self._link.address.name} keeps us busy")
        if not found:
            return 0
        return None if found[0].sent is None else max(int((time.time() - found[0].sent) * 1000), 0)

    def ready(self) -> str | None:
        """Give None when messages can be taken, or a sentence why not."""
        return self._link.reason()

    def close(self) -> None:
        """Say goodbye to the broker; what was taken and not acknowledged comes again."""
        self._link.close()

    def opened(self, channel: Channel, up: Callable[[], None]) -> None:
        """Declare the topology, turn confirms on for dead letters, and consume."""

        def gone(_frame: object) -> None:
            self._link.fail("has lost the queue: declaring it again")

        def ready(_answer: object = None) -> None:
            self._channel = channel
            up()

        def consume(_answer: object) -> None:
            channel.basic_consume(self._bus.queue, self._receive, callback=ready)

        def limit() -> None:
            channel.basic_qos(prefetch_count=PREFETCH, callback=consume)

        channel.add_on_cancel_callback(gone)
        declare(channel, self._bus, lambda: self._confirms.use(channel, limit, lambda: gone(None)))

    def lost(self, reason: str) -> None:
        """Forget what the broken connection gave: all of it comes again."""
        self._channel = None
        self._confirms.lost(reason)
        self._held.clear()
        with self._arrived:
            self._inbox.clear()

    def _receive(self, _channel: Channel, method: Basic.Deliver, properties: BasicProperties, body: bytes) -> None:
        number = next(self._numbers)
        self._held[number] = Held(method.delivery_tag, body, properties.timestamp)
        with self._arrived:
            self._inbox.append(Delivery(number, body.decode(errors="replace")))
            self._arrived.notify()

    def _settle(self, deliveries: Sequence[Delivery], *, handled: bool) -> None:
        found = (self._held.pop(delivery.tag, None) for delivery in deliveries)
        tags = [held.tag for held in found if held is not None]
        if self._channel is None or not self._channel.is_open:
            return
        for tag in tags:
            if handled:
                self._channel.basic_ack(tag)
            else:
                self._channel.basic_nack(tag, requeue=True)

    def _bury(self, batch: Batch, delivery: Delivery, reason: str) -> None:
        held = self._held.get(delivery.tag)
        if held is None:
            batch.fail("the connection was lost, and the message comes again")
            return
        headers = {"reason": reason[:LONGEST_REASON], "queue": self._bus.queue}
        self._confirms.send(batch, "", dead_letters_of(self._bus.queue), [held.raw], headers)

    def _ask(self, count: Callable[[Method[QueueSpec.DeclareOk]], None]) -> None:
        if self._channel is not None and self._channel.is_open:
            self._channel.queue_declare(self._bus.queue, passive=True, callback=count)
