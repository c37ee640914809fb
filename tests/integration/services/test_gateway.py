"""The gateway against the contract: who may pass, in whose name, and what comes back when nobody answers."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.integration.services.lone import free_port
from tests.integration.services.platform import API, unique, wait_until

if TYPE_CHECKING:
    from tests.integration.services.lone import Lone, Nursery
    from tests.integration.services.platform import Flight, Platform, User


@pytest.mark.parametrize("path", [f"flights{API}/flights", f"reminder{API}/tickets", f"bookingservice{API}/bookings"])
def test_a_token_is_needed(safe: Platform, user: User, path: str) -> None:
    """Without a token: 401, whatever the method and the body; with one the call goes through."""
    for method, body in (("GET", None), ("POST", {}), ("PATCH", {}), ("DELETE", None)):
        refused = safe.gateway.call(method, f"/{path}", body)
        assert (refused.status, "x-access-token" in refused.text) == (401, True), method
    assert safe.gateway.call("GET", f"/{path}", token=user.token).status == 200


def test_auth_needs_no_token(safe: Platform) -> None:
    """Signing up and in works through the gateway without a token, and with a bad one."""
    account = {"email": f"{unique('door')}@example.com", "password": unique("pw")}
    safe.secrets.add(account["password"])
    assert safe.gateway.call("POST", f"/auth{API}/signup", account).status == 201
    signed = safe.gateway.call("POST", f"/auth{API}/signin", account, token="bad")
    assert (signed.status, set(signed.data)) == (200, {"token", "id"})
    safe.secrets.add(signed.data["token"])


def test_nobody_books_in_anothers_name(safe: Platform, user: User, flight: Flight) -> None:
    """Another user's id is a 403 and takes no seats; so is an id of nobody."""
    other = safe.user()
    for name in (other.id, 2_147_483_647):
        body = {"flightId": flight.id, "userId": name, "NoOfSeats": 1}
        refused = safe.gateway.call("POST", f"/bookingservice{API}/bookings", body, token=user.token)
        assert (refused.status, "userId" in refused.text) == (403, True)
    assert (safe.left(flight), safe.bookings(flight)) == (flight.capacity, [])


def test_a_client_does_not_say_who_it_is(safe: Platform, flight: Flight) -> None:
    """`X-User-Id` and `X-User-Email` of a client are not believed: not for the name, not for the mail's address."""
    mine, other = safe.user(), safe.user()
    lies = [
        {"X-User-Id": str(other.id), "X-User-Email": other.email},
        {"x_user_id": str(other.id), "x_user_email": other.email},
        {"X-User-Id": "", "X-User-Email": ""},
        {"Connection": "x-user-id, x-user-email, x-access-token"},
    ]
    for lie in lies:
        body = {"flightId": flight.id, "userId": other.id, "NoOfSeats": 1}
        path = f"/bookingservice{API}/bookings"
        assert safe.gateway.call("POST", path, body, token=mine.token, headers=lie).status == 403, lie
        assert safe.book(flight, mine, 1, lie).status == 200, lie
    wait_until(lambda: len(safe.mails(mine.email)) == len(lies), "a mail for each booking")
    assert safe.mails(other.email) == []


def test_every_answer_has_a_request_id_of_its_own(safe: Platform, user: User) -> None:
    """The gateway makes an id for each request, also for those it refuses; a strange one is not taken over."""
    answers = [
        safe.gateway.call("GET", path, token=token)
        for path, token in (
            (f"/flights{API}/city", user.token),
            (f"/flights{API}/city", user.token),
            (f"/flights{API}/city", ""),
            ("/nothing/x", ""),
            ("/health", ""),
            (f"/flights{API}/city/0", user.token),
        )
    ]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == len(ids)
    for strange in ("z" * 5000, 'a"b{c}', "a b", "\xe9"):
        taken = safe.gateway.call("GET", f"/auth{API}/isAdmin", headers={"X-Request-ID": strange})
        assert taken.headers["X-Request-ID"] != strange


