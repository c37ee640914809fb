"""From a booking to a mail: each `Booked` one gets one ticket and one mail, and nothing stops the others'."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from reference_services.common.bus import open_consumer
from tests.integration.services.messages import QUEUE, bus, message, publish, start_reminder
from tests.integration.services.platform import API, BOTH, at_once, everything, unique, wait_until

if TYPE_CHECKING:
    from tests.integration.services.lone import Nursery
    from tests.integration.services.platform import Flight, Platform, User

BACKENDS = BOTH
TICKET = {"id", "subject", "content", "recepientEmail", "status", "notificationTime", "createdAt", "updatedAt"}


def mailed(platform: Platform, email: str) -> bool:
    """Tell whether somebody got a mail."""
    return bool(platform.mails(email))


def test_each_booking_is_notified_once(safe: Platform) -> None:
    """Bookings of many users at once get one ticket and one mail each, to the address of who booked."""
    flight, users = safe.flight(), [safe.user() for _ in range(4)]
    answers = at_once(12, lambda index: safe.book(flight, users[index % 4], 1))
    assert {answer.status for answer in answers} == {200}
    for number, user in enumerate(users):
        ids = [answer.data["id"] for answer in answers[number::4]]
        wait_until(lambda: len(safe.mails(user.email)) >= 3, "three mails")  # noqa: B023 - called at once
        subjects = Counter(mail["subject"] for mail in safe.mails(user.email))
        assert len(subjects) == 3
        assert set(subjects.values()) == {1}
        assert all(any(str(identity) in subject for subject in subjects) for identity in ids)
        tickets = safe.tickets(user.email)
        assert (len(tickets), set(tickets[0])) == (3, TICKET)


def test_a_mailed_ticket_is_a_success(safe: Platform, user: User, flight: Flight) -> None:
    """A booking's ticket ends as `SUCCESS`, and the list can be asked for it by status."""
    before = len(safe.tickets(user.email))
    assert safe.book(flight, user).status == 200
    wait_until(lambda: len(safe.tickets(user.email)) == before + 1, "a ticket")
    wait_until(lambda: {one["status"] for one in safe.tickets(user.email)} == {"SUCCESS"}, "its mail")
    ticket = safe.tickets(user.email)[-1]
    page = safe.reminder.call("GET", f"{API}/tickets?status=SUCCESS&limit=1000")
    assert ticket in page.data or len(page.data) == 1000
    assert safe.reminder.call("GET", f"{API}/tickets?status=FAILED&limit=1000").status == 200


def test_what_is_not_booked_is_not_notified(safe: Platform) -> None:
    """A refused booking, and a replayed key, send nothing of their own."""
    flight, user = safe.flight(capacity=2), safe.user()
    key = {"Idempotency-Key": unique("key")}
    statuses = [
        safe.book(flight, user, 3).status,
        safe.book(flight, user, 2, key).status,
        safe.book(flight, user, 2, key).status,
        safe.book(flight, user, 1).status,
    ]
    assert statuses == [409, 200, 200, 409]
    last = safe.user()
    assert safe.book(safe.flight(), last).status == 200
    wait_until(lambda: mailed(safe, last.email), "the last booking's mail")
    assert (len(safe.tickets(user.email)), len(safe.mails(user.email))) == (1, 1)


@pytest.mark.parametrize("door", ["reminder", "gateway"])
def test_a_ticket_made_by_hand(safe: Platform, user: User, door: str) -> None:
    """`POST /tickets` is a 201 with the ticket, which is due at its time: now, or not yet."""
    path = f"/reminder{API}/tickets" if door == "gateway" else f"{API}/tickets"
    email = f"{unique('hand')}@example.com"
    body = {"subject": "Grüße", "content": "Zeile 1\nZeile 2 ✈", "recepientEmail": email}
    now = safe.services[door].call("POST", path, {**body, "notificationTime": "2026-01-01T00:00:00Z"}, token=user.token)
    assert (now.status, set(now.data), now.data["status"]) == (201, TICKET, "PENDING")
    later = {**body, "subject": "later", "notificationTime": "2199-01-01T00:00:00Z"}
    assert safe.services[door].call("POST", path, later, token=user.token).status == 201
    wait_until(lambda: mailed(safe, email), "the mail that is due")
    assert [(mail["subject"], mail["body"].split()) for mail in safe.mails(email)] == [
        ("Grüße", ["Zeile", "1", "Zeile", "2", "✈"])
    ]
    assert {one["subject"]: one["status"] for one in safe.tickets(email)}["later"] == "PENDING"


