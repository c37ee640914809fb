"""The scenarios that ship, on the real platform: their users do their work, and the audit counts it rightly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from lab.model.threshold import INTEGRITY_METRICS

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
NOTHING_WRONG: Final = dict.fromkeys(INTEGRITY_METRICS, 0)
CLASSES: Final = ("Pinger", "Searcher", "MixedTraveller", "SessionBooker", "NaiveSpreadBooker")
GIVING_BACK: Final = '''
from locust import constant, task
from scenarios.traveller import PoolTraveller


class GivingBack(PoolTraveller):
    """Books, books, and cancels one of the two."""

    wait_time = constant(0.1)

    @task
    def change_of_mind(self):
        self.book_any()
        self.book_any()
        self.cancel_one()
'''

NAIVE: Final = '''
import random
from scenarios.users import NaiveBooker


class Fewest(random.Random):
    """Every number is the least that it may be."""

    def randint(self, a, b):
        return a


class Naive(NaiveBooker):
    """Books one seat, so that a flight sells out to the last one."""

    def on_start(self):
        self.rng = Fewest()
'''


def shrunk(folder: Path, name: str, flights: int, users: int, seats: int) -> str:
    """Copy a scenario that ships with less data; gives its path."""
    text = (SCENARIOS / f"{name}.toml").read_text(encoding="utf-8").partition("[data]")
    rest = text[2].partition("\n\n")[2]
    path = folder / f"{name}.toml"
    data = f"[data]\nflights = {flights}\nusers = {users}\nseats = [{seats}, {seats}]\n\n"
    path.write_text(text[0] + data + rest, encoding="utf-8")
    return str(path)


def figures(run: dict[str, Any]) -> dict[str, int]:
    """Give the audit's figures."""
    return {metric: run["integrity"][metric] for metric in INTEGRITY_METRICS}


def gates(run: dict[str, Any]) -> dict[str, str]:
    """Give the level of each gate."""
    return {finding["gate"]: finding["level"] for finding in run["verdict"]["findings"]}


@pytest.fixture(scope="module")
def seeded(standing: Lab) -> Lab:
    """The command line where a platform is up that has five flights and four users."""
    done = standing.run("seed", "--flights", "5", "--users", "4", "--capacity", "400:400", "--airplanes", "2")
    assert done.code == 0, done.err
    return standing


def test_the_last_seats_are_sold_once_and_refusals_are_right_answers(lab: Lab) -> None:
    """Thirty users on forty seats: forty are sold, the rest is refused, and none of that is held against the run."""
    path = shrunk(lab.folder, "contention", flights=1, users=5, seats=40)
    run = lab.run("run", "-s", path, "--stage", "0s:30", "--stage", "5s:30", "--profile", "safe", "--json").json

    assert figures(run) == NOTHING_WRONG
    assert run["integrity"]["seats_accepted"] == 40
    assert run["totals"]["ok"] > run["integrity"]["bookings_accepted"]
    assert (run["totals"]["failed"], run["totals"]["checks_failed"]) == (0, 0)
    assert (gates(run)["rows under test"], gates(run)["seats"]) == ("VALID", "VALID")