def test_the_request_id_is_in_every_services_log(as_found: Platform) -> None:
    """The id that the gateway returned stands in the log lines of each service that worked on the request."""
    user, flight = as_found.user(), as_found.flight()
    booked = as_found.book(flight, user)
    request = booked.headers["X-Request-ID"]
    for service in ("gateway", "auth", "booking", "flights"):

        def logged(service: str = service) -> bool:
            return any(line["request"] == request for line in as_found.log_lines(service))

        wait_until(logged, f"the request in the log of {service}")
    for service in as_found.services:
        for line in as_found.log_lines(service):
            assert {"time", "level", "service", "request", "event"} <= set(line)
            assert line["service"] == service


def test_unknown_prefixes(safe: Platform, user: User) -> None:
    """A prefix that leads nowhere is a 404 in JSON that names it, with or without a token."""
    for path in ("/nothing", "/nothing/api/v1/x", "/booking/api/v1/bookings", "/Flights/api/v1/city", "/a%2Fb/c"):
        for token in ("", user.token):
            assert safe.gateway.call("GET", path, token=token).status == 404, path
    refused = safe.gateway.call("GET", f"/{'nowhere-' * 600}/y")
    assert (refused.status, len(refused.message) < 500) == (404, True)


def test_a_path_stays_behind_its_prefix(safe: Platform, user: User) -> None:
    """Dots and encoded slashes lead to no other service, least of all past the token."""
    for path in (
        f"/auth/../flights{API}/city",
        f"/auth/%2e%2e/flights{API}/city",
        f"/auth/..%2fflights{API}/city",
        f"/auth/%2F%2F127.0.0.1{API}/city",
        f"/auth/@127.0.0.1{API}/city",
        f"/auth/http://127.0.0.1{API}/city",
    ):
        for token in ("", user.token):
            assert safe.gateway.call("GET", path, token=token).status in {401, 404}, path


def test_query_and_method_are_passed_on(safe: Platform, user: User, flight: Flight) -> None:
    """What stands behind the question mark arrives as it was sent, and HEAD and DELETE arrive as such."""
    path = f"/flights{API}/flights?departureAirportID={flight.values['departureAirportID']}&limit=1"
    assert [one["id"] for one in safe.gateway.call("GET", path, token=user.token).data] == [flight.id]
    head = safe.gateway.send("HEAD", f"/flights{API}/city", headers={"x-access-token": user.token})
    assert (head.status, head.data) == (200, b"")
    assert safe.gateway.call("DELETE", f"/flights{API}/flights/{flight.id}", token=user.token).status == 200


def test_chunked_bodies(safe: Platform, user: User) -> None:
    """A body without a length is taken like any other, and is a 413 past the limit."""

    def send(pieces: list[bytes]) -> int:
        headers = {"x-access-token": user.token, "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        answer = safe.gateway._pool.urlopen(  # noqa: SLF001 - a body of pieces is this test's alone
            "POST", f"/flights{API}/city", body=iter(pieces), headers=headers, chunked=True
        )
        return answer.status

    assert send([b'{"name": "', unique("city").encode(), b'"}']) == 201
    assert send([b'{"name": "'] + [b"x" * 100_000] * 100 + [b'"}']) == 413


def test_health_of_all(safe: Platform) -> None:
    """Every service of a stack that is up is ready, and says so in JSON."""
    for name, service in safe.services.items():
        assert service.call("GET", "/health").status == 200, name


def lone_gateway(nursery: Nursery, safe: Platform, **settings: str) -> Lone:
    """Start a gateway in front of the services of `safe`, but for what the settings say."""
    urls = {f"{name.upper()}_URL": safe.services[name].url for name in ("auth", "flights", "booking", "reminder")}
    return nursery.start("gateway", **{**urls, **settings})