def test_publish_sends_a_test_notification(safe: Platform, user: User) -> None:
    """`POST /publish` is a 201, and one more mail arrives for each."""

    def tests() -> int:
        return sum("est" in mail["subject"] for mail in safe.mails())

    before = tests()
    assert safe.booking.call("POST", f"{API}/publish").status == 201
    assert safe.gateway.call("POST", f"/bookingservice{API}/publish", token=user.token).status == 201
    wait_until(lambda: tests() >= before + 2, "two test mails")


def test_the_same_message_twice_is_one_mail(safe: Platform) -> None:
    """A message that comes again, in one batch or later, makes one ticket and one mail, of either kind."""
    emails = [f"{unique('twice')}@example.com" for _ in range(2)]
    bodies = [
        message(emails[0], unique("message")),
        message(emails[1], unique("message"), service="SEND_BASIC_MAIL"),
    ]
    publish(safe.bus, [*bodies, *bodies])
    for email in emails:
        wait_until(lambda: mailed(safe, email), "a mail")  # noqa: B023 - called at once
    last = f"{unique('last')}@example.com"
    publish(safe.bus, [*bodies, message(last)])
    wait_until(lambda: mailed(safe, last), "the mail behind the repetition")
    assert [len(safe.mails(email)) for email in emails] == [1, 1]
    assert len(safe.tickets(emails[0])) == 1


def test_poison_goes_to_the_dead_letters(safe: Platform, nursery: Nursery) -> None:
    """Messages that cannot be understood are kept aside, and those behind them are handled."""
    reminder = start_reminder(nursery, safe)
    email = f"{unique('poison')}@example.com"
    poison = [
        *("", "no JSON", "null", "5", "[]", "{}", "[" * 100_000, "\ud800", "\0", message("no address")),
        json.dumps({"service": "CREATE_TICKET"}),
        message(email, service="DROP_TABLE"),
        message(email, subject=5),
        message(email, notificationTime="soon"),
        message(email, content="\0"),
        message(email, subject="a\nBcc: b@example.com"),
    ]
    bodies = [one for bad in poison for one in (bad, message(email, unique("good")))]
    publish(nursery.bus, bodies)
    wait_until(lambda: len(safe.mails(email)) == len(poison), "a mail for every good message")
    assert reminder.service.send("GET", "/health").status == 200
    dead = open_consumer(bus(nursery.bus, f"{QUEUE}.dead"))
    letters = dead.take(100, 5.0)
    dead.close()
    assert len(letters) == len(poison)
    assert any("DROP_TABLE" in letter.body for letter in letters)


ODD = (
    {"subject": "a\u2028b"},
    {"subject": "a\u0085b"},
    {"subject": "é" * 191},
    {"subject": "=?utf-8?q?x?= =?x"},
    {"content": "a\n.\nb\u2028c\x7f"},
    {"content": "x" * 10_000},
    {"recepientEmail": ".a..b.@example.com"},
    {"recepientEmail": "a%b!`{|}'@example.com"},
)


def test_no_ticket_stops_the_mails_behind_it(safe: Platform, nursery: Nursery) -> None:
    """An odd ticket is refused at once, or becomes `SUCCESS` or `FAILED`; in no case do others wait for it."""
    reminder = start_reminder(nursery, safe)
    for values in ODD:
        body = {"subject": "s", "content": "c", "recepientEmail": f"{unique('odd')}@example.com", **values}
        odd = reminder.service.call("POST", f"{API}/tickets", body)
        assert odd.status in {201, 400}, values
        email = f"{unique('behind')}@example.com"
        publish(nursery.bus, [message(email, unique("m"), **values), message(email, unique("m"))])
        wait_until(lambda: mailed(safe, email), f"the mail behind {values}")  # noqa: B023 - called at once
    wait_until(lambda: all(one["status"] != "PENDING" for one in everything(reminder.service, "tickets?")), "their end")
