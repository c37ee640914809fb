"""The services on a real RabbitMQ: bookings become tickets although broker and reminder come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.services.broker import letters, own_bus, publishing
from tests.integration.services.mailhost import MailHost
from tests.integration.services.messages import message
from tests.integration.services.platform import API, at_once, everything, unique, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_services.common.bus import BusConfig
    from tests.integration.services.client import Answer, Service
    from tests.integration.services.lone import Lone, Nursery
    from tests.integration.services.platform import Platform
    from tests.real import RabbitMQ


@pytest.fixture
def bus(broker: RabbitMQ) -> BusConfig:
    """A bus of the test's own."""
    return own_bus(broker.url)


@pytest.fixture
def mails() -> Iterator[MailHost]:
    """A mail server."""
    with MailHost() as host:
        yield host


def on(bus: BusConfig, **settings: str) -> dict[str, str]:
    """Give the settings of a service on this bus."""
    names = {"BUS_EXCHANGE": bus.exchange, "BUS_BINDING_KEY": bus.binding_key, "BUS_QUEUE": bus.queue}
    return {"BUS_URL": bus.url, **names, **settings}


def start_reminder(nursery: Nursery, bus: BusConfig, mails: MailHost, **settings: str) -> Lone:
    """Start a reminder with a database of its own."""
    settings = {"DATABASE_URL": nursery.database("tickets"), "SMTP_URL": mails.url, **settings}
    return nursery.start("reminder", **on(bus, **settings))


def start_booking(nursery: Nursery, bus: BusConfig, safe: Platform, **settings: str) -> Lone:
    """Start a booking service with a database of its own; its flights are those of `safe`."""
    flights = safe.state.target().flights
    settings = {"DATABASE_URL": nursery.database("bookings"), "FLIGHTS_URL": flights, **settings}
    return nursery.start("booking", **on(bus, **settings))


def ready(lone: Lone) -> bool:
    """Tell whether a service says that it is ready."""
    return lone.service.call("GET", "/health").status == 200


def figure(lone: Lone, name: str) -> int | None:
    """Give a figure of a service's work."""
    data: dict[str, int] = lone.service.call("GET", "/figures").data
    return data.get(name)


def tickets(reminder: Lone) -> list[dict[str, Any]]:
    """Give all tickets."""
    return everything(reminder.service, "tickets?")


def book(booking: Service, flight: int) -> Answer:
    """Book a seat."""
    return booking.call("POST", f"{API}/bookings", {"flightId": flight, "userId": 1, "NoOfSeats": 1})


def test_a_reminder_that_is_killed_while_it_handles_makes_each_ticket_once(
    nursery: Nursery, bus: BusConfig, mails: MailHost
) -> None:
    """What it had taken comes again to its successor, which recognises what was stored: one ticket for each message."""
    number = 3000
    with publishing(bus) as publisher:
        publisher.publish([message(f"{at}@example.com", f"m-{at}") for at in range(number)])
    reminder = start_reminder(nursery, bus, mails)
    wait_until(lambda: len(tickets(reminder)) > 0, "the first tickets")
    reminder.kill()
    reminder.start()
    wait_until(lambda: len(tickets(reminder)) >= number, "all tickets")
    wait_until(lambda: figure(reminder, "queueDepth") == 0, "an empty queue")
    assert sorted(one["recepientEmail"] for one in tickets(reminder)) == sorted(
        f"{at}@example.com" for at in range(number)
    )
    assert letters(bus.url, f"{bus.queue}.dead") == []


def test_poison_is_a_dead_letter_with_its_reason(nursery: Nursery, bus: BusConfig, mails: MailHost) -> None:
    """Messages that cannot be understood are laid aside, each with why, and those around them become tickets."""
    reminder = start_reminder(nursery, bus, mails)
    bad = ["no JSON", message("no address", "bad-1"), message("a@example.com", "bad-2", service="DROP_TABLE")]
    with publishing(bus) as publisher:
        publisher.publish(
            [one for at, poison in enumerate(bad) for one in (poison, message("a@example.com", f"m{at}"))]
        )
    wait_until(lambda: len(tickets(reminder)) == len(bad), "a ticket for every good message")
    wait_until(lambda: figure(reminder, "queueDepth") == 0, "an empty queue")
    found = dict(letters(bus.url, f"{bus.queue}.dead"))
    assert set(found) == set(bad)
    assert "service" in found[bad[2]]["reason"]
    assert "recepientEmail" in found[bad[1]]["reason"]


