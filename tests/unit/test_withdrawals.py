"""The audit of bookings that the load cancelled itself: cancelled is not missing, and the seats are given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.facts import ACCEPTED, BOOKED, CANCELLED, KEPT, UNSURE, WITHDRAWN, Booking, FlightFacts, MailFacts, Row
from lab.integrity import assess, expected_mail
from lab.judge import Measured, verdict
from lab.model.dataset import Flight
from lab.model.run import Status, Totals
from lab.model.threshold import INTEGRITY_METRICS

if TYPE_CHECKING:
    from lab.model.verdict import Integrity

FLIGHT = Flight(7, "AB7", 100, 12.5)
BOUGHT = Row(ACCEPTED, 7, 1, "u@x.test", 3, 5, 37.5, "bought")


def given_up(outcome: str) -> Row:
    """Make the cancellation of that booking."""
    return Row(outcome, 7, 1, "u@x.test", 3, 5, None, "given up")


def listed(left: int, status: str) -> FlightFacts:
    """Make the flight afterwards, with that booking in a status."""
    return FlightFacts(FLIGHT, 100, left, (), (Booking(5, 1, 3, status, 37.5),))


def figures(found: Integrity) -> dict[str, int]:
    """Give the figures of the audit that are not zero."""
    return {metric: getattr(found, metric) for metric in INTEGRITY_METRICS if getattr(found, metric)}


@pytest.mark.parametrize(
    ("outcome", "status", "left", "expected"),
    [
        (WITHDRAWN, CANCELLED, 100, {}),
        (WITHDRAWN, CANCELLED, 97, {"seats_lost": 3}),
        (WITHDRAWN, CANCELLED, 103, {"seats_lost": 3}),
        (WITHDRAWN, BOOKED, 97, {"bookings_unexpected": 1}),
        (KEPT, BOOKED, 97, {}),
        (KEPT, CANCELLED, 100, {"bookings_missing": 1}),
        (UNSURE, BOOKED, 97, {}),
        (UNSURE, CANCELLED, 100, {}),
        (UNSURE, CANCELLED, 97, {"seats_lost": 3}),
    ],
)
def test_a_cancelled_booking_is_where_its_answer_says(
    outcome: str, status: str, left: int, expected: dict[str, int]
) -> None:
    """Withdrawn: cancelled, its seats back once. Refused: still booked. A lost answer: either, with its seats."""
    assert figures(assess([BOUGHT, given_up(outcome)], [listed(left, status)], None)) == expected


@pytest.mark.parametrize("outcome", [WITHDRAWN, UNSURE])
def test_a_cancelled_booking_that_is_gone_is_missing(outcome: str) -> None:
    """Cancelling does not delete: the booking stays in the database."""
    found = assess([BOUGHT, given_up(outcome)], [FlightFacts(FLIGHT, 100, 100, (), ())], None)

    assert figures(found) == {"bookings_missing": 1}


def test_a_cancellation_is_no_booking() -> None:
    """It counts neither as accepted nor as unknown, and its seats are sold once."""
    found = assess([BOUGHT, given_up(UNSURE), given_up(WITHDRAWN)], [listed(100, CANCELLED)], None)

    assert (found.bookings_accepted, found.seats_accepted, found.bookings_unknown) == (1, 3, 0)
    assert found.bookings_withdrawn == 1
    assert figures(found) == {}


@pytest.mark.parametrize(
    ("outcome", "left", "lost"),
    [(WITHDRAWN, 100, 0), (WITHDRAWN, 97, 3), (KEPT, 97, 0), (KEPT, 100, 3), (UNSURE, 97, 0), (UNSURE, 100, 0),
     (UNSURE, 96, 1), (UNSURE, 101, 1)],
)  # fmt: skip
def test_without_a_list_cancelled_seats_are_given_back(outcome: str, left: int, lost: int) -> None:
    """The counter lies between what was surely kept and what was perhaps kept."""
    found = assess([BOUGHT, given_up(outcome)], [FlightFacts(FLIGHT, 100, left, None, None)], None)

    assert found.seats_lost == lost


@pytest.mark.parametrize(("outcome", "least"), [(WITHDRAWN, 0), (UNSURE, 0), (KEPT, 1)])
def test_a_cancelled_booking_may_have_been_mailed_before(outcome: str, least: int) -> None:
    """Where no bookings are listed: at most one mail, and none is demanded once it may be cancelled."""
    few, many = expected_mail([BOUGHT, given_up(outcome)], [FlightFacts(FLIGHT, 100, 97, None, None)])

    assert (few["u@x.test"], many["u@x.test"]) == (least, 1)


def test_the_verdict_says_what_was_cancelled_again() -> None:
    """A reader who adds up seats sold and seats left finds the difference explained."""
    mail = MailFacts({"u@x.test": 1}, {"u@x.test": 1}, 0.1)
    found = assess([BOUGHT, given_up(WITHDRAWN)], [listed(100, CANCELLED)], mail)
    said = verdict(Measured("s", Status.FINISHED, (), (), found, Totals(ok=2, sent=2), None)).sentence

    assert "3 seats sold in 1 booking (1 of them cancelled again), none oversold, none lost" in said
