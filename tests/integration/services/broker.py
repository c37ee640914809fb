"""RabbitMQ as a test looks at it: queues of its own, and what lies in them."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pika

from reference_services.common.amqp_consumer import AmqpConsumer
from reference_services.common.amqp_publisher import AmqpPublisher
from reference_services.common.bus import BusConfig
from tests.integration.services.platform import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pika.adapters.blocking_connection import BlockingChannel

    from reference_services.common.bus import Delivery

CONFIRM_S = 10.0


def own_bus(url: str) -> BusConfig:
    """Give a bus of a test's own: names that nobody else uses."""
    name = uuid4().hex[:8]
    return BusConfig(url, f"exchange-{name}", f"key-{name}", f"queue-{name}")


@contextmanager
def publishing(bus: BusConfig) -> Iterator[AmqpPublisher]:
    """Have a publisher whose connection is up."""
    publisher = AmqpPublisher(bus, CONFIRM_S)
    try:
        wait_until(lambda: publisher.ready() is None, "the publisher's connection")
        yield publisher
    finally:
        publisher.close()


@contextmanager
def consuming(bus: BusConfig) -> Iterator[AmqpConsumer]:
    """Have a consumer whose connection is up."""
    consumer = AmqpConsumer(bus)
    try:
        wait_until(lambda: consumer.ready() is None, "the consumer's connection")
        yield consumer
    finally:
        consumer.close()


@contextmanager
def talking(url: str) -> Iterator[BlockingChannel]:
    """Have a channel of pika's own, to do what the platform's code does not."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def letters(url: str, queue: str) -> list[tuple[str, dict[str, Any]]]:
    """Take all that lies in a queue: the bodies, each with its headers."""
    found: list[tuple[str, dict[str, Any]]] = []
    with talking(url) as channel:
        while True:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            if method is None or properties is None or body is None:
                return found
            found.append((body.decode(errors="replace"), dict(properties.headers or {})))


def collect(consumer: AmqpConsumer, least: int) -> list[Delivery]:
    """Take deliveries until there are so many."""
    found: list[Delivery] = []

    def enough() -> bool:
        found.extend(consumer.take(1000, 0.05))
        return len(found) >= least

    wait_until(enough, f"{least} deliveries")
    return found


def bodies(deliveries: Sequence[Delivery]) -> list[str]:
    """Give what deliveries say."""
    return [delivery.body for delivery in deliveries]