def test_bookings_outlast_a_broker_that_is_away(
    nursery: Nursery, broker: RabbitMQ, bus: BusConfig, mails: MailHost, safe: Platform
) -> None:
    """Bookings succeed while it is away, their notes are counted in health, and become tickets when it is back."""
    booking, reminder = start_booking(nursery, bus, safe), start_reminder(nursery, bus, mails)
    wait_until(lambda: ready(booking) and ready(reminder), "both are ready")
    flight = safe.flight()
    assert book(booking.service, flight.id).status == 200
    wait_until(lambda: len(tickets(reminder)) == 1, "the ticket before")
    broker.stop()
    wait_until(lambda: not ready(booking) and not ready(reminder), "both say that it is away")
    answers = at_once(8, lambda _: book(booking.service, flight.id))
    assert {answer.status for answer in answers} == {200}
    wait_until(lambda: figure(booking, "outboxDepth") == len(answers), "the notes that wait")
    told = booking.service.call("GET", "/health")
    assert f"RabbitMQ at 127.0.0.1:{broker.port} is away" in told.message
    broker.start()
    wait_until(lambda: ready(booking) and ready(reminder), "both are ready again")
    wait_until(lambda: len(tickets(reminder)) == 1 + len(answers), "a ticket for every booking")
    wait_until(lambda: (figure(booking, "outboxDepth"), figure(reminder, "queueDepth")) == (0, 0), "nothing waits")
    wait_until(lambda: len(mails.moods.taken) == 1 + len(answers), "a mail for every booking")


def test_services_start_while_the_broker_is_away(
    nursery: Nursery, broker: RabbitMQ, bus: BusConfig, mails: MailHost
) -> None:
    """A reminder that starts first answers 503 with the reason, and works as soon as the broker is there."""
    broker.stop()
    try:
        reminder = start_reminder(nursery, bus, mails)
        told = reminder.service.call("GET", "/health")
        assert (told.status, figure(reminder, "queueDepth")) == (503, None)
        assert f"RabbitMQ at 127.0.0.1:{broker.port}" in told.message
    finally:
        broker.start()
    wait_until(lambda: ready(reminder), "it is ready")
    with publishing(bus) as publisher:
        publisher.publish([message("a@example.com", unique("m"))])
    wait_until(lambda: mails.moods.recipients == ["a@example.com"], "a mail")


def test_as_found_loses_what_the_bus_does_not_take(
    nursery: Nursery, broker: RabbitMQ, bus: BusConfig, safe: Platform
) -> None:
    """The first version's way: a booking without the bus is booked, and its client hears of a 500; no note stays."""
    booking = start_booking(nursery, bus, safe, PROFILE="as-found")
    wait_until(lambda: ready(booking), "it is ready")
    flight = safe.flight()
    assert book(booking.service, flight.id).status == 200
    broker.stop()
    try:
        wait_until(lambda: not ready(booking), "it says that the bus is away")
        answer = book(booking.service, flight.id)
        assert answer.status == 500
        assert f"the notification is lost: not published: RabbitMQ at 127.0.0.1:{broker.port}" in answer.message
        assert booking.service.call("POST", f"{API}/publish").status == 503
        assert [one["status"] for one in safe.bookings(flight, booking.service)] == ["Booked", "Booked"]
    finally:
        broker.start()
    wait_until(lambda: ready(booking), "it is ready again")
    assert book(booking.service, flight.id).status == 200
    assert len(letters(bus.url, bus.queue)) == 2


def test_as_found_waits_no_longer_than_its_patience(
    nursery: Nursery, broker: RabbitMQ, bus: BusConfig, safe: Platform
) -> None:
    """A bus that hangs delays a booking by the time-out between services, not for ever."""
    booking = start_booking(nursery, bus, safe, PROFILE="as-found", UPSTREAM_TIMEOUT_S="1")
    wait_until(lambda: ready(booking), "it is ready")
    flight = safe.flight()
    broker.suspend()
    try:
        answer = book(booking.service, flight.id)
        assert (answer.status, "did not confirm 1 messages within 0.8 s" in answer.message) == (500, True)
    finally:
        broker.resume()


def test_no_log_holds_the_password(nursery: Nursery, bus: BusConfig, mails: MailHost, broker: RabbitMQ) -> None:
    """Neither a refused login nor a lost connection writes the password into a service's log or health."""
    secret = unique("pw")
    wrong = own_bus(f"amqp://nobody:{secret}@127.0.0.1:{broker.port}/%2F")
    reminder = start_reminder(nursery, wrong, mails, LOG_LEVEL="DEBUG")
    wait_until(lambda: 'refuses the login of "nobody"' in reminder.service.call("GET", "/health").message, "the reason")
    assert secret not in reminder.service.call("GET", "/health").text
    assert secret not in reminder.log.read_text(encoding="utf-8")
    assert bus.url not in reminder.log.read_text(encoding="utf-8")
