"""The audit's arithmetic: a correct platform has no figure, and each fault has exactly its own."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.facts import (
    ACCEPTED,
    BOOKED,
    CANCELLED,
    IN_PROCESS,
    REFUSED,
    UNKNOWN,
    Booking,
    FlightFacts,
    MailFacts,
    Row,
    booking_of,
    read_ledger,
)
from lab.integrity import assess, expected_mail
from lab.model.dataset import Flight
from lab.model.threshold import INTEGRITY_METRICS

if TYPE_CHECKING:
    from pathlib import Path

    from lab.model.verdict import Integrity

FEW = settings(max_examples=60, deadline=None)
FLIGHT = Flight(7, "AB7", 100, 12.5)


def row(number: int, outcome: str = ACCEPTED, seats: int = 1, user: int = 1, flight: int = 7) -> Row:
    """Make an attempt whose booking has this number."""
    booking = number if outcome == ACCEPTED else None
    return Row(outcome, flight, user, f"u{user}@x.test", seats, booking, None, f"key-{number}")


def booked(number: int, seats: int = 1, user: int = 1, status: str = BOOKED, cost: float | None = None) -> Booking:
    """Make a booking of flight 7 at its right price."""
    return Booking(number, user, seats, status, FLIGHT.price * seats if cost is None else cost)


def facts(
    left_after: int, *after: Booking, before: tuple[Booking, ...] = (), left_before: int = 100, flight: Flight = FLIGHT
) -> FlightFacts:
    """Make flight 7 before and after a run; `after` are the new bookings."""
    return FlightFacts(flight, left_before, left_after, before, (*before, *after))


def figures(found: Integrity) -> dict[str, int]:
    """Give the figures of the audit that are not zero."""
    return {metric: getattr(found, metric) for metric in INTEGRITY_METRICS if getattr(found, metric)}


def test_lost_updates_are_counted_to_the_seat() -> None:
    """T18: twenty one-seat bookings that all read 100 and wrote 99 have defect −19; taken atomically, 0."""
    rows = [row(number) for number in range(20)]
    bookings = [booked(number) for number in range(20)]

    lost = assess(rows, [facts(99, *bookings)], None)
    sound = assess(rows, [facts(80, *bookings)], None)

    assert [defect.defect for defect in lost.defects] == [-19]
    assert figures(lost) == {"seats_lost": 19}
    assert (figures(sound), sound.defects, sound.seats_accepted, sound.bookings_found) == ({}, (), 20, 20)


def test_a_leak_is_a_positive_defect() -> None:
    """Seats that were taken, but that nobody has, are lost as well."""
    found = assess([row(1, seats=2)], [facts(95, booked(1, 2))], None)

    assert [(d.defect, d.oversold, d.left, d.booked, d.capacity) for d in found.defects] == [(3, 0, 95, 2, 100)]
    assert figures(found) == {"seats_lost": 3}


def test_opposite_defects_do_not_cancel_out() -> None:
    """A seat lost on one flight and a seat leaked on another are two."""
    other = Flight(8, "AB8", 100, 12.5)
    found = assess([], [facts(101), facts(99, flight=other)], None)

    assert found.seats_lost == 2
    assert [defect.flight for defect in found.defects] == ["7", "8"]


def test_seats_sold_beyond_capacity_are_oversold() -> None:
    """The first version's own figures: 567 seats sold on an airplane of 222."""
    flight = replace(FLIGHT, capacity=222)
    rows = [row(n, seats=3) for n in range(189)]
    found = assess(rows, [facts(12, *[booked(n, 3) for n in range(189)], left_before=222, flight=flight)], None)

    assert figures(found) == {"seats_oversold": 345, "seats_lost": 357}
    assert (found.defects[0].defect, found.defects[0].oversold) == (-357, 345)


