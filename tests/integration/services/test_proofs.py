"""T18 and T19 on real services: each fault is found by the lab's own audit, as what it is and nothing else.

T17 stands in no list of proofs. T18 on both backends, seen without the audit, is in `test_races.py`, T20 in
`test_where_time_goes.py`, and both on made-up platforms in `tests/unit/test_integrity.py`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any, Final

import pytest

from lab import audit
from lab.audit import Auditor
from lab.engine.ledger import Ledger
from lab.model import dataset
from lab.model.target import Target
from lab.model.threshold import INTEGRITY_METRICS
from lab.platform import Client
from tests.integration.services.between import between
from tests.integration.services.messages import start_reminder
from tests.integration.services.platform import API, at_once, settings_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.model.verdict import Integrity
    from tests.integration.services.client import Answer, Service
    from tests.integration.services.lone import Nursery
    from tests.integration.services.platform import Flight, Platform, User

AT_ONCE: Final = 20
SENT: Final = ["SUCCESS", "SUCCESS"]
CLEAN: Final = dict.fromkeys(INTEGRITY_METRICS, 0)


class Run:
    """A load of one user on one flight, of which a ledger is kept, between the two looks of the audit."""

    def __init__(self, folder: Path, platform: Platform, flight: Flight, **others: Service) -> None:
        self._user, self._flight = platform.user(), flight
        self._path = folder / "ledger.jsonl"
        self._file = self._path.open("a", encoding="utf-8")
        self._ledger = Ledger(self._file)
        self._booking = others.get("booking", platform.booking)
        urls = {name: others.get(name, service).url for name, service in platform.services.items()}
        self._client = Client(Target(**urls))
        sold = dataset.Flight(flight.id, str(flight.values["flightNumber"]), flight.capacity, flight.price)
        self._auditor = Auditor(self._client, [sold], Event(), platform.state.mail_path)
        self._before = self._auditor.before()

    @property
    def user(self) -> User:
        """Who books."""
        return self._user

    def book(self, seats: int = 1, key: str = "") -> tuple[int, str]:
        """Book under a key of its own or under a given one; gives the status and the key."""
        user, flight = self._user, self._flight
        with self._ledger.attempt(flight.id, user.id, user.email, seats) as attempt:
            attempt.key = key or attempt.key
            answer = self._ask(seats, attempt.key)
            attempt.settle(answer.status, answer.data)
        return answer.status, attempt.key

    def audit(self) -> Integrity:
        """Let the lab look again, and hold what it finds against the ledger."""
        self._file.close()
        with closing(self._client):
            return self._auditor.after(self._before, self._path)

    def close(self) -> None:
        """Close what is open."""
        self._file.close()
        self._client.close()

    def _ask(self, seats: int, key: str) -> Answer:
        body = {"flightId": self._flight.id, "userId": self._user.id, "NoOfSeats": seats}
        head = {"X-User-Id": str(self._user.id), "X-User-Email": self._user.email, "Idempotency-Key": key}
        return self._booking.call("POST", f"{API}/bookings", body, headers=head)


@pytest.fixture
def begin(tmp_path: Path, safe: Platform) -> Iterator[Callable[..., Run]]:
    """Give what begins a run on a flight."""
    begun: list[Run] = []

    def beginning(flight: Flight, **others: Service) -> Run:
        begun.append(Run(tmp_path, safe, flight, **others))
        return begun[-1]

    yield beginning
    for run in begun:
        run.close()


def figures(found: Integrity) -> dict[str, Any]:
    """Give what an audit counted; one that checked nothing found nothing."""
    assert found.checked, found.notes
    return {name: getattr(found, name) for name in INTEGRITY_METRICS}


def beside(platform: Platform) -> dict[str, str]:
    """Give the settings of a booking service beside the platform's own: with its database, and on its bus."""
    settings = settings_of(platform.state.pids["booking"])
    return {name: settings[name] for name in ("DATABASE_URL", "BUS_URL")}


