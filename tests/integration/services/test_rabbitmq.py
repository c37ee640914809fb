"""The bus on a real RabbitMQ that stays up: confirms, returns, acknowledgement, dead letters, refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import pytest

from reference_services.common.amqp_address import AmqpAddress
from reference_services.common.amqp_consumer import AmqpConsumer
from reference_services.common.amqp_link import Link
from reference_services.common.amqp_publisher import AmqpPublisher
from reference_services.common.errors import BusError
from reference_services.reminder.consumer import Intake, acknowledge_after
from tests.integration.services.broker import bodies, collect, consuming, letters, own_bus, publishing, talking
from tests.integration.services.mailhost import make_certificate
from tests.integration.services.messages import message
from tests.integration.services.platform import wait_until
from tests.integration.services.tlsproxy import encrypted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pika.channel import Channel

    from reference_services.common.bus import BusConfig
    from reference_services.reminder.models import Message
    from reference_services.reminder.store import TicketStore
    from tests.real import RabbitMQ


@pytest.fixture
def bus(rabbitmq: RabbitMQ) -> BusConfig:
    """A bus of the test's own."""
    return own_bus(rabbitmq.url)


def test_messages_arrive_in_order_and_persistent(bus: BusConfig) -> None:
    """What `publish` returned for is in the queue, in order and marked to outlive the broker; any text survives."""
    sent = ["", "Grüße ✈", '{"a": 1}', "x" * 300_000, "\0"]
    with publishing(bus) as publisher:
        publisher.publish(sent)
    with talking(bus.url) as channel:
        method, properties, _ = channel.basic_get(bus.queue)
        assert method is not None
        assert properties is not None
        assert properties.delivery_mode == 2
        channel.basic_nack(method.delivery_tag)
    with consuming(bus) as consumer:
        assert bodies(collect(consumer, len(sent))) == sent


def test_many_threads_publish_at_once(bus: BusConfig) -> None:
    """Threads that share a publisher each return when their own messages are there, and nothing is lost."""
    with publishing(bus) as publisher, ThreadPoolExecutor(16) as pool:

        def publish(thread: int) -> None:
            for number in range(20):
                publisher.publish([f"{thread}-{number}"])

        list(pool.map(publish, range(16)))
        with consuming(bus) as consumer:
            assert sorted(bodies(collect(consumer, 320))) == sorted(f"{t}-{n}" for t in range(16) for n in range(20))


def test_a_message_without_a_queue_is_an_error_and_the_next_one_arrives(bus: BusConfig) -> None:
    """When somebody takes the binding away, `publish` says that nothing takes the message, and then repairs it."""
    with publishing(bus) as publisher:
        with talking(bus.url) as channel:
            channel.queue_unbind(bus.queue, bus.exchange, bus.binding_key)
        with pytest.raises(BusError, match=rf'no queue is bound to key "{bus.binding_key}"'):
            publisher.publish(["lost"])
        wait_until(lambda: publisher.ready() is None, "the declarations")
        publisher.publish(["found"])
    assert [body for body, _ in letters(bus.url, bus.queue)] == ["found"]


def test_a_message_that_the_broker_cannot_keep_is_an_error(bus: BusConfig) -> None:
    """A queue that is full by its own policy refuses, and `publish` says so."""
    with talking(bus.url) as channel:
        full = {"x-max-length": 0, "x-overflow": "reject-publish"}
        channel.exchange_declare(bus.exchange, exchange_type="direct", durable=True)
        channel.queue_declare(f"{bus.queue}.full", arguments=full)
        channel.queue_bind(f"{bus.queue}.full", bus.exchange, bus.binding_key)
        with publishing(bus) as publisher, pytest.raises(BusError, match="could not keep the message"):
            publisher.publish(["too much"])
        channel.queue_delete(f"{bus.queue}.full")


def test_what_is_not_acknowledged_comes_again(bus: BusConfig) -> None:
    """A consumer that ends takes only those along that it acknowledged; requeued ones come again at once."""
    with publishing(bus) as publisher:
        publisher.publish(["one", "two", "three"])
    with consuming(bus) as consumer:
        one, two, _three = collect(consumer, 3)
        consumer.acknowledge([one])
        consumer.requeue([two])
        assert bodies(collect(consumer, 1)) == ["two"]
    with consuming(bus) as successor:
        assert sorted(bodies(collect(successor, 2))) == ["three", "two"]


