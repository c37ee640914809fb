"""What the platform needs on a broker: a durable direct exchange, and a durable queue that is bound to it.

Nothing is declared with optional arguments, so that what the platform's first version declared is accepted.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pika.channel import Channel

    from reference_services.common.bus import BusConfig


def dead_letters_of(queue: str) -> str:
    """Give the name of a queue's dead-letter queue."""
    return f"{queue}.dead"


def declare(channel: Channel, bus: BusConfig, done: Callable[[], None]) -> None:
    """Declare exchange, queue, binding and dead-letter queue, then call `done`; the channel closes when one differs."""
    # Each step is sent when the one before was answered, so that a refusal names the first that differs.
    steps: list[Callable[[Callable[[object], None]], object]] = [
        lambda then: channel.exchange_declare(bus.exchange, exchange_type="direct", durable=True, callback=then),
        lambda then: channel.queue_declare(bus.queue, durable=True, callback=then),
        lambda then: channel.queue_bind(bus.queue, bus.exchange, bus.binding_key, callback=then),
        lambda then: channel.queue_declare(dead_letters_of(bus.queue), durable=True, callback=then),
    ]

    def step(number: int, _answer: object = None) -> None:
        if number == len(steps):
            done()
        else:
            steps[number](partial(step, number + 1))

    step(0)
