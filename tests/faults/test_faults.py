"""Issue 3 §2: parts of the platform stopped and killed while 20 users book; nothing that was promised is lost.

Each test lets the lab load the platform, does its harm in the middle, and believes the lab's own audit; then it looks
into the databases and the mail itself.
"""

from __future__ import annotations

import logging
from time import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.kept import (
    BATCH,
    assert_audit_is_clean,
    assert_each_is_notified,
    assert_failures_were_told,
    assert_users_noticed_nothing,
    assert_works_again,
)

if TYPE_CHECKING:
    from tests.faults.house import House
    from tests.faults.load import Ran

pytestmark = pytest.mark.e2e

AWAY = 10
"""So long, in seconds, a server is away."""
log = logging.getLogger(__name__)


def test_rabbitmq_is_away_for_ten_seconds(house: House) -> None:
    """Bookings go on as if nothing were; their notifications wait in the outbox, and are all sent afterwards."""
    with house.load() as load:
        load.until_calm()
        house.broker.stop()
        down = load.for_seconds(1)
        load.for_seconds(AWAY - 1)
        kept, until = house.count("booking", "SELECT COUNT(*) FROM outbox"), time()
        house.broker.start()
        up = time()
        ran = load.end()
    assert ran.booked_between(down, until) > 20
    assert kept > 20
    assert_users_noticed_nothing(ran.answers)
    assert_all_is_kept(house, ran, up)


def test_the_reminder_is_killed_in_mid_handling(house: House) -> None:
    """Killed with messages not acknowledged and mails not noted it loses none, and repeats those mails alone."""
    with house.load() as load:
        load.until_calm()
        with house.reminder_in_mid_handling():
            house.reminder.kill()
        load.for_seconds(2)
        house.reminder.start()
        up = time()
        ran = load.end()
    assert_users_noticed_nothing(ran.answers)
    assert_all_is_kept(house, ran, up, twice=range(1, BATCH + 1))


def test_booking_is_killed_in_mid_handling(house: House) -> None:
    """Killed with bookings that have seats and are not booked, and notes sent but not struck out, it settles all."""
    with house.load() as load:
        load.until_calm()
        with house.booking_in_mid_handling():
            house.booking.kill()
            begun = house.count("booking", "SELECT COUNT(*) FROM bookings WHERE status = 'InProcess'")
        load.for_seconds(2)
        house.booking.start()
        up = time()
        ran = load.end()
    assert begun > 0
    assert 502 in {answer.status for answer in ran.failed}
    assert_all_is_kept(house, ran, up)


def test_mariadb_is_restarted(house: House) -> None:
    """All four databases go and come: bookings fail meanwhile, with a sentence; no mail repeats, for nobody died."""
    with house.load() as load:
        load.until_calm()
        with house.reminder_in_mid_handling():
            house.database.stop()
        load.for_seconds(2)
        house.database.start()
        up = time()
        ran = load.end()
    assert ran.failed
    assert_all_is_kept(house, ran, up)


def test_the_mail_server_refuses_for_ten_seconds(house: House) -> None:
    """It answers 451, then it is gone: no mail is lost, none comes twice, and bookings do not notice."""
    with house.load() as load:
        load.until_calm()
        house.mail.refuse()
        down = time()
        load.for_seconds(AWAY // 2)
        house.mail.stop()
        load.for_seconds(AWAY // 2)
        until = time()
        house.mail.start()
        up = time()
        ran = load.end()
    assert house.mail.next_after(down) > until - down
    assert house.count("reminder", "SELECT COUNT(*) FROM tickets WHERE tries > 1") > 20
    assert ran.booked_between(down, until) > 20
    assert_users_noticed_nothing(ran.answers)
    assert_all_is_kept(house, ran, up)


def assert_all_is_kept(house: House, ran: Ran, up: float, *, twice: range = range(1)) -> None:
    """Check what must hold after every fault; all was up again from `up` on; so many mails came `twice`."""
    log.info("%s", ran.story(up))
    log.info(
        "first mail %+.1f s, audited after %.1f s", house.mail.next_after(up), ran.run["integrity"]["drain_seconds"]
    )
    assert_failures_were_told(ran)
    assert_audit_is_clean(ran)
    assert_each_is_notified(house, ran, twice=twice)
    assert_works_again(ran)
    house.sound = True
