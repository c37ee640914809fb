"""Let user classes do their iterations against a platform that is made up, and print what an average one did."""

from __future__ import annotations

from lab.engine.client import Data, LabContext  # isort: skip - first: Locust patches the interpreter

import io
import json
import random
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from locust.env import Environment

from lab.engine.lean import LeanUser
from lab.engine.ledger import Ledger
from lab.engine.recorder import Recorder
from lab.engine.userfile import load_user_classes
from lab.model.dataset import Dataset, Flight, Member, SeedPlan
from lab.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 20_000
USERS = 3


class Answer:
    """An answer of the made-up platform."""

    def __init__(self, status: int, data: object) -> None:
        self.status_code = status
        self._data = data

    def json(self) -> dict[str, object]:
        """Give the body."""
        return {"data": self._data}

    def success(self) -> None:
        """Be no failure."""

    def __enter__(self) -> Self:
        """Be judged by the caller."""
        return self

    def __exit__(self, *_: object) -> None:
        """Be judged."""


class Platform:
    """A client that answers at once, as the contract says, and counts."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._ids = count(1)
        self.requests: Counter[str] = Counter()
        self.seats = 0
        self.booked: Counter[object] = Counter()

    def post(self, url: str, *, json: dict[str, Any], context: dict[str, str], **_: object) -> Answer:
        """Sign up, sign in or book."""
        self.requests[context["operation"]] += 1
        if url.endswith("/signup"):
            return Answer(201, {"id": next(self._ids)})
        if url.endswith("/signin"):
            return Answer(200, {"token": "t", "id": 1})
        self.seats += json["NoOfSeats"]
        self.booked[json["flightId"]] += 1
        return Answer(200, {"id": next(self._ids), "status": "Booked", "NoOfSeats": json["NoOfSeats"]})

    def get(self, url: str, *, context: dict[str, str], **_: object) -> Answer:
        """Search, or ask for the health."""
        self.requests[context["operation"]] += 1
        query = dict(pair.split("=") for pair in url.partition("?")[2].split("&") if pair)
        return Answer(200, [row for row in self._rows() if _wanted(row, query)])

    def patch(self, url: str, *, context: dict[str, str], **_: object) -> Answer:
        """Cancel."""
        self.requests[context["operation"]] += 1
        return Answer(200, {"id": int(url.rpartition("/")[2]), "status": "Cancelled"})

    def _rows(self) -> Iterator[dict[str, Any]]:
        for flight in self._dataset.flights:
            yield {"id": flight.id, "price": flight.price, "departureAirportID": int(flight.id) % 5}


def _wanted(row: dict[str, Any], query: dict[str, str]) -> bool:
    airport = query.get("departureAirportID", str(row["departureAirportID"]))
    low, high = query.get("minPrice", "0"), query.get("maxPrice", "1000000")
    return str(row["departureAirportID"]) == airport and int(low) <= row["price"] <= int(high)


def routine(user_class: type[LeanUser], dataset: Dataset) -> dict[str, object]:
    """Do iterations with three users, and give the averages."""
    environment = Environment()
    platform = Platform(dataset)
    slept: list[float] = []
    recorder = Recorder(time.perf_counter)
    urls = [f"http://127.0.0.1:{port}" for port in range(1, 6)]
    environment.lab = LabContext(  # type: ignore[attr-defined]  # as the load process does
        Target(*urls), Data(dataset), Ledger(io.StringIO()), recorder, 1, count()
    )
    user_class.host = urls[0]
    users = [user_class(environment) for _ in range(USERS)]
    sys.modules[user_class.__module__].sleep = slept.append  # type: ignore[attr-defined]
    for user in users:
        user.client = platform  # type: ignore[assignment]
        user.on_start()
    for number in range(ROUNDS):
        user = users[number % USERS]
        random.choice(user.tasks)(user)  # type: ignore[operator]  # as Locust chooses
    (tick,) = recorder.close({}, everything=True)[-1:]
    checks = {dict(key.tags)["check"]: value for key, value in tick.rates.items() if key.metric == "checks"}
    return {
        "requests": {name: number / ROUNDS for name, number in platform.requests.items()},
        "checks": sorted(checks),
        "failed": sorted(name for name, (hits, total) in checks.items() if hits < total),
        "sleep": sum(slept) / ROUNDS,
        "think": sum(users[0].wait_time() for _ in range(ROUNDS)) / ROUNDS,
        "seats": platform.seats / ROUNDS,
        "flights": len(platform.booked),
    }


def main() -> None:
    """Print the routine of each class of a file."""
    random.seed(1)
    flights = tuple(Flight(number, f"AB{number}", 400, float(100 + number)) for number in range(1, 51))
    members = tuple(Member(number, f"u{number}@x.test", "secret", "t") for number in range(1, 51))
    dataset = Dataset("http://127.0.0.1:1", SeedPlan(), flights, members)
    found = {name: routine(_class(sys.argv[1], name), dataset) for name in sys.argv[2:]}
    print(json.dumps(found))  # noqa: T201 - what the test reads


def _class(file: str, name: str) -> type[LeanUser]:
    found = load_user_classes(Path(file), [name])[name]
    assert issubclass(found, LeanUser)
    return found


if __name__ == "__main__":
    main()
