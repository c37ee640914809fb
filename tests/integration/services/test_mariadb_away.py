"""Services whose MariaDB restarts, stops, hangs or is not there yet: a sentence in time, then on with the work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pymysql
import pytest

from tests.integration.services.messages import start_reminder
from tests.integration.services.platform import API, at_once, everything, unique, wait_until
from tests.real import MariaDB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.services.client import Answer
    from tests.integration.services.lone import Lone, Nursery
    from tests.integration.services.platform import Platform

TOGETHER = 8


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """Give a server of this module's own."""
    with MariaDB(tmp_path_factory.mktemp("away")) as made:
        yield made


@pytest.fixture
def server(running_server: MariaDB) -> Iterator[MariaDB]:
    """Give that server, which the test may stop and which runs again after it."""
    yield running_server
    running_server.kill()
    running_server.start()


def start(nursery: Nursery, server: MariaDB, name: str, **settings: str) -> Lone:
    """Start a service on the server."""
    return nursery.start(name, DATABASE_URL=server.url(unique(name)), **settings)


def make_city(flights: Lone) -> Answer:
    """Write something."""
    return flights.service.call("POST", f"{API}/city", {"name": unique("city")})


def calls(flights: Lone) -> list[Answer]:
    """Read and write, many times at once."""

    def call(index: int) -> Answer:
        return make_city(flights) if index % 2 else flights.service.call("GET", f"{API}/flights")

    return at_once(TOGETHER, call)


def told(answer: Answer) -> bool:
    """Tell whether an answer says what is the matter, and when to come again."""
    in_doubt = "database of flights broke off" in answer.message
    named = "database of flights does not answer" in answer.message or in_doubt
    return answer.status == 503 and named and "database" in answer.err and answer.headers.get("Retry-After") == "1"


def traces(lone: Lone) -> list[str]:
    """Give the lines of a log that hold a trace."""
    return [line for line in lone.said.splitlines() if "trace" in json.loads(line)]


def test_a_restart_between_two_requests_costs_none(nursery: Nursery, server: MariaDB) -> None:
    """Connections of before the restart are renewed before anybody's request uses them."""
    flights = start(nursery, server, "flights")
    assert {answer.status for answer in calls(flights)} == {200, 201}
    server.stop()
    server.start()
    assert {answer.status for answer in calls(flights)} == {200, 201}
    assert traces(flights) == []


def test_a_server_that_is_stopped_is_told_and_used_again(nursery: Nursery, server: MariaDB) -> None:
    """While the server is away every call is a 503 that names the database; afterwards the same process goes on."""
    flights = start(nursery, server, "flights")
    assert make_city(flights).status == 201
    server.stop()
    assert all(told(answer) for answer in (*calls(flights), *calls(flights)))
    health = flights.service.call("GET", "/health")
    assert (health.status, "database" in health.message) == (503, True)
    server.start()
    flights.wait_ready()
    assert {answer.status for answer in calls(flights)} == {200, 201}
    assert traces(flights) == []


def test_a_server_that_hangs_is_told_in_time(
    nursery: Nursery, server: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that says nothing is a 503 before the gateway's patience ends, which would make it a 504."""
    key = tmp_path_factory.mktemp("key") / "jwt.key"
    key.write_text("k" * 64, encoding="ascii")
    patience = {"UPSTREAM_TIMEOUT_S": "10"}
    auth = start(nursery, server, "auth", JWT_SECRET_FILE=str(key), **patience)
    urls = {f"{name}_URL": auth.service.url for name in ("AUTH", "FLIGHTS", "BOOKING", "REMINDER")}
    gateway = nursery.start("gateway", **urls, **patience)
    person = {"email": f"{unique('u')}@example.com", "password": "correct-horse"}
    assert gateway.service.call("POST", f"/auth{API}/signup", person).status == 201
    token = gateway.service.call("POST", f"/auth{API}/signin", person).data["token"]
    server.suspend()
    try:
        answers = at_once(
            TOGETHER,
            lambda index: (
                gateway.service.call("POST", f"/auth{API}/signin", person)
                if index % 2
                else gateway.service.call("GET", f"/flights{API}/flights", token=token)
            ),
        )
        health = gateway.service.call("GET", "/health").status
    finally:
        server.resume()
    assert {answer.status for answer in answers} == {503}
    assert all("database of auth does not answer" in answer.message for answer in answers)
    assert health == 503
    auth.wait_ready()
    assert gateway.service.call("POST", f"/auth{API}/signin", person).status == 200


def test_rows_that_others_keep_are_told(nursery: Nursery, server: MariaDB) -> None:
    """A change of a row that somebody else keeps locked is a 503 that says so, and no seat is taken."""
    url = server.url(unique("flights"))
    flights = nursery.start("flights", DATABASE_URL=url, UPSTREAM_TIMEOUT_S="8")
    made = make_city(flights)
    name = url.rpartition("/")[2].partition("?")[0]
    secret = server.password
    with pymysql.connect(host="127.0.0.1", port=server.port, user="root", password=secret, database=name) as holder:
        cursor = holder.cursor()
        cursor.execute("SELECT * FROM city WHERE id = %s FOR UPDATE", (made.data["id"],))
        change = flights.service.call("PATCH", f"{API}/city/{made.data['id']}", {"name": unique("city")})
        read = flights.service.call("GET", f"{API}/city/{made.data['id']}")
    assert (change.status, change.err) == (503, {"database": "busy"})
    assert (read.status, read.data) == (200, made.data)
    assert flights.service.call("PATCH", f"{API}/city/{made.data['id']}", {"name": unique("city")}).status == 200


def test_background_work_goes_on_when_the_server_is_back(nursery: Nursery, server: MariaDB, safe: Platform) -> None:
    """The mailer fails without a trace while the server is away, and mails what is due when it is back."""
    reminder = start_reminder(nursery, safe, server.url(unique("tickets")))
    email = f"{unique('back')}@example.com"
    server.stop()
    wait_until(lambda: "background task mailer" in reminder.said, "the mailer has failed")
    server.start()
    reminder.wait_ready()
    body = {"subject": "s", "content": "c", "recepientEmail": email}
    assert reminder.service.call("POST", f"{API}/tickets", body).status == 201
    wait_until(lambda: len(safe.mails(email)) == 1, "the mail")
    wait_until(lambda: everything(reminder.service, "tickets?")[0]["status"] == "SUCCESS", "its note")
    assert traces(reminder) == []


def test_a_service_waits_for_a_server_that_starts_later(nursery: Nursery, server: MariaDB) -> None:
    """Started before its server, a service says that it waits, and is ready soon after the server is."""
    flights = nursery.born("flights", DATABASE_URL=server.url(unique("flights")))
    server.stop()
    flights.launch()
    wait_until(lambda: "waiting for the database" in flights.said, "it waits")
    server.start()
    flights.wait_ready()
    assert make_city(flights).status == 201


def test_a_database_that_will_never_be_there_is_no_reason_to_wait(nursery: Nursery, server: MariaDB) -> None:
    """A password that is wrong ends the start at once, with a sentence that does not hold it."""
    url = server.url(unique("flights"))
    flights = nursery.born("flights", DATABASE_URL=url.replace(server.password, "not-the-password"))
    flights.launch()
    wait_until(lambda: flights.ending() is not None, "it ends")
    assert "flights cannot start: DATABASE_URL: the database cannot be opened" in flights.said
    assert "not-the-password" not in flights.said
