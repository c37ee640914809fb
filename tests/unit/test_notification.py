"""How long the mails took: which count, from when to when, and where in the run."""

from __future__ import annotations

from typing import Any

from lab import judge, notification
from lab.facts import BOOKED, CANCELLED, Booking, FlightFacts
from lab.model.dataset import Flight
from lab.model.histogram import bin_of
from lab.model.sample import Tally, Tick
from lab.model.threshold import Outcome, parse_threshold
from lab.notification import Delivery, by_mail, by_ticket

ACCEPTED = 1_795_407_300.0
MOMENT = "2026-11-23T04:15:00.000Z"


def booking(number: int, status: str = BOOKED, updated: str | None = MOMENT) -> Booking:
    """Make up a booking."""
    return Booking(number, 1, 1, status, 5.0, updated)


def facts(*after: Booking, before: tuple[Booking, ...] = ()) -> list[FlightFacts]:
    """Make up one flight with bookings."""
    return [FlightFacts(Flight(1, "AB1", 10, 5.0), 10, 9, before, (*before, *after))]


def mail(name: str, seconds: float) -> dict[str, Any]:
    """Make up a mail that came some seconds after MOMENT."""
    return {
        "message_id": f"<{name}.ticket@airbourne.local>",
        "received": ACCEPTED + seconds,
        "recipients": ["u@x.test"],
    }


def test_each_new_booking_counts_with_its_first_mail() -> None:
    """No repeated mail counts, no old or cancelled booking, no ticket made by hand, no time without a zone."""
    flights = facts(
        booking(2), booking(3, CANCELLED), booking(4, updated="2026-11-23T04:15:00"), booking(5, updated=None),
        before=(booking(1),),
    )  # fmt: skip
    names = ("booking-1", "booking-2", "booking-2", "booking-3", "booking-4", "booking-5", "ticket-9")
    mails = [mail(name, seconds) for seconds, name in enumerate(names, 4)]
    assert by_mail(flights, mails) == [Delivery(ACCEPTED, ACCEPTED + 5)]


def test_tickets_tell_where_the_lab_keeps_no_mail() -> None:
    """A ticket that was mailed counts with the time of that; one that waits, or says nothing of a booking, does not."""
    tickets = [
        {"subject": "Booking 2 is booked", "status": "SUCCESS", "updatedAt": "2026-11-23T04:15:00.250Z"},
        {"subject": "Booking 3 is booked", "status": "PENDING", "updatedAt": "2026-11-23T04:15:09.000Z"},
        {"subject": "Welcome", "status": "SUCCESS", "updatedAt": "2026-11-23T04:15:09.000Z"},
    ]
    assert by_ticket(facts(booking(2), booking(3)), tickets) == [Delivery(ACCEPTED, ACCEPTED + 0.25)]


def test_a_delay_belongs_to_the_second_in_which_its_mail_came() -> None:
    """Mails after the load are counted too, and make the load no longer; clocks that differ make no negative delay."""
    found = notification.ticks(
        [Delivery(100.0, 100.5), Delivery(100.2, 100.9), Delivery(101.0, 104.0), Delivery(99.5, 99.4)], 100.0
    )
    assert [(tick.second, sum(sum(bins.values()) for bins in tick.trends.values())) for tick in found] == [
        (0, 3),
        (4, 1),
    ]
    tally = Tally()
    tally.add(Tick(1))
    notification.add(tally, found)
    assert tally.seconds == 2
    (histogram,) = tally.trends.values()
    assert histogram.bins.keys() == {0, bin_of(500_000), bin_of(700_000), bin_of(3_000_000)}


def test_a_threshold_on_the_delay_is_judged_or_has_no_data() -> None:
    """It is in ms, as every time is; where nothing was delivered it has no data, which is no pass."""
    threshold = parse_threshold("notification_delay", "max<2000")
    tally = Tally()
    assert judge.judge_all([threshold], tally)[0].outcome is Outcome.NO_DATA
    notification.add(tally, notification.ticks([Delivery(100.0, 103.0)], 100.0))
    (result,) = judge.judge_all([threshold], tally)
    assert result.outcome is Outcome.FAIL
    assert result.actual is not None
    assert abs(result.actual - 3000) < 3