def test_a_counter_below_zero_is_noted() -> None:
    """A count below zero is said, and is an oversold flight."""
    flight = replace(FLIGHT, capacity=2)
    found = assess([row(1, seats=3)], [facts(-1, booked(1, 3), left_before=2, flight=flight)], None)

    assert figures(found) == {"seats_oversold": 1}
    assert any("-1 seats left, below zero" in note for note in found.notes)


def test_the_worst_flight_comes_first() -> None:
    """Oversold flights before others, then by the size of the defect."""
    flights = [Flight(n, f"F{n}", 10, 1.0) for n in range(4)]
    listed = [
        FlightFacts(flights[0], 10, 9, (), ()),
        FlightFacts(flights[1], 10, 5, (), ()),
        FlightFacts(flights[2], 10, 10, (), (Booking(1, 1, 11, BOOKED, 11.0),)),
        FlightFacts(flights[3], 10, 10, (), ()),
    ]

    assert [defect.number for defect in assess([], listed, None).defects] == ["F2", "F1", "F0"]


def test_an_accepted_booking_that_is_not_in_the_database_is_missing() -> None:
    """T19: acknowledged and gone."""
    found = assess([row(1), row(2)], [facts(99, booked(1))], None)

    assert figures(found) == {"bookings_missing": 1}
    assert any("AB7" in note and "not in the database" in note and note.endswith("2") for note in found.notes)


def test_accepted_bookings_without_an_id_are_each_missing() -> None:
    """An answer that names no booking cannot be found, one by one."""
    rows = [row(n)._replace(booking=None) for n in range(3)]

    assert figures(assess(rows, [facts(100)], None)) == {"bookings_missing": 3}


def test_two_travellers_cannot_have_the_same_booking() -> None:
    """Two accepted attempts that were answered with one booking are one booking and one missing."""
    rows = [row(1, user=1), row(1, user=2)._replace(key="another")]

    assert figures(assess(rows, [facts(99, booked(1))], None)) == {"bookings_missing": 1}


def test_a_booking_from_before_the_run_is_no_answer() -> None:
    """An attempt that was answered with an older booking has none of its own."""
    found = assess([row(1)], [facts(98, before=(booked(1, 2),), left_before=98)], None)

    assert figures(found) == {"bookings_missing": 1}


@pytest.mark.parametrize("status", [IN_PROCESS, CANCELLED])
def test_an_accepted_booking_must_be_booked(status: str) -> None:
    """Answered as booked, but InProcess or Cancelled in the database: the traveller has no seat."""
    left = 99 if status == IN_PROCESS else 100

    assert figures(assess([row(1)], [facts(left, booked(1, status=status))], None)) == {"bookings_missing": 1}


@pytest.mark.parametrize(
    "wrong", [booked(1, 2), booked(1, user=9), booked(1, cost=12.49), booked(1, cost=0.0), booked(1, cost=25.0)]
)
def test_a_booking_with_other_seats_user_or_price_was_never_asked_for(wrong: Booking) -> None:
    """Each of the three makes an accepted booking unexpected."""
    found = assess([row(1)], [facts(100 - wrong.seats, wrong)], None)

    assert figures(found) == {"bookings_unexpected": 1}


def test_a_price_of_floats_is_compared_to_the_cent() -> None:
    """3 × 0.1 is 0.3; a target that lists no price is not held to one."""
    flight = replace(FLIGHT, price=0.1)
    for cost in (0.1 * 3, 0.3, None):
        listed = facts(97, Booking(1, 1, 3, BOOKED, cost), flight=flight)
        assert figures(assess([row(1, seats=3)], [listed], None)) == {}


def test_a_lost_answer_may_be_either() -> None:
    """A time-out is unknown: its booking may be in the database, as asked for and once, or not."""
    unknown = row(1, UNKNOWN, seats=2)

    assert figures(assess([unknown], [facts(100)], None)) == {}
    assert figures(assess([unknown], [facts(98, booked(5, 2))], None)) == {}
    assert assess([unknown], [facts(100)], None).bookings_unknown == 1


