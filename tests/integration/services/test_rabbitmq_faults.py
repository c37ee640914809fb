"""The bus while RabbitMQ stops, dies and hangs: nothing is lost, and nothing hangs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

from reference_services.common.amqp_consumer import AmqpConsumer
from reference_services.common.amqp_publisher import AmqpPublisher
from reference_services.common.errors import BusError
from tests.integration.services.broker import bodies, collect, consuming, own_bus, publishing
from tests.integration.services.platform import wait_until

if TYPE_CHECKING:
    from reference_services.common.bus import BusConfig
    from tests.real import RabbitMQ

ENOUGH = 400
# Far more than any wait of ours, far less than a test's patience.
BOUND_S = 25.0


@pytest.fixture
def bus(broker: RabbitMQ) -> BusConfig:
    """A bus of the test's own."""
    return own_bus(broker.url)


class Outbox:
    """Publishes numbered messages one after the other, each until the bus has taken it, in a thread of its own."""

    def __init__(self, publisher: AmqpPublisher) -> None:
        self.taken = 0
        self.refusals: list[str] = []
        self._publisher = publisher
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop after the message that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._publisher.publish([str(self.taken)])
                self.taken += 1
            except BusError as problem:
                self.refusals.append(str(problem))
                self._stopping.wait(0.02)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_that_restarts_loses_nothing(broker: RabbitMQ, bus: BusConfig, end: str) -> None:
    """Whatever `publish` returned for before, while and after the broker was away arrives, and is acknowledged once."""
    handled: list[str] = []
    with publishing(bus) as publisher, consuming(bus) as consumer, Outbox(publisher) as outbox:

        def handle(until: int) -> bool:
            batch = consumer.take(20, 0.05)
            handled.extend(bodies(batch))
            consumer.acknowledge(batch)
            return len(set(handled)) >= until

        wait_until(lambda: handle(ENOUGH), "messages before")
        getattr(broker, end)()
        wait_until(lambda: bool(outbox.refusals), "a refusal")
        reason = f"127.0.0.1:{broker.port}"
        wait_until(lambda: reason in (publisher.ready() or "") and reason in (consumer.ready() or ""), "the reasons")
        before = outbox.taken
        broker.start()
        wait_until(lambda: outbox.taken > before + ENOUGH, "messages after")
        outbox.__exit__()
        wait_until(lambda: handle(outbox.taken), "all that was taken")
        wait_until(lambda: consumer.take(20, 0.05) == [] and consumer.depth() == 0, "an empty queue")
    assert {int(body) for body in handled} == set(range(outbox.taken))
    assert all("RabbitMQ at 127.0.0.1" in refusal for refusal in outbox.refusals)


def test_an_acknowledgement_of_a_broken_connection_counts_for_nothing(broker: RabbitMQ, bus: BusConfig) -> None:
    """What was taken before a restart comes again after it, and its late acknowledgement takes no other along."""
    with publishing(bus) as publisher, consuming(bus) as consumer:
        publisher.publish(["one", "two", "three"])
        before = collect(consumer, 3)
        broker.kill()
        broker.start()
        again = collect(consumer, 3)
        assert bodies(again) == ["one", "two", "three"]
        # On the new connection the broker knows these by the same tags as those of the old.
        consumer.acknowledge(before)
        consumer.requeue(before)
        assert consumer.depth() == 3
        with pytest.raises(BusError, match="comes again"):
            consumer.bury(before[0], "too late")
        consumer.acknowledge(again)
        wait_until(lambda: consumer.depth() == 0, "an empty queue")


def test_both_sides_may_start_before_the_broker(broker: RabbitMQ, bus: BusConfig) -> None:
    """While the broker is away `ready` says where, `publish` fails at once and `take` gives nothing; then all works."""
    broker.stop()
    publisher, consumer = AmqpPublisher(bus, BOUND_S), AmqpConsumer(bus)
    try:
        wait_until(lambda: "is away: Connection refused" in (publisher.ready() or ""), "the reason")
        with pytest.raises(BusError, match=f"not published: RabbitMQ at 127.0.0.1:{broker.port} is away"):
            publisher.publish(["early"])
        assert consumer.take(1, 0.0) == []
        with pytest.raises(BusError, match="depth is not known"):
            consumer.depth()
        broker.start()
        wait_until(lambda: publisher.ready() is None and consumer.ready() is None, "both are up")
        publisher.publish(["now"])
        assert bodies(collect(consumer, 1)) == ["now"]
    finally:
        publisher.close()
        consumer.close()


def test_a_broker_that_hangs_is_noticed_and_nothing_waits_for_ever(broker: RabbitMQ, bus: BusConfig) -> None:
    """While the broker answers nothing, `publish` and `depth` give up, and the heartbeat ends the connection."""
    silent = own_bus(f"{bus.url}?heartbeat=2")
    publisher, consumer = AmqpPublisher(silent, 1.0), AmqpConsumer(silent)
    try:
        wait_until(lambda: publisher.ready() is None and consumer.ready() is None, "both are up")
        broker.suspend()
        with pytest.raises(BusError, match="did not confirm 1 messages within 1 s"):
            publisher.publish(["into the void"])
        with pytest.raises(BusError, match="did not give the queue's depth"):
            consumer.depth()
        wait_until(lambda: publisher.ready() is not None and consumer.ready() is not None, "the heartbeat")
        broker.resume()
        wait_until(lambda: publisher.ready() is None and consumer.ready() is None, "both are up again")
        publisher.publish(["heard"])
        wait_until(lambda: "heard" in bodies(consumer.take(10, 0.05)), "the message")
    finally:
        broker.resume()
        publisher.close()
        consumer.close()


def test_a_slow_handler_keeps_its_connection(broker: RabbitMQ) -> None:
    """A batch whose handling takes longer than the heartbeat allows is acknowledged, and does not come again."""
    patient = own_bus(f"{broker.url}?heartbeat=1")
    with publishing(patient) as publisher, consuming(patient) as consumer:
        publisher.publish(["slow"])
        (slow,) = collect(consumer, 1)
        # Three times what a silent peer gets; the handler waits for nothing of ours, so only time can pass.
        threading.Event().wait(3.5)
        consumer.acknowledge([slow])
        wait_until(lambda: consumer.depth() == 0, "an empty queue")
        assert consumer.take(1, 0.0) == []


def test_closing_beside_a_broker_that_hangs_has_an_end(broker: RabbitMQ, bus: BusConfig) -> None:
    """`close` comes back although the broker says no goodbye."""
    with publishing(bus) as publisher, consuming(bus) as consumer:
        broker.suspend()
        try:
            began = time.monotonic()
            publisher.close()
            consumer.close()
            assert time.monotonic() - began < BOUND_S
        finally:
            broker.resume()
    wait_until(lambda: "rabbitmq" not in {thread.name for thread in threading.enumerate()}, "no thread is left")