def test_a_dead_letter_keeps_its_body_and_its_reason(bus: BusConfig) -> None:
    """A buried message leaves the queue and lies in `<queue>.dead` byte for byte, with why and whence."""
    raw = b"\xff\xfe no text"
    with consuming(bus) as consumer:
        with talking(bus.url) as channel:
            channel.basic_publish(bus.exchange, bus.binding_key, raw)
        (delivery,) = collect(consumer, 1)
        consumer.bury(delivery, "is no JSON ✈")
        wait_until(lambda: consumer.depth() == 0, "an empty queue")
    with talking(bus.url) as channel:
        method, properties, body = channel.basic_get(f"{bus.queue}.dead", auto_ack=True)
        assert method is not None
        assert properties is not None
        assert (body, properties.delivery_mode) == (raw, 2)
        assert properties.headers == {"reason": "is no JSON ✈", "queue": bus.queue}


def test_depth_counts_the_ready_and_the_unacknowledged(bus: BusConfig) -> None:
    """The depth falls by acknowledging, not by taking, and counts more than a consumer is given at once."""
    with publishing(bus) as publisher, consuming(bus) as consumer:
        publisher.publish([str(number) for number in range(1000)])
        taken = collect(consumer, 300)
        wait_until(lambda: consumer.depth() == 1000, "1000 messages")
        consumer.acknowledge(taken)
        wait_until(lambda: consumer.depth() == 1000 - len(taken), "so many less")


def test_the_oldest_messages_age_is_known_where_its_publisher_noted_the_time(bus: BusConfig) -> None:
    """Ours do; of others' messages it is not known, and an empty queue has none."""
    with publishing(bus) as publisher, consuming(bus) as consumer:
        assert consumer.age_ms() == 0
        publisher.publish(["one"])
        ours = collect(consumer, 1)
        assert consumer.age_ms() is not None
        with talking(bus.url) as channel:
            channel.basic_publish(bus.exchange, bus.binding_key, b"theirs")
        theirs = collect(consumer, 1)
        consumer.acknowledge(ours)
        wait_until(lambda: consumer.age_ms() is None, "the other's message")
        consumer.acknowledge(theirs)
        wait_until(lambda: consumer.age_ms() == 0, "an empty queue")


def test_a_queue_of_the_first_version_is_accepted(bus: BusConfig) -> None:
    """A durable queue that others declared without arguments, with messages in it, is taken as it is."""
    with talking(bus.url) as channel:
        channel.exchange_declare(bus.exchange, exchange_type="direct", durable=True)
        channel.queue_declare(bus.queue, durable=True)
        channel.queue_bind(bus.queue, bus.exchange, bus.binding_key)
        channel.basic_publish(bus.exchange, bus.binding_key, b"from of old")
    with consuming(bus) as consumer:
        assert bodies(collect(consumer, 1)) == ["from of old"]


def test_a_queue_that_differs_is_named(bus: BusConfig) -> None:
    """A queue that was declared in another way is a sentence with its name, on both sides, and no message is sent."""
    with talking(bus.url) as channel:
        channel.queue_declare(bus.queue, durable=False)
        for side in (AmqpPublisher(bus, 1.0), AmqpConsumer(bus)):
            wait_until(lambda: "declared in another way" in (side.ready() or ""), "the sentence")  # noqa: B023 - now
            assert f"queue '{bus.queue}'" in (side.ready() or "")
            side.close()
        channel.queue_delete(bus.queue)


def test_a_queue_that_is_deleted_is_declared_again(bus: BusConfig) -> None:
    """A consumer whose queue somebody deletes has it again, and consumes from it."""
    with publishing(bus) as publisher, consuming(bus) as consumer:
        with talking(bus.url) as channel:
            channel.queue_delete(bus.queue)

        def exists() -> bool:
            try:
                publisher.publish(["after"])
            except BusError:
                return False
            return True

        wait_until(exists, "a queue that takes messages")
        assert set(bodies(collect(consumer, 1))) == {"after"}