@pytest.mark.parametrize(
    "found", [(booked(5, 2), booked(6, 2)), (booked(5, 3),), (booked(5, 2, user=9),), (booked(5, 2, cost=1.0),)]
)
def test_a_lost_answer_excuses_one_booking_as_it_was_asked_for(found: tuple[Booking, ...]) -> None:
    """A second one, or one with other seats, user or price, is unexpected."""
    left = 100 - sum(booking.seats for booking in found)

    assert figures(assess([row(1, UNKNOWN, seats=2)], [facts(left, *found)], None)) == {"bookings_unexpected": 1}


def test_a_refused_booking_may_be_there_as_cancelled_only() -> None:
    """What a refusal leaves behind may be cancelled, but not booked, and uses no other attempt's excuse up."""
    refused, unknown = row(1, REFUSED, seats=2), row(2, UNKNOWN, seats=2)
    ghost = booked(5, 2, status=CANCELLED)

    assert figures(assess([refused], [facts(100, ghost)], None)) == {}
    assert figures(assess([refused], [facts(98, booked(5, 2))], None)) == {"bookings_unexpected": 1}
    assert figures(assess([refused, unknown], [facts(98, ghost, booked(6, 2))], None)) == {}


def test_one_key_makes_one_booking() -> None:
    """T19: a key that was accepted twice with different bookings is one too many; a replayed answer is not."""
    twice = [row(1), row(2)._replace(key="key-1")]
    replayed = [row(1), row(1)]

    found = assess(twice, [facts(98, booked(1), booked(2))], None)

    assert figures(found) == {"bookings_unexpected": 1}
    assert any("idempotency key" in note for note in found.notes)
    assert figures(assess(replayed, [facts(99, booked(1))], None)) == {}


def test_a_doubled_booking_is_unexpected() -> None:
    """One attempt, two rows in the database: the second was never asked for."""
    assert figures(assess([row(1)], [facts(98, booked(1), booked(2))], None)) == {"bookings_unexpected": 1}


def test_what_was_wrong_before_is_not_held_against_the_run() -> None:
    """A flight with a wrong counter and wrong prices, on which the run books well, has no figure."""
    old = (booked(1, 20, cost=1.0), booked(2, 10, status=IN_PROCESS), booked(3, 4, status=CANCELLED))

    found = assess([row(9, seats=2)], [facts(38, booked(9, 2), before=old, left_before=40)], None)

    assert figures(found) == {}
    assert (found.bookings_found, found.defects) == (1, ())


def test_more_oversold_than_before_counts_the_difference() -> None:
    """Of a flight that was oversold by 20 already, the run answers for its own 2."""
    found = assess([row(9, seats=2)], [facts(38, booked(9, 2), before=(booked(1, 120),), left_before=40)], None)

    assert figures(found) == {"seats_oversold": 2}


def unlisted(left_after: int, left_before: int = 100) -> FlightFacts:
    """Make a flight of a target that lists no bookings."""
    return FlightFacts(FLIGHT, left_before, left_after, None, None)


@pytest.mark.parametrize(("left", "defect"), [(95, 0), (94, 0), (92, 0), (96, -1), (100, -5), (91, 1), (0, 92)])
def test_without_a_list_the_ledger_bounds_the_counter(left: int, defect: int) -> None:
    """Accepted (5) ≤ seats taken ≤ accepted + unknown (3): what lies outside is the defect."""
    rows = [row(1, seats=5), row(2, UNKNOWN, seats=3), row(3, REFUSED, seats=9)]
    found = assess(rows, [unlisted(left)], None)

    assert found.seats_lost == abs(defect)
    assert sum(d.defect for d in found.defects) == defect
    assert (found.bookings_missing, found.bookings_unexpected) == (None, None)
    assert any("lists no bookings" in note for note in found.notes)


def test_without_a_list_more_accepted_than_there_was_is_oversold() -> None:
    """Ten seats were left, and twelve accepted."""
    found = assess([row(1, seats=7), row(2, seats=5)], [unlisted(0, 10)], None)

    assert (found.seats_oversold, found.seats_lost) == (2, 2)


