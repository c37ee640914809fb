"""The sending side of RabbitMQ: persistent messages, each confirmed by the broker before `publish` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.common.amqp_address import AmqpAddress
from reference_services.common.amqp_confirms import Batch, Confirms
from reference_services.common.amqp_link import Link
from reference_services.common.amqp_topology import declare
from reference_services.common.errors import BusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pika.channel import Channel

    from reference_services.common.bus import BusConfig


class AmqpPublisher:
    """Publishes to a direct exchange; any number of threads may use it at once.

    Args:
        bus: where messages go.
        timeout_s: how long the broker's confirmation is waited for.

    Raises:
        ConfigError: the URL is wrong. A broker that is away is no error: it is tried again and again.
    """

    def __init__(self, bus: BusConfig, timeout_s: float) -> None:
        self._bus = bus
        self._timeout_s = timeout_s
        self._confirms = Confirms()
        self._link = Link(AmqpAddress.parse(bus.url), self)
        self._link.start()

    def publish(self, bodies: Sequence[str]) -> None:
        """Hand over messages; when this returns the broker has them all, on disk, in the queue.

        Raises:
            BusError: it does not have all of them, or did not say so; those that it has may come twice when the
                batch is published again.
        """
        if not bodies:
            return
        name = self._link.address.name
        if (reason := self._link.reason()) is not None:
            raise BusError(f"not published: {reason}")
        encoded = [body.encode(errors="surrogatepass") for body in bodies]
        batch = Batch(len(encoded))
        key = self._bus.binding_key
        self._link.run_soon(lambda: self._confirms.send(batch, self._bus.exchange, key, encoded, {}))
        if not batch.wait(self._timeout_s):
            raise BusError(f"{name} did not confirm {len(encoded)} messages within {self._timeout_s:g} s")
        if batch.problem is not None:
            raise BusError(f"{name}: {batch.problem}")

    def ready(self) -> str | None:
        """Give None when messages can be handed over, or a sentence why not."""
        return self._link.reason()

    def close(self) -> None:
        """Say goodbye to the broker."""
        self._link.close()

    def opened(self, channel: Channel, up: Callable[[], None]) -> None:
        """Declare the topology, then turn confirms on."""
        declare(channel, self._bus, lambda: self._confirms.use(channel, up, self._restore))

    def lost(self, reason: str) -> None:
        """Let those who wait know."""
        self._confirms.lost(reason)

    def _restore(self) -> None:
        """Declare again what somebody deleted, so that the next try arrives."""
        self._link.fail("has lost the queue or its binding: declaring them again")