@pytest.mark.parametrize(
    ("login", "place", "sentence"),
    [
        ("lab:wrong-pw@", "%2F", 'refuses the login of "lab"'),
        ("nobody:wrong-pw@", "%2F", 'refuses the login of "nobody"'),
        (None, "nowhere", 'no virtual host "nowhere"'),
    ],
)
def test_a_refused_login_is_a_sentence_without_the_password(
    rabbitmq: RabbitMQ, login: str | None, place: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong password, user or virtual host is told in `ready` and by `publish`; no password is told or logged."""
    parts = urlsplit(rabbitmq.url)
    user = f"{parts.username}:{parts.password}@" if login is None else login
    publisher = AmqpPublisher(own_bus(f"amqp://{user}{parts.hostname}:{parts.port}/{place}"), 5.0)
    try:
        wait_until(lambda: sentence in (publisher.ready() or ""), sentence)
        with pytest.raises(BusError, match=sentence) as caught:
            publisher.publish(["nobody hears"])
        for secret in ("wrong-pw", str(parts.password)):
            assert secret not in f"{caplog.text} {caught.value} {publisher.ready()}"
        assert sentence in caplog.text
    finally:
        publisher.close()


class Picky:
    """Stores all messages but those of one subject."""

    def __init__(self) -> None:
        self.stored: set[str] = set()

    def add_from_messages(self, messages: Sequence[Message]) -> int:
        """Store a batch, or none of it."""
        if any(one.data.subject == "bad" for one in messages):
            raise ValueError("nobody can store this")
        self.stored |= {str(one.id) for one in messages}
        return len(messages)


def test_a_message_whose_handling_fails_never_blocks_the_queue(bus: BusConfig) -> None:
    """It is a dead letter with the failure as its reason, and the messages before and behind it are handled."""
    store, good = Picky(), {f"m-{number}" for number in range(500)}
    with publishing(bus) as publisher, consuming(bus) as consumer:
        sent = [message("a@example.com", identity) for identity in sorted(good)]
        sent.insert(250, message("a@example.com", "poison", subject="bad"))
        publisher.publish(sent)
        intake = Intake(consumer, cast("TicketStore", store), acknowledge_after, lambda: None)
        wait_until(lambda: intake.step() and store.stored == good, "all that can be stored")
        wait_until(lambda: consumer.depth() == 0, "an empty queue")
    ((body, headers),) = letters(bus.url, f"{bus.queue}.dead")
    assert "poison" in body
    assert headers["reason"] == "could not be handled in 3 tries: ValueError: nobody can store this"


class Clumsy:
    """Uses a channel, and stumbles over the first."""

    def __init__(self) -> None:
        self.channels = 0
        self.losses: list[str] = []

    def opened(self, _channel: Channel, up: Callable[[], None]) -> None:
        """Stumble once."""
        self.channels += 1
        if self.channels == 1:
            raise KeyError("a mistake of ours")
        up()

    def lost(self, reason: str) -> None:
        """Note it."""
        self.losses.append(reason)


def test_a_mistake_in_the_links_thread_does_not_end_it(rabbitmq: RabbitMQ, caplog: pytest.LogCaptureFixture) -> None:
    """An exception that nobody expected, in pika's calls or in ours, costs a connection; the next one works."""

    def break_down() -> None:
        raise KeyError("another mistake")

    role = Clumsy()
    link = Link(AmqpAddress.parse(rabbitmq.url), role)
    link.start()
    try:
        wait_until(lambda: link.reason() is None, "the second connection")
        link.run_soon(break_down)
        wait_until(lambda: role.channels == 3 and link.reason() is None, "the third connection")
    finally:
        link.close()
    assert "a mistake of ours" in role.losses[0]
    assert "another mistake" in role.losses[1]
    assert "Traceback" in caplog.text


def test_amqps_is_encrypted_and_verified(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """With `cafile` the certificate's owner is spoken to; without, no password is sent, and the sentence says why."""
    certificate = make_certificate(tmp_path)
    parts = urlsplit(rabbitmq.url)
    with encrypted(rabbitmq.port, certificate.server_side()) as port:
        url = f"amqps://{parts.username}:{parts.password}@127.0.0.1:{port}/%2F"
        trusted = own_bus(f"{url}?cafile={certificate.cert}")
        with publishing(trusted) as publisher, consuming(trusted) as consumer:
            publisher.publish(["secret"])
            assert bodies(collect(consumer, 1)) == ["secret"]
        stranger = AmqpPublisher(own_bus(url), 1.0)
        try:
            wait_until(lambda: "a certificate that is not accepted" in (stranger.ready() or ""), "the sentence")
        finally:
            stranger.close()
