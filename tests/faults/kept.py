"""What must hold after every fault: what was sold, who was notified, and what was said in the meantime."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from lab.model.threshold import INTEGRITY_METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.house import House
    from tests.faults.load import Answer, Ran

GENERATOR_GATES: Final = {"scheduling delay", "generator CPU"}
TIMEOUT_S: Final = 20.0
"""The gateway waits 5 s for auth, 5 s for booking, 5 s more when that connection broke; and this machine is busy."""
TOO_SLOW: Final = 504
"""What any request may be answered on a machine that is busy with other tests, with or without a fault."""
AWAY: Final = {502, 503, TOO_SLOW}
SHAPE: Final = {"data", "success", "message", "err"}
BATCH: Final = 10
"""So many mails the reminder hands over before it notes them."""


def assert_audit_is_clean(ran: Ran) -> None:
    """Believe the lab: its audit's figures, its thresholds, and that nothing but the test ended the run."""
    integrity = ran.run["integrity"]
    assert {figure: integrity[figure] for figure in INTEGRITY_METRICS} == dict.fromkeys(INTEGRITY_METRICS, 0), (
        integrity,
        ran.said,
    )
    assert integrity["flights_checked"] == 40
    assert integrity["bookings_accepted"] == sum(answer.ok for answer in ran.answers) > 0
    invalid = {gate["gate"] for gate in ran.run["verdict"]["findings"] if gate["level"] == "INVALID"}
    # A machine that is busy with other tests may measure badly; what was sold is counted, not timed.
    assert invalid <= GENERATOR_GATES, ran.run["verdict"]
    assert {result["outcome"] for result in ran.run["thresholds"]} == {"PASS"}, ran.run["thresholds"]
    assert (ran.code, ran.run["status"]) == (105, "stopped"), ran.run["verdict"]


def assert_each_is_notified(house: House, ran: Ran, *, twice: range) -> None:
    """Look for oneself: each booked one has one ticket and its mail; so many mails came twice."""
    answered = {answer.booking for answer in ran.answers if answer.ok}
    bookings = house.bookings()
    booked = {one["id"] for one in bookings if one["status"] == "Booked"}
    assert answered <= booked
    assert {one["status"] for one in bookings} <= {"Booked", "Cancelled"}
    tickets = house.tickets()
    assert Counter(one["subject"] for one in tickets) == Counter(f"Booking {number} is booked" for number in booked)
    assert {one["status"] for one in tickets} == {"SUCCESS"}
    mails = house.mail.mails()
    assert {name for name, _ in mails} == {f"<booking-{number}.ticket@airbourne.local>" for number in booked}
    assert len(mails) == len(booked), "a Message-ID went to two recipients"
    repeated = {name: number for name, number in mails.items() if number > 1}
    assert set(repeated.values()) <= {2}, repeated
    assert len(repeated) - house.repeated in twice, repeated
    house.repeated = len(repeated)


def assert_failures_were_told(ran: Ran) -> None:
    """Every attempt that failed was answered in time, as the contract says: 5xx, JSON of one shape, a sentence."""
    told = [(answer.status, answer.body[:300]) for answer in ran.failed if not _told(answer)]
    assert not told, told[:5]
    assert ran.run["totals"]["unfinished"] == 0
    assert ran.longest_s < TIMEOUT_S


def assert_users_noticed_nothing(answers: Iterable[Answer]) -> None:
    """No attempt may have failed, but where this machine was too slow."""
    noticed = [(answer.status, answer.body[:300]) for answer in answers if not answer.ok and answer.status != TOO_SLOW]
    assert not noticed, noticed[:5]


def assert_works_again(ran: Ran) -> None:
    """The last three seconds are as if nothing had been."""
    end = ran.answers[-1].answered
    last = [answer for answer in ran.answers if answer.answered > end - 3]
    assert_users_noticed_nothing(last)
    assert sum(answer.ok for answer in last) > 10


def _told(answer: Answer) -> bool:
    if answer.status not in AWAY:
        return False
    said = json.loads(answer.body)
    sentence = said["message"]
    return (
        set(said) == SHAPE
        and said["data"] == {}
        and said["success"] is False
        and bool(said["err"])
        and sentence[0].isupper()
        and sentence.endswith(".")
        and "Traceback" not in answer.body
    )