def mails(sent: dict[str, int], tickets: dict[str, int] | None = None) -> MailFacts:
    """Make notifications; a ticket for each mail, unless told otherwise."""
    return MailFacts(sent if tickets is None else tickets, sent, 1.23456)


ONE, TWO = "u1@x.test", "u2@x.test"


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (mails({ONE: 2, TWO: 1}), {}),
        (mails({ONE: 1, TWO: 1}), {"notifications_missing": 1}),
        (mails({}), {"notifications_missing": 3}),
        (mails({ONE: 1, TWO: 1}, {ONE: 2, TWO: 1}), {"notifications_missing": 1}),
        (mails({ONE: 3, TWO: 1}), {"notifications_unexpected": 1}),
        (mails({ONE: 2, TWO: 1}, {ONE: 2, TWO: 3}), {"notifications_unexpected": 2}),
        (mails({ONE: 3}, {ONE: 3}), {"notifications_missing": 1, "notifications_unexpected": 1}),
        (mails({ONE: 2, TWO: 1, "stranger@x.test": 4}), {"notifications_unexpected": 4}),
        (mails({ONE: 2, "stranger@x.test": 1}), {"notifications_missing": 1, "notifications_unexpected": 1}),
        (mails({"desk@x.test": 3}), {}),
        (mails({"desk@x.test": 2}), {"notifications_missing": 1}),
        (mails({"desk@x.test": 5}), {"notifications_unexpected": 2}),
        (mails({"desk@x.test": 5}, {"desk@x.test": 3}), {"notifications_unexpected": 2}),
    ],
)
def test_every_booked_one_has_one_mail(mail: MailFacts, expected: dict[str, int]) -> None:
    """Missing, doubled, misdirected; by recipient, or by number where mail goes to another address altogether."""
    rows = [row(1), row(2), row(3, user=2)]
    found = assess(rows, [facts(97, booked(1), booked(2), booked(3, user=2))], mail)

    assert figures(found) == expected
    assert found.drain_seconds == 1.235
    assert found.notifications_found == sum(mail.mailed.values())


def test_a_cancelled_booking_may_be_notified_and_need_not() -> None:
    """Of a booking whose answer was lost and that was cancelled, a mail may have gone out before."""
    flight = facts(100, booked(5, status=CANCELLED))
    for mail in (mails({}), mails({ONE: 1})):
        assert figures(assess([row(1, UNKNOWN)], [flight], mail)) == {}
    assert figures(assess([row(1, UNKNOWN)], [flight], mails({ONE: 2}))) == {"notifications_unexpected": 1}


def test_without_a_list_mail_is_bounded_by_the_ledger() -> None:
    """An accepted booking must be notified, an unknown one may be."""
    rows = [row(1), row(2, UNKNOWN), row(3, REFUSED)]

    assert expected_mail(rows, [unlisted(99)]) == (Counter({ONE: 1}), Counter({ONE: 2}))
    for number, expected in ((1, {}), (2, {}), (0, {"notifications_missing": 1}), (3, {"notifications_unexpected": 1})):
        assert figures(assess(rows, [unlisted(98)], mails({ONE: number}))) == expected


def test_a_flight_with_a_list_is_not_counted_by_the_ledger_too() -> None:
    """Where some flights have a list and some have none, each booking is expected to be mailed once."""
    other = FlightFacts(Flight(8, "AB8", 100, 1.0), 100, 99, None, None)
    rows = [row(1), row(2, flight=8)]

    assert expected_mail(rows, [facts(99, booked(1)), other]) == (Counter({ONE: 2}), Counter({ONE: 2}))


def test_notifications_that_could_not_be_read_have_no_figure() -> None:
    """Unread is None, so that a threshold on it is NO DATA."""
    found = assess([row(1)], [facts(99, booked(1))], None)

    assert (found.notifications_missing, found.notifications_unexpected) == (None, None)


