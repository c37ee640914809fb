"""The seeders on the real services."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from lab import dataset_file
from lab.errors import SeedError
from lab.model.dataset import SeedPlan
from lab.model.target import Target
from lab.stack.owned import running
from seeders import Progress, describes, refresh_tokens, seed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = SeedPlan(cities=12, airports=20, airplanes=7, flights=30, users=8)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Have a platform of its own for this module's tests; each of them seeds with another rng seed."""
    with running(tmp_path_factory.mktemp("stack"), timeout=60) as state:
        yield state.target()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a dataset file that is not there yet."""
    return tmp_path / "dataset.json"


def call(url: str, token: str = "", body: object = None) -> Any:  # noqa: ANN401 - JSON of any kind
    """Call the platform without the seeders' client, and give the answer's data."""
    assert url.startswith("http://127.0.0.1:")
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "x-access-token": token}
    with urlopen(Request(url, data, headers), timeout=20) as answer:  # noqa: S310 - loopback, as asserted
        return json.load(answer)["data"]


def test_what_is_seeded_can_be_booked(target: Target, path: Path) -> None:
    """Flights start with all their seats, in the plan's order, and a seeded user books one with the kept token."""
    dataset = seed(target, replace(PLAN, rng_seed=1), path)
    assert (len(dataset.flights), len(dataset.users)) == (30, 8)
    for flight in dataset.flights[::7]:
        row = call(f"{target.flights}/api/v1/flights/{flight.id}")
        assert (row["flightNumber"], row["totalSeats"], row["price"]) == (flight.number, flight.capacity, flight.price)
        assert row["departureAirportID"] != row["arrivalAirportId"]
    user, flight = dataset.users[3], dataset.flights[5]
    booked = call(
        f"{target.through_gateway('booking')}/api/v1/bookings",
        user.token,
        {"flightId": flight.id, "userId": user.id, "NoOfSeats": 2},
    )
    assert (booked["status"], booked["totalCost"]) == ("Booked", 2 * flight.price)
    assert dataset_file.load(path) == dataset
    assert describes(dataset, target)


def test_a_second_run_finds_everything_and_a_larger_one_adds(target: Target, path: Path) -> None:
    """Nothing is created twice, tokens are kept, and a larger plan begins with the smaller one."""
    plan = replace(PLAN, rng_seed=2)
    first = seed(target, plan, path)
    events: list[Progress] = []
    assert seed(target, plan, path, on_progress=events.append) == first
    assert sum(event.created for event in events) == 0
    more = seed(target, replace(plan, flights=33, users=9), path)
    assert more.flights[:30] == first.flights
    assert more.users[:8] == first.users
    path.unlink()
    again = seed(target, plan, path)
    assert dataset_file.digest(again) == dataset_file.digest(first)


def test_everything_can_go_through_the_gateway(target: Target, path: Path) -> None:
    """With nothing but the gateway's URL the same data comes into being."""
    plan = replace(PLAN, rng_seed=3)
    through = seed(Target(target.gateway), plan, path)
    assert describes(through, Target(target.gateway))
    direct = seed(target, plan, path)
    assert direct == through


def test_two_seeders_at_once_agree(target: Target, tmp_path: Path) -> None:
    """A race is settled by the platform's 409, and both get the same flights and the same users."""
    plan = replace(PLAN, rng_seed=4, flights=40)
    results = []

    def work(name: str) -> None:
        results.append(seed(target, plan, tmp_path / name))

    threads = [Thread(target=work, args=(name,)) for name in ("a.json", "b.json")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(results) == 2
    assert dataset_file.digest(results[0]) == dataset_file.digest(results[1])


def test_tokens_are_refreshed_for_those_who_need_one(target: Target, path: Path) -> None:
    """A token that the platform does not know any more is replaced by one that it takes."""
    first = seed(target, replace(PLAN, rng_seed=5), path)
    spoiled = replace(first, users=(replace(first.users[0], token="spoiled"), *first.users[1:]))
    fresh = refresh_tokens(spoiled, target, path, valid_for_s=600)
    assert call(f"{target.auth}/api/v1/isAuthenticated", fresh.users[0].token) == first.users[0].id
    assert fresh.users[1:] == first.users[1:]
    assert dataset_file.load(path) == fresh


class Relay:
    """A way to a server that can be cut and mended."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "", parts.port or 0)
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = False
        Thread(target=self._accept, daemon=True).start()

    def break_off(self) -> None:
        """Cut all connections, and each new one at once."""
        self.cut = True
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the relay."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_off()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            if self.cut:
                client.shutdown(socket.SHUT_RDWR)
                continue
            server = socket.create_connection(self._server)
            self._open.append(server)
            for source, sink in ((client, server), (server, client)):
                Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def relayed(target: Target, service: str) -> Iterator[tuple[Target, Relay]]:
    """Give a target of which one service is reached through a relay."""
    with ExitStack() as stack:
        relay = Relay(target.url(service))
        stack.callback(relay.close)
        yield replace(target, **{service: relay.url}), relay


@pytest.mark.parametrize(("service", "kind", "rng_seed"), [("flights", "flights", 6), ("auth", "users", 7)])
def test_a_service_that_disappears_is_resumed(
    target: Target, path: Path, service: str, kind: str, rng_seed: int
) -> None:
    """A service lost midway: the file keeps what was made, the error names the call, the next run does the rest."""
    plan = replace(PLAN, rng_seed=rng_seed)
    events: list[Progress] = []
    with relayed(target, service) as (fragile, relay):

        def cut(event: Progress) -> None:
            events.append(event)
            if event.kind == kind and event.done == 4:
                relay.break_off()

        with pytest.raises(SeedError, match=rf"{relay.url}.*kept in .*run the same command again"):
            seed(fragile, plan, path, on_progress=cut, workers=2)
        kept = dataset_file.load(path)
        assert not kept.complete
        assert len({"flights": kept.flights, "users": kept.users}[kind]) >= 4
        relay.cut = False
        whole = seed(fragile, plan, path)
    assert whole.complete
    assert set(kept.flights) <= set(whole.flights)
    assert set(kept.users) <= set(whole.users)
    assert describes(whole, target)
