"""The message bus that booking publishes to and the reminder consumes from: a small interface, picked by URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from reference_services.common.errors import BusError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_services.common.environment import Environment

CONFIRM_S = 10.0


@dataclass(frozen=True, slots=True)
class BusConfig:
    """Where messages go.

    Attributes:
        url: `queue:///directory`, or `amqp://user:password@host:port/vhost` (amqp_address.py says what may follow).
        exchange: name of the direct exchange (for brokers that have them).
        binding_key: what binds the queue to the exchange.
        queue: name of the queue; its dead letters go to `<queue>.dead`.
    """

    url: str = field(repr=False)
    exchange: str
    binding_key: str
    queue: str

    @classmethod
    def read(cls, env: Environment) -> BusConfig:
        """Read the bus's variables.

        Raises:
            ConfigError: `BUS_URL` is missing.
        """
        return cls(
            url=env.text("BUS_URL"),
            exchange=env.text("BUS_EXCHANGE", "airbourne"),
            binding_key=env.text("BUS_BINDING_KEY", "notification_service"),
            queue=env.text("BUS_QUEUE", "notification_queue"),
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was taken from the queue and is neither acknowledged nor refused yet."""

    tag: int
    body: str


class Publisher(Protocol):
    """The sending side."""

    def publish(self, bodies: Sequence[str]) -> None:
        """Hand over messages; when this returns they survive the death of every process.

        Raises:
            BusError: the bus did not take all of them.
        """

    def ready(self) -> str | None:
        """Give None when messages can be handed over, or the reason why not."""

    def close(self) -> None:
        """Let go of the bus."""


class Consumer(Protocol):
    """The receiving side. There is one per queue: at its start it takes back what its predecessor left unsettled."""

    def take(self, most: int, wait_s: float) -> list[Delivery]:
        """Take up to `most` messages; when there are none, wait up to this long for the first."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Say that these were handled: they never come again."""

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Put these back: they come again."""

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Move a message that cannot be understood or handled to the dead-letter queue.

        Raises:
            BusError: the bus did not take the dead letter.
        """

    def depth(self) -> int:
        """Give how many messages are not acknowledged yet.

        Raises:
            BusError: the bus did not say.
        """

    def age_ms(self) -> int | None:
        """Give how long ago the oldest message that is not acknowledged yet was handed over.

        Returns:
            ms, 0 when there is none; None where nobody noted when that was.

        Raises:
            BusError: the bus did not say.
        """

    def ready(self) -> str | None:
        """Give None when messages can be taken, or the reason why not."""

    def close(self) -> None:
        """Let go of the bus; what was taken and not acknowledged comes again."""


def open_publisher(config: BusConfig, timeout_s: float = CONFIRM_S) -> Publisher:
    """Open the sending side of the bus that the URL names.

    Args:
        config: where messages go.
        timeout_s: how long one `publish` may take, in seconds.

    Raises:
        ConfigError: the URL names no bus, or it cannot be opened.
    """
    if _is_amqp(config.url):
        from reference_services.common.amqp_publisher import AmqpPublisher  # noqa: PLC0415 - only where it is needed

        return AmqpPublisher(config, timeout_s)
    from reference_services.common.diskqueue import DiskPublisher  # noqa: PLC0415 - imported only where it is needed

    return DiskPublisher(_directory(config.url), config.queue)


def open_consumer(config: BusConfig) -> Consumer:
    """Open the receiving side of the bus that the URL names.

    Raises:
        ConfigError: the URL names no bus, or it cannot be opened.
    """
    if _is_amqp(config.url):
        from reference_services.common.amqp_consumer import AmqpConsumer  # noqa: PLC0415 - only where it is needed

        return AmqpConsumer(config)
    from reference_services.common.diskqueue import DiskConsumer  # noqa: PLC0415 - imported only where it is needed

    return DiskConsumer(_directory(config.url), config.queue)


def known_depth(consumer: Consumer) -> int | None:
    """Give how many messages are not acknowledged yet, or None when the bus does not say."""
    try:
        return consumer.depth()
    except BusError:
        return None


def known_age(consumer: Consumer) -> int | None:
    """Give how old the oldest message is, in ms, or None when the bus does not say."""
    try:
        return consumer.age_ms()
    except BusError:
        return None


def _is_amqp(url: str) -> bool:
    return url.partition(":")[0] in {"amqp", "amqps"}


def _directory(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "queue" or not parts.path.strip("/"):
        # The URL is not repeated: there may be a password in it.
        raise ConfigError(
            "BUS_URL: is no bus that is known; write queue:///directory or amqp://user:password@host:port"
        )
    return parts.path