def test_nothing_checked_is_no_pass() -> None:
    """Without a flight the audit has no figure and says that it checked nothing."""
    found = assess([row(1)], [], None)

    assert not found.checked
    assert [getattr(found, metric) for metric in INTEGRITY_METRICS] == [None] * len(INTEGRITY_METRICS)


def test_attempts_on_other_flights_are_noted() -> None:
    """What the load booked where the audit did not look is said."""
    found = assess([row(1), row(2, flight=99), row(3, REFUSED, flight=98)], [facts(99, booked(1))], None)

    assert found.notes == ("1 bookings were tried on flights that the audit did not read",)


def test_flights_that_ran_out_are_counted() -> None:
    """Those that had seats before the run and have none after it."""
    seats = booked(1, 5)
    flight = replace(FLIGHT, capacity=5)
    emptied = facts(0, seats, left_before=5, flight=flight)
    empty = facts(0, before=(seats,), left_before=0, flight=flight)

    assert assess([row(1, seats=5)], [emptied], None).flights_sold_out == 1
    assert assess([], [empty], None).flights_sold_out == 0


def test_a_ledger_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    """A killed run's last line may be cut off."""
    path = tmp_path / "ledger.jsonl"
    rows = [row(1), row(2, UNKNOWN, user=3)]
    path.write_text("".join(json.dumps(list(r)) + "\n" for r in rows) + '["accepted",7', encoding="utf-8")

    assert list(read_ledger(path)) == rows


LISTED: dict[str, Any] = {"id": 4, "userId": 2, "NoOfSeats": 3, "status": "Booked", "totalCost": 37.5, "flightId": 7}


def test_a_listed_booking_is_read() -> None:
    """The contract's keys become a booking; a target may leave the price out."""
    assert booking_of(LISTED) == Booking(4, 2, 3, "Booked", 37.5)
    assert booking_of({key: value for key, value in LISTED.items() if key != "totalCost"}).cost is None


@pytest.mark.parametrize("key", ["id", "userId", "NoOfSeats", "status"])
def test_a_listed_booking_without_a_key_is_refused(key: str) -> None:
    """The error is the key."""
    with pytest.raises(KeyError, match=key):
        booking_of({k: v for k, v in LISTED.items() if k != key})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NoOfSeats", "3"),
        ("NoOfSeats", None),
        ("NoOfSeats", True),
        ("id", {"$oid": 1}),
        ("status", 1),
        ("totalCost", "9"),
    ],
)
def test_a_listed_booking_of_other_types_is_refused(key: str, value: object) -> None:
    """What would break the arithmetic does not get into it."""
    with pytest.raises(ValueError, match="a booking's"):
        booking_of({**LISTED, key: value})


@dataclass
class Platform:
    """A correct platform in small: what it would list and mail after a load, and the ledger of that load."""

    capacity: int
    rows: list[Row] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    mailed: Counter[str] = field(default_factory=Counter)
    left: int = 0

    def book(self, user: int, seats: int, *, answered: bool, arrives: bool) -> None:
        """Try to book; the request may not arrive, and the answer may be lost on its way back."""
        key, email = f"key-{len(self.rows)}", f"u{user}@x.test"
        outcome, booking = REFUSED, None
        if arrives and seats <= self.left:
            self.left -= seats
            booking = len(self.bookings) + 1
            self.bookings.append(booked(booking, seats, user))
            self.mailed[email] += 1
            outcome = ACCEPTED
        elif arrives:
            self.bookings.append(booked(len(self.bookings) + 1, seats, user, CANCELLED))
        if not (arrives and answered):
            outcome, booking = UNKNOWN, None
        self.rows.append(Row(outcome, 7, user, email, seats, booking if outcome == ACCEPTED else None, None, key))

    def audit(self) -> Integrity:
        """Audit it as it stands."""
        flight = replace(FLIGHT, capacity=self.capacity)
        listed = FlightFacts(flight, self.capacity, self.left, (), tuple(self.bookings))
        return assess(self.rows, [listed], MailFacts(self.mailed, self.mailed, 0.0))