def test_the_same_crowd_oversells_the_platform_as_it_was_found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check passes and no request fails; only the audit sees it."""
    # The first version is slow enough to run into its time-outs where other tests use the machine.
    monkeypatch.setenv("UPSTREAM_TIMEOUT_S", "30")
    path = shrunk(lab.folder, "contention", flights=1, users=5, seats=40)
    ended = lab.run("run", "-s", path, "--stage", "0s:30", "--stage", "5s:30", "--profile", "as-found", "--json")

    assert ended.code == 99
    assert ended.json["integrity"]["seats_oversold"] > 0
    assert ended.json["totals"]["checks_failed"] == 0


def test_what_the_load_cancels_is_cancelled_and_not_missing(seeded: Lab) -> None:
    """Seats come back once; the audit takes the cancelled bookings for what they are."""
    (seeded.folder / "back.py").write_text(GIVING_BACK, encoding="utf-8")
    (seeded.folder / "back.toml").write_text(
        'executor = "constant-vus"\nexec = "GivingBack"\nusers = "back.py"\nvus = 3\nduration = "3s"\n'
        "[data]\nflights = 3\nusers = 3\n",
        encoding="utf-8",
    )
    run = seeded.run("run", "-s", "back.toml", "--json").json
    sold = run["integrity"]

    assert figures(run) == NOTHING_WRONG
    assert sold["bookings_withdrawn"] > 0
    assert sold["bookings_found"] == sold["bookings_accepted"]
    assert run["totals"]["ok"] == sold["bookings_accepted"] + sold["bookings_withdrawn"]
    assert run["totals"]["checks_failed"] == 0
    cancelled = f"({sold['bookings_withdrawn']} of them cancelled again)"
    assert cancelled in run["verdict"]["sentence"]


def test_every_class_does_its_work_on_the_platform(seeded: Lab) -> None:
    """No request fails, no check fails, nothing raises, and the audit is clean, with users of each class at work."""
    loads = [
        f'[scenarios.{name}]\nexecutor = "constant-vus"\nexec = "{name}"\nvus = 4\nduration = "5s"\n'
        for name in CLASSES
    ]
    worked = [f'"http_reqs{{scenario:{name}}}" = ["count>5"]\n' for name in CLASSES]
    text = "".join([*loads, "[data]\nflights = 5\nusers = 4\nseats = [400, 400]\n[thresholds]\n", *worked])
    (seeded.folder / "classes.toml").write_text(text, encoding="utf-8")
    run = seeded.run("run", "-s", "classes.toml", "--json").json
    totals = run["totals"]

    assert {result["outcome"] for result in run["thresholds"]} == {"PASS"}, run["thresholds"]
    assert (totals["failed"], totals["checks_failed"], totals["iteration_errors"]) == (0, 0, 0)
    assert figures(run) == NOTHING_WRONG


def test_lint_counts_the_seats_that_there_are(seeded: Lab) -> None:
    """On the platform that is up it knows the seats of its dataset, and says where they run out."""
    linted = seeded.run("lint", shrunk(seeded.folder, "load", 5, 4, 400), "--target", "local")
    assert linted.code == 1
    assert re.search(r"there are\s+2,000\s+\(5\s+flights\)", linted.out), linted.out


def test_the_naive_test_is_diagnosed_as_hashing_first_and_seats_second(seeded: Lab) -> None:
    """On a real run; where this machine was too busy to make load, that may be said before."""
    (seeded.folder / "naive.py").write_text(NAIVE, encoding="utf-8")
    (seeded.folder / "naive.toml").write_text(
        'executor = "constant-vus"\nexec = "Naive"\nusers = "naive.py"\nvus = 4\nduration = "5s"\n'
        "[data]\nflights = 1\nusers = 1\nseats = [2, 2]\n",
        encoding="utf-8",
    )
    run = seeded.run("run", "-s", "naive.toml", "--json").json
    found = seeded.run("diagnose", run["id"], "--json").json

    assert found["validity"] == "INVALID"
    assert [each["rule"] for each in found["findings"] if each["rule"] != "generator-bound"][:2] == [
        "password-hashing",
        "seats-ran-out",
    ]


def test_capacity_climbs_on_the_platform_and_writes_what_it_found(seeded: Lab) -> None:
    """One step says how fast it is, and claims no plateau and no peak; the audit of its run is clean."""
    path = shrunk(seeded.folder, "user-pool", 5, 4, 400)
    ended = seeded.run("capacity", "-s", path, "--steps", "4", "--hold", "6s", "--json")
    found = ended.json
    folder = seeded.folder / "runs" / found["run"]

    assert ended.code in {0, 98}, ended.err  # 98 where this machine was too busy to measure
    assert [step["users"] for step in found["steps"]] == [4]
    assert found["steps"][0]["rate"] > 0
    assert (found["plateau"], found["law"], found["peak"], found["full"]) == (None, None, None, [])
    assert found["thresholds"]
    assert figures(json.loads((folder / "run.json").read_text(encoding="utf-8"))) == NOTHING_WRONG
    assert json.loads((folder / "capacity.json").read_text(encoding="utf-8")) == found
    assert all((folder / name).stat().st_size > 10_000 for name in ("capacity.html", "report.html"))