def test_upstreams_that_are_away_or_slow(safe: Platform, user: User, nursery: Nursery) -> None:
    """Nobody listening, or a connection that is closed: 502. No answer in time: 504. All in JSON, with who it was."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = lone_gateway(
            nursery,
            safe,
            REMINDER_URL=f"http://127.0.0.1:{free_port()}",
            FLIGHTS_URL=f"http://127.0.0.1:{silent.getsockname()[1]}",
            UPSTREAM_TIMEOUT_S="0.4",
        ).service
        away = gateway.call("GET", f"/reminder{API}/tickets", token=user.token)
        slow = gateway.call("GET", f"/flights{API}/city", token=user.token)
        posted = gateway.call("POST", f"/flights{API}/city", {"name": "x"}, token=user.token)
        assert [(away.status, "reminder" in away.text), (slow.status, "flights" in slow.text)] == [
            (502, True),
            (504, True),
        ]
        assert posted.status == 504
        assert gateway.call("GET", f"/bookingservice{API}/info", token=user.token).status == 200
        health = gateway.call("GET", "/health")
        assert (health.status, "reminder" in health.text, "flights" in health.text) == (503, True, True)


def test_without_auth_nobody_passes(safe: Platform, user: User, nursery: Nursery) -> None:
    """When tokens cannot be checked the answer is a 502, not a pass and not a 500."""
    gateway = lone_gateway(nursery, safe, AUTH_URL=f"http://127.0.0.1:{free_port()}").service
    for token in (user.token, "bad"):
        assert gateway.call("GET", f"/flights{API}/city", token=token).status == 502
    assert gateway.call("GET", f"/flights{API}/city").status == 401


@pytest.mark.parametrize(("level", "statuses"), [("WARNING", {502}), ("", {200, 401, 502})])
def test_which_requests_are_logged(
    safe: Platform, user: User, nursery: Nursery, level: str, statuses: set[int]
) -> None:
    """What failed is always logged, with the request's id; everything is where LOG_LEVEL does not ask for less."""
    lone = lone_gateway(nursery, safe, REMINDER_URL=f"http://127.0.0.1:{free_port()}", LOG_LEVEL=level)
    answers = [
        lone.service.call("GET", path, token=token)
        for path, token in (
            (f"/flights{API}/city", user.token),
            (f"/flights{API}/city", ""),
            ("/reminder/x", user.token),
        )
    ]
    lone.stop()
    lines = [json.loads(line) for line in lone.log.read_text(encoding="utf-8").splitlines()]
    ours = {a.headers["X-Request-ID"] for a in answers}
    logged = {line["request"]: line["status"] for line in lines if line["event"] == "request"}
    assert {request: status for request, status in logged.items() if request in ours} == {
        a.headers["X-Request-ID"]: a.status for a in answers if a.status in statuses
    }


def test_the_rate_limit(safe: Platform, user: User, nursery: Nursery) -> None:
    """Past the limit of a minute: 429 in JSON with `Retry-After`, for every prefix, token or not."""
    gateway = lone_gateway(nursery, safe, RATE_LIMIT_PER_MINUTE="8").service
    answers = [gateway.call("GET", f"/flights{API}/city", token=user.token) for _ in range(30)]
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 429}
    # A minute may have ended in between, once: then the limit was granted twice.
    assert statuses.count(200) in {8, 16}
    limited = next(answer for answer in answers if answer.status == 429)
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert gateway.call("POST", f"/auth{API}/signin", {}).status in {429, 400}


def test_limits_are_configured(safe: Platform, user: User, nursery: Nursery) -> None:
    """A smaller limit for bodies holds at the gateway: just below passes, above is a 413."""
    gateway = lone_gateway(nursery, safe, MAX_BODY_BYTES="2000").service
    path = f"/flights{API}/city"
    assert gateway.call("POST", path, {"name": unique("city"), "x": "x" * 1800}, token=user.token).status == 201
    assert gateway.call("POST", path, {"name": unique("city"), "x": "x" * 2100}, token=user.token).status == 413