def test_a_clean_build(safe: Platform, begin: Callable[..., Run]) -> None:
    """T19, T18: bookings at once, a refusal and a replayed key trip nothing where there is no fault."""
    run = begin(safe.flight(capacity=AT_ONCE + 1))
    booked = at_once(AT_ONCE, lambda _: run.book())
    assert {status for status, _ in booked} == {200}
    assert run.book(key=booked[0][1])[0] == 200
    assert run.book(seats=2)[0] == 409
    found = run.audit()
    assert figures(found) == CLEAN
    assert (found.bookings_accepted, found.notifications_found) == (AT_ONCE + 1, AT_ONCE)


def test_seats_that_are_read_then_written(safe: Platform, nursery: Nursery, begin: Callable[..., Run]) -> None:
    """T18: twenty one-seat bookings that all read before any writes have defect −19, and no other fault."""
    all_have_read = Barrier(AT_ONCE)

    def answered(method: str, path: str) -> None:
        if method == "GET" and path != "/health":
            all_have_read.wait(20)

    with between(safe.flights, answered) as url:
        booking = nursery.start("booking", PROFILE="as-found", FLIGHTS_URL=url, UPSTREAM_TIMEOUT_S="30", **beside(safe))
        run = begin(safe.flight(), booking=booking.service)
        assert {status for status, _ in at_once(AT_ONCE, lambda _: run.book())} == {200}
    found = run.audit()
    assert figures(found) == CLEAN | {"seats_lost": AT_ONCE - 1}
    assert [(one.defect, one.oversold) for one in found.defects] == [(1 - AT_ONCE, 0)]


def test_more_seats_than_there_are(safe: Platform, nursery: Nursery, begin: Callable[..., Run]) -> None:
    """T19: three seats beyond the last one are three oversold ones; the counter knows of each, so none is lost."""
    flights = nursery.start_mutant(
        "oversells", "flights", DATABASE_URL=settings_of(safe.state.pids["flights"])["DATABASE_URL"]
    )
    booking = nursery.start("booking", FLIGHTS_URL=flights.service.url, **beside(safe))
    run = begin(safe.flight(capacity=4), booking=booking.service)
    assert [run.book(seats)[0] for seats in (3, 2, 2)] == [200, 200, 200]
    assert figures(run.audit()) == CLEAN | {"seats_oversold": 3}


def test_a_key_that_books_twice(safe: Platform, nursery: Nursery, begin: Callable[..., Run]) -> None:
    """T19: where a replayed key is a booking of its own, that one is what nobody asked for."""
    booking = nursery.start_mutant("forgets_keys", "booking", FLIGHTS_URL=safe.flights.url, **beside(safe))
    run = begin(safe.flight(), booking=booking.service)
    _, key = run.book()
    assert [run.book()[0], run.book(key=key)[0]] == [200, 200]
    assert figures(run.audit()) == CLEAN | {"bookings_unexpected": 1}


@pytest.mark.parametrize(("profile", "missing"), [("as-found", 1), ("safe", 0)])
def test_a_kill_between_a_message_and_its_ticket(
    safe: Platform,
    nursery: Nursery,
    begin: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    *,
    profile: str,
    missing: int,
) -> None:
    """T19: killed before a ticket is stored, who acknowledged its message has one mail missing, who had not, none."""
    tickets = nursery.database("tickets")
    reminder = start_reminder(nursery, safe, tickets, profile)
    booking = nursery.start(
        "booking", DATABASE_URL=nursery.database("bookings"), BUS_URL=nursery.bus, FLIGHTS_URL=safe.flights.url
    )
    run = begin(safe.flight(), booking=booking.service, reminder=reminder.service)
    with locked(tickets):
        assert run.book()[0] == 200
        wait_until(lambda: figure(booking.service, "outboxDepth") == 0, "the bus has the message")
        wait_until(lambda: figure(reminder.service, "queueDepth") == 1 - missing, "the message is taken")
        reminder.kill()
    reminder.start()
    assert run.book()[0] == 200
    wait_until(
        lambda: [one["status"] for one in safe.tickets(run.user.email, reminder.service)] == SENT[missing:],
        "the mails of what is known",
    )
    if missing:
        monkeypatch.setattr(audit, "STALL_LIMIT_S", 0.0)  # what is not lost has come already
    assert figures(run.audit()) == CLEAN | {"notifications_missing": missing}


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Keep a file of a service for oneself: whoever writes to it waits."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


def figure(service: Service, name: str) -> int:
    """Give what a service tells of its work."""
    told: int = service.call("GET", "/figures").data[name]
    return told
