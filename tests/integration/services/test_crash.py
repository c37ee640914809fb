"""Services that hang or are killed in the middle: nothing that was answered `Booked` is lost, and no seat."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import TYPE_CHECKING

import psutil
from urllib3.exceptions import HTTPError

from tests.integration.services.messages import message, publish, start_reminder
from tests.integration.services.platform import (
    API,
    BOTH,
    PATIENCE_S,
    at_once,
    everything,
    settings_of,
    unique,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.services.client import Answer, Service
    from tests.integration.services.lone import Nursery
    from tests.integration.services.platform import Flight, Platform

BACKENDS = BOTH
CLIENTS = 6
TOP = {"PROFILE": "scaled", "WORKERS": "2"}


class Load:
    """Clients that book one seat after another until they are told to stop, each booking under a key of its own."""

    def __init__(self, book: Callable[[str], Answer]) -> None:
        self._book = book
        self._stop = Event()
        self._lock = Lock()
        self.statuses: Counter[int] = Counter()
        self.booked: dict[str, int] = {}
        self.unknown: list[str] = []

    def client(self) -> None:
        """Book until the end."""
        while not self._stop.is_set():
            key = unique("key")
            try:
                answer = self._book(key)
            except HTTPError:
                with self._lock:
                    self.statuses[0] += 1
                    self.unknown.append(key)
                self._stop.wait(0.05)
                continue
            with self._lock:
                self.statuses[answer.status] += 1
                if answer.status == 200:
                    self.booked[key] = answer.data["id"]
                    continue
                self.unknown.append(key)
            self._stop.wait(0.05)

    def stop(self) -> None:
        """Let every client end after the booking that it is at."""
        self._stop.set()


def in_process(platform: Platform, flight: Flight, booking: Service | None = None) -> int:
    """Count the bookings of a flight that are not settled."""
    return sum(one["status"] == "InProcess" for one in platform.bookings(flight, booking))


def test_flights_hangs(impatient: Platform) -> None:
    """While flights hangs, bookings are a 503 and reads a 504; once it goes on, every booking is settled."""
    platform, user, flight = impatient, impatient.user(), impatient.flight(capacity=10_000)
    load = Load(lambda key: platform.book(flight, user, 1, {"Idempotency-Key": key}))
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.client) for _ in range(CLIENTS)]
        try:
            wait_until(lambda: load.statuses[200] >= 10, "bookings before flights hangs")
            os.killpg(platform.state.pids["flights"], signal.SIGSTOP)
            try:
                wait_until(lambda: load.statuses[503] >= CLIENTS, "each client is told 503")
                slow = platform.gateway.call("GET", f"/flights{API}/flights/{flight.id}", token=user.token)
                assert (slow.status, "flights" in slow.text) == (504, True)
                assert [platform.services[name].call("GET", "/health").status for name in ("gateway", "booking")] == [
                    503,
                    503,
                ]
                assert platform.auth.call("GET", "/health").status == 200
            finally:
                os.killpg(platform.state.pids["flights"], signal.SIGCONT)
            before = load.statuses[200]
            wait_until(lambda: load.statuses[200] >= before + 10, "bookings after it goes on")
        finally:
            load.stop()
        for client in clients:
            client.result()
    # On a machine that is starved the gateway may lose its patience before booking does.
    assert set(load.statuses) <= {200, 503, 504}
    wait_until(lambda: in_process(platform, flight) == 0, "every booking is settled")
    wait_until(lambda: platform.defect(flight) == 0, "capacity is what is left and what is booked")
    booked = {one["id"] for one in platform.bookings(flight) if one["status"] == "Booked"}
    assert set(load.booked.values()) == booked
    again = [platform.book(flight, user, 1, {"Idempotency-Key": key}) for key in load.unknown[:3]]
    assert [(answer.status, answer.data["status"]) for answer in again] == [(200, "Booked")] * len(again)
    wait_until(lambda: platform.gateway.call("GET", "/health").status == 200, "the platform is ready again")


def test_booking_and_flights_are_killed(safe: Platform, nursery: Nursery) -> None:
    """Killed under load and started again, they keep what was answered, free the rest, and each is notified once."""
    reminder = start_reminder(nursery, safe)
    # One backend sees the first rung that promises this, the other the last one, with several processes.
    rung = TOP if safe.state.backend == "embedded" else {}
    flights = nursery.start("flights", DATABASE_URL=settings_of(safe.state.pids["flights"])["DATABASE_URL"], **rung)
    booking = nursery.start(
        "booking",
        DATABASE_URL=nursery.database("bookings"),
        BUS_URL=nursery.bus,
        FLIGHTS_URL=flights.service.url,
        UPSTREAM_TIMEOUT_S="1",
        **rung,
    )
    user, flight = safe.user(), safe.flight(capacity=100_000)
    body = {"flightId": flight.id, "userId": user.id, "NoOfSeats": 2}
    named = {"X-User-Id": str(user.id), "X-User-Email": user.email}

    def book(key: str) -> Answer:
        return booking.service.call("POST", f"{API}/bookings", body, headers={**named, "Idempotency-Key": key})

    load = Load(book)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.client) for _ in range(CLIENTS)]
        try:
            for victim in (booking, flights):
                before = load.statuses[200]
                wait_until(lambda: load.statuses[200] >= before + 30, "bookings")  # noqa: B023 - called at once
                victim.kill()
                victim.start()
            before = load.statuses[200]
            wait_until(lambda: load.statuses[200] >= before + 10, "bookings after the last start")
        finally:
            load.stop()
        for client in clients:
            client.result()
    wait_until(lambda: in_process(safe, flight, booking.service) == 0, "every booking is settled")
    wait_until(lambda: safe.defect(flight, booking.service) == 0, "no seat is lost or sold twice")
    booked = {one["id"] for one in safe.bookings(flight, booking.service) if one["status"] == "Booked"}
    assert set(load.booked.values()) <= booked
    assert len(booked) <= len(load.booked) + len(load.unknown)
    wait_until(lambda: len(safe.mails(user.email)) >= len(booked), "every mail")
    subjects = Counter(mail["subject"] for mail in safe.mails(user.email))
    assert (len(subjects), set(subjects.values())) == (len(booked), {1})
    assert len(safe.tickets(user.email, reminder.service)) == len(booked)


def test_one_process_of_a_service_is_killed(nursery: Nursery) -> None:
    """The others end with it: what is left would do no background work, and nobody would start it again."""
    booking = nursery.start(
        "booking",
        DATABASE_URL=nursery.database("bookings"),
        BUS_URL=nursery.bus,
        FLIGHTS_URL="http://127.0.0.1:1",
        **TOP,
    )
    [first, *others] = psutil.Process(booking.pid).children()
    assert others
    first.kill()
    wait_until(lambda: booking.ending() is not None, "the service ends")
    assert not psutil.wait_procs(others, PATIENCE_S)[1]


def test_a_key_whose_answer_was_lost(safe: Platform, nursery: Nursery) -> None:
    """Who tries again after a kill, with the same key, has one booking, whether or not the first one was made."""
    booking = nursery.start(
        "booking",
        DATABASE_URL=nursery.database("bookings"),
        BUS_URL=nursery.bus,
        FLIGHTS_URL=safe.flights.url,
        UPSTREAM_TIMEOUT_S="1",
    )
    flight, keys = safe.flight(capacity=1000), [unique("key") for _ in range(40)]
    body = {"flightId": flight.id, "userId": 1, "NoOfSeats": 1}

    def book(key: str) -> int:
        try:
            made = booking.service.call("POST", f"{API}/bookings", body, headers={"Idempotency-Key": key})
        except HTTPError:
            return 0
        return int(made.data["id"]) if made.status == 200 else 0

    def first(index: int) -> int:
        if index == 0:
            wait_until(lambda: safe.left(flight) < flight.capacity - 8, "some bookings")
            booking.kill()
            return 0
        return max(book(key) for key in keys[index - 1 :: 8])

    at_once(9, first)
    booking.start()
    ids: dict[str, int] = {}

    def again() -> bool:
        ids.update({key: made for key in keys if key not in ids and (made := book(key))})
        return len(ids) == len(keys)

    wait_until(again, "every key has its booking")
    assert {key: book(key) for key in keys} == ids
    assert len(set(ids.values())) == len(keys)
    wait_until(lambda: safe.defect(flight, booking.service) == 0, "capacity is what is left and what is booked")
    assert safe.left(flight) == flight.capacity - len(keys)


def test_the_reminder_is_killed(safe: Platform, nursery: Nursery) -> None:
    """Killed in the middle of its queue and started again, the reminder loses no mail and makes no ticket twice."""
    reminder = start_reminder(nursery, safe)
    email, number = f"{unique('drain')}@example.com", 600
    publish(nursery.bus, [message(email, unique("m"), subject=f"mail {index}") for index in range(number)])
    for share in (0.1, 0.5):
        wait_until(lambda: len(safe.mails(email)) >= share * number, "some mails")  # noqa: B023 - called at once
        reminder.kill()
        reminder.start()

    def all_sent() -> bool:
        tickets = everything(reminder.service, "tickets?")
        return len(tickets) == number and {one["status"] for one in tickets} == {"SUCCESS"}

    wait_until(all_sent, "every ticket is a success")
    subjects = Counter(ticket["subject"] for ticket in everything(reminder.service, "tickets?"))
    assert set(subjects.values()) == {1}
    copies: dict[str, set[str]] = {}
    for mail in safe.mails(email):
        copies.setdefault(mail["subject"], set()).add(mail["message_id"])
    assert set(copies) == set(subjects)
    assert {len(ids) for ids in copies.values()} == {1}, "a mail that is sent again has the same Message-ID"


def test_the_reminder_is_killed_while_it_takes_messages(safe: Platform, nursery: Nursery) -> None:
    """Killed between taking messages and acknowledging them, the reminder takes each again, and stores each once."""
    reminder = start_reminder(nursery, safe)
    email, number, later = f"{unique('intake')}@example.com", 8000, "2199-01-01T00:00:00Z"
    subjects = [f"ticket {index}" for index in range(number)]
    bodies = [message(email, unique("m"), subject=subject, notificationTime=later) for subject in subjects]
    publish(nursery.bus, bodies)
    for stored in (500, 2500, 4500):
        last = f"{API}/tickets?limit=1&offset={stored}"
        wait_until(lambda: bool(reminder.service.call("GET", last).data), "some tickets")  # noqa: B023 - called at once
        reminder.kill()
        reminder.start()
    last_of_all = f"{API}/tickets?limit=1&offset={number - 1}"
    wait_until(lambda: bool(reminder.service.call("GET", last_of_all).data), "every message became a ticket")
    assert sorted(one["subject"] for one in everything(reminder.service, "tickets?")) == sorted(subjects)


def test_settings_are_those_of_the_plan(safe: Platform) -> None:
    """What the tests above rely on: a running service's environment names its own database and bus."""
    settings = settings_of(safe.state.pids["booking"])
    assert settings["BUS_URL"] == safe.bus
    own = {"embedded": safe.layout.database("booking"), "services": "mysql+pymysql://booking:"}
    assert settings["DATABASE_URL"].startswith(own[safe.state.backend])