attempts = st.tuples(st.integers(1, 3), st.integers(1, 4), st.booleans(), st.booleans())


def loaded(tries: list[tuple[int, int, bool, bool]], capacity: int) -> Platform:
    """Make a platform that has been under load."""
    platform = Platform(capacity, left=capacity)
    for user, seats, answered, arrives in tries:
        platform.book(user, seats, answered=answered, arrives=arrives)
    return platform


@FEW
@given(st.lists(attempts, max_size=15), st.integers(0, 30))
def test_a_correct_platform_has_no_figure(tries: list[tuple[int, int, bool, bool]], capacity: int) -> None:
    """Whatever is tried, refused or lost on its way, the audit of a correct platform finds nothing."""
    found = loaded(tries, capacity).audit()

    assert figures(found) == {}
    assert found.defects == ()
    assert found.notes == ()


def fault_lose_update(platform: Platform, seats: int) -> dict[str, int]:
    """The counter forgets seats that were sold."""
    platform.left += seats
    return {"seats_lost": seats}


def fault_leak(platform: Platform, seats: int) -> dict[str, int]:
    """The counter takes seats for nobody."""
    platform.left -= seats
    return {"seats_lost": seats}


def fault_forget_booking(platform: Platform, _: int) -> dict[str, int]:
    """An accepted booking vanishes, and its seats and mail with it."""
    gone = platform.bookings.pop(0)
    platform.left += gone.seats
    platform.mailed[f"u{gone.user}@x.test"] -= 1
    return {"bookings_missing": 1}


def fault_double_booking(platform: Platform, _: int) -> dict[str, int]:
    """An accepted booking is made twice, with its seats and its mail; the second is nobody's."""
    first = platform.bookings[0]
    platform.bookings.append(first._replace(id="twin"))
    platform.left -= first.seats
    platform.mailed[f"u{first.user}@x.test"] += 1
    return {"bookings_unexpected": 1}


def fault_price(platform: Platform, _: int) -> dict[str, int]:
    """An accepted booking costs a cent more."""
    platform.bookings[0] = platform.bookings[0]._replace(cost=(platform.bookings[0].cost or 0) + 0.01)
    return {"bookings_unexpected": 1}


def fault_no_mail(platform: Platform, _: int) -> dict[str, int]:
    """A mail is lost."""
    platform.mailed["u1@x.test"] -= 1
    return {"notifications_missing": 1}


def fault_mail_twice(platform: Platform, count: int) -> dict[str, int]:
    """A mail is sent again."""
    platform.mailed["u1@x.test"] += count
    return {"notifications_unexpected": count}


def fault_oversell(platform: Platform, seats: int) -> dict[str, int]:
    """The last seats are sold, and then some more, by a counter that knows of all of them."""
    for number in (platform.left, seats):
        if number:
            user, name = 1, len(platform.bookings) + 100
            platform.bookings.append(booked(name, number, user))
            platform.rows.append(row(name, seats=number, user=user))
            platform.mailed["u1@x.test"] += 1
    platform.left = -seats
    return {"seats_oversold": seats}


FAULTS = [
    fault_lose_update, fault_leak, fault_forget_booking, fault_double_booking, fault_price, fault_no_mail,
    fault_mail_twice, fault_oversell,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.removeprefix("fault_"))
@settings(max_examples=40, deadline=None)
@given(tries=st.lists(attempts, max_size=10), size=st.integers(1, 5))
def test_each_fault_has_exactly_its_figure(fault: Any, tries: list[tuple[int, int, bool, bool]], size: int) -> None:  # noqa: ANN401 - one of the faults above
    """T19: one fault put into a correct platform trips its own figure by its own size, and no other."""
    certain = [(1, 1, True, True), *((user, seats, True, True) for user, seats, _, _ in tries)]
    platform = loaded(certain, 60)
    expected = fault(platform, size)

    assert figures(platform.audit()) == expected
