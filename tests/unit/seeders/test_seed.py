"""Seeding a platform: find what is there, create what is missing, and lose nothing on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import dataset_file
from lab.errors import CallError, ConfigError, SeedError
from lab.model.dataset import Dataset, SeedPlan
from lab.model.target import Target
from seeders import Progress, describes, refresh_tokens, seed

if TYPE_CHECKING:
    from tests.unit.seeders.conftest import Platform

ROOT = Path(__file__).parents[3]
PLAN = SeedPlan(cities=4, airports=6, airplanes=3, flights=8, users=10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a dataset file that is not there yet."""
    return tmp_path / "dataset.json"


def creations(platform: Platform) -> int:
    """Count what was created on the platform, users included."""
    return sum(len(rows) for rows in platform.rows.values()) + len(platform.users)


def test_an_empty_platform_is_filled(platform: Platform, path: Path) -> None:
    """All that was planned is there, the dataset tells it with the platform's ids, and the file holds the dataset."""
    dataset = seed(platform.target, PLAN, path)
    assert {kind: len(rows) for kind, rows in platform.rows.items()} == {
        "city": 4,
        "airports": 6,
        "airplane": 3,
        "flights": 8,
    }
    seats = {row["id"]: row["capacity"] for row in platform.rows["airplane"]}
    flights = {row["id"]: row for row in platform.rows["flights"]}
    assert len(dataset.flights) == 8
    for flight in dataset.flights:
        row = flights[flight.id]
        assert (flight.number, flight.price) == (row["flightNumber"], row["price"])
        assert flight.capacity == seats[row["airplaneId"]]
        assert row["departureTime"] < row["arrivalTime"]
    assert [platform.tokens[user.token] for user in dataset.users] == [user.id for user in dataset.users]
    assert {user.id for user in dataset.users} == {user["id"] for user in platform.users.values()}
    assert (dataset.cities, dataset.airports, dataset.airplanes) == (4, 6, 3)
    assert dataset.complete
    assert dataset.target == platform.url
    assert dataset_file.load(path) == dataset


def test_a_second_run_creates_nothing(platform: Platform, path: Path) -> None:
    """What is there is found, tokens are kept, and the dataset is the same."""
    first = seed(platform.target, PLAN, path)
    platform.calls.clear()
    events: list[Progress] = []
    assert seed(platform.target, PLAN, path, on_progress=events.append) == first
    assert not [call for call in platform.calls if call.startswith("POST")]
    last = {event.kind: event for event in events}
    assert all((event.done, event.created, event.found) == (event.total, 0, event.total) for event in last.values())
    assert set(last) == {"cities", "airports", "airplanes", "flights", "users"}


def test_a_larger_plan_creates_what_it_has_more(platform: Platform, path: Path) -> None:
    """Users and flights that were there keep their ids; only the rest is created."""
    first = seed(platform.target, PLAN, path)
    platform.calls.clear()
    more = seed(platform.target, replace(PLAN, flights=11, users=12), path)
    assert more.flights[:8] == first.flights
    assert more.users[:10] == first.users
    assert platform.calls["POST flights"] == 3
    assert platform.calls["POST signup"] == 2


def test_progress_is_told_in_the_callers_thread_and_adds_up(platform: Platform, path: Path) -> None:
    """Every kind begins at what was found and ends at its total, one step at a time."""
    platform.rows["city"] = [{"id": 1, "name": "London"}]
    events: list[Progress] = []
    seed(platform.target, PLAN, path, on_progress=events.append)
    cities = [event for event in events if event.kind == "cities"]
    assert [(event.done, event.created, event.found) for event in cities] == [
        (1, 0, 1),
        (2, 1, 1),
        (3, 2, 1),
        (4, 3, 1),
    ]
    users = [event for event in events if event.kind == "users"]
    assert [event.done for event in users] == list(range(11))
    assert users[-1] == Progress("users", 10, 10, created=10, found=0)


def test_without_the_file_users_are_signed_in_and_not_made_again(platform: Platform, path: Path) -> None:
    """A dataset file that was lost is made again from what is on the target."""
    first = seed(platform.target, PLAN, path)
    made = creations(platform)
    path.unlink()
    second = seed(platform.target, PLAN, path)
    assert [user.id for user in second.users] == [user.id for user in first.users]
    assert second.flights == first.flights
    assert creations(platform) == made


def test_equal_airplanes_are_as_many_as_planned(platform: Platform, path: Path) -> None:
    """Airplanes of one model and capacity are different airplanes, and a second run finds each of them."""
    plan = replace(PLAN, airplanes=20, capacity_min=5, capacity_max=5)
    seed(platform.target, plan, path)
    assert len(platform.rows["airplane"]) == 20
    seed(platform.target, plan, path)
    assert len(platform.rows["airplane"]) == 20


def test_a_platform_that_was_started_afresh_is_filled_again(platform: Platform, path: Path) -> None:
    """The file of an earlier life of the target is not believed: neither its ids nor its tokens."""
    seed(platform.target, PLAN, path)
    for rows in platform.rows.values():
        rows.clear()
    platform.users.clear()
    platform.tokens.clear()
    platform.rows["flights"].append({"id": 1, "flightNumber": "someone else's"})
    dataset = seed(platform.target, PLAN, path)
    assert {user.token for user in dataset.users} == set(platform.tokens)
    assert {flight.id for flight in dataset.flights} == set(range(2, 10))


def test_a_token_of_somebody_else_is_not_kept(platform: Platform, path: Path) -> None:
    """A token that the target takes, but for another user, is fetched again."""
    first = seed(platform.target, PLAN, path)
    platform.tokens[first.users[3].token] = 99
    second = seed(platform.target, PLAN, path)
    assert second.users[3].token != first.users[3].token
    assert [*second.users[:3], *second.users[4:]] == [*first.users[:3], *first.users[4:]]


def test_tokens_near_their_end_are_fetched_again(platform: Platform, path: Path) -> None:
    """A token that is good for less than half an hour is renewed by the next run."""
    first = seed(platform.target, PLAN, path)
    old = replace(first.users[0], token_expires=time.time() + 29 * 60)
    dataset_file.save(replace(first, users=(old, *first.users[1:])), path)
    second = seed(platform.target, PLAN, path)
    assert second.users[0].token != old.token
    assert second.users[1:] == first.users[1:]


def test_what_appears_between_look_and_call_counts_as_found(platform: Platform, path: Path) -> None:
    """A 409 in a race means that it is there: its id comes from a second look."""
    answer = {"Paris": 77}

    def race(method: str, path: str, _before: int) -> None:
        if method == "POST" and path == "city" and answer:
            platform.rows["city"].append({"id": answer.pop("Paris"), "name": "Paris"})

    platform.misbehave = race
    events: list[Progress] = []
    dataset = seed(platform.target, PLAN, path, on_progress=events.append)
    assert dataset.complete
    assert [row["id"] for row in platform.rows["city"] if row["name"] == "Paris"] == [77]
    assert Progress("cities", 4, 4, created=3, found=1) in events
    assert 77 in {row["cityId"] for row in platform.rows["airports"]}


def test_what_is_taken_and_not_listed_is_an_error(platform: Platform, path: Path) -> None:
    """A target that contradicts itself is told so, instead of a dataset with holes."""
    platform.misbehave = lambda method, path, _before: (
        platform.refusal(409, "taken") if (method, path) == ("POST", "airports") else None
    )
    with pytest.raises(SeedError, match=r"/airports: the target calls .* taken, and does not list it"):
        seed(platform.target, PLAN, path)


def test_a_user_with_another_password_is_an_error_with_a_way_out(platform: Platform, path: Path) -> None:
    """An e-mail that somebody else signed up names itself, and another seed is the remedy."""
    platform.users["traveller-0001.s1@airbourne.test"] = {"id": 1, "password": "another"}
    with pytest.raises(SeedError, match=r"user traveller-0001\.s1@airbourne\.test: .* another --rng-seed"):
        seed(platform.target, PLAN, path)
    assert not path.exists()


@pytest.mark.parametrize("users", [0, 10])
def test_services_behind_a_gateway_are_called_with_a_token(platform: Platform, path: Path, users: int) -> None:
    """With nothing but a gateway's URL the first user signs in first; without users, one is signed up for it."""
    platform.needs_token = True
    dataset = seed(Target(platform.url), replace(PLAN, users=users), path)
    assert dataset.complete
    assert len(dataset.users) == users
    assert len(platform.users) == max(users, 1)
    assert len(platform.rows["flights"]) == 8


@pytest.mark.parametrize("last", range(0, 44, 3))
def test_a_target_that_refuses_midway_is_resumed(platform: Platform, path: Path, last: int) -> None:
    """Wherever it stops: the file keeps what was made, the error says how to go on, and going on completes it."""
    platform.misbehave = lambda _method, _path, before: (
        platform.refusal(500, "out of order") if before >= last else None
    )
    with pytest.raises(SeedError) as caught:
        seed(platform.target, PLAN, path, workers=3)
    assert "500 Internal Server Error: out of order; " in str(caught.value)
    assert str(caught.value).endswith("run the same command again: it creates only what is missing")
    if path.exists():
        kept = dataset_file.load(path)
        assert not kept.complete
        assert {flight.number for flight in kept.flights} == {row["flightNumber"] for row in platform.rows["flights"]}
        assert {user.token for user in kept.users} == set(platform.tokens)
        assert f"kept in {path}" in str(caught.value)
    else:
        assert not platform.tokens
    platform.misbehave = lambda *_: None
    whole = seed(platform.target, PLAN, path)
    assert whole.complete
    assert creations(platform) == 4 + 6 + 3 + 8 + 10
    assert len({user.id for user in whole.users}) == 10
    assert {user.token for user in whole.users} == set(platform.tokens)


@pytest.mark.parametrize("calls", [0, 1, 4, 9, 12])
def test_a_target_that_is_gone_leaves_a_complete_file_alone(platform: Platform, path: Path, calls: int) -> None:
    """A second run against a target that soon refuses does not spoil what the first run wrote."""
    seed(platform.target, PLAN, path)
    before = path.read_bytes()
    platform.calls.clear()
    platform.misbehave = lambda _method, _path, before: platform.refusal(500, "down") if before >= calls else None
    with pytest.raises(SeedError, match=r"down; run the same command again"):
        seed(platform.target, PLAN, path)
    assert path.read_bytes() == before


def test_a_target_that_dies_while_users_are_made_is_given_up_soon(platform: Platform, path: Path) -> None:
    """After the first failure nothing new is asked for: of many users, only those under way are tried."""
    platform.misbehave = lambda _method, path, _before: (
        platform.refusal(500, "gone") if path == "signup" and len(platform.users) >= 5 else None
    )
    with pytest.raises(SeedError):
        seed(platform.target, replace(PLAN, users=500), path, workers=4)
    assert platform.calls["POST signup"] <= 5 + 4
    assert len(dataset_file.load(path).users) == 5


def test_an_interrupt_keeps_what_was_made(platform: Platform, path: Path) -> None:
    """Ctrl-C goes on to the caller, after the file was written."""

    def interrupt(event: Progress) -> None:
        if event.kind == "flights" and event.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed(platform.target, PLAN, path, on_progress=interrupt)
    kept = dataset_file.load(path)
    assert not kept.complete
    assert (kept.cities, kept.airports, kept.airplanes) == (4, 6, 3)
    assert 5 <= len(kept.flights) <= len(platform.rows["flights"])
    assert seed(platform.target, PLAN, path).complete
    assert len(platform.rows["flights"]) == 8


def test_ctrl_c_ends_a_seeding_process_at_once(platform: Platform, path: Path) -> None:
    """A process that is interrupted while the target asks it to wait a minute ends, and its file is there."""
    platform.misbehave = lambda _method, path, _before: (
        platform.reply(429, {}, {"Retry-After": "55"}) if path == "signup" and len(platform.users) >= 3 else None
    )
    script = (
        "import sys; from pathlib import Path; from lab.model.dataset import SeedPlan; "
        "from lab.model.target import Target; from seeders import seed; "
        "seed(Target(sys.argv[1], *sys.argv[1:2] * 4), SeedPlan(flights=2, users=50), Path(sys.argv[2]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, platform.url, str(path)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + 30
        # Three that succeeded, and then one in each of the eight workers: so all three are done.
        while platform.calls["POST signup"] < 3 + 8 and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
    assert "KeyboardInterrupt" in told
    assert process.returncode in {-signal.SIGINT, 130}
    assert len(dataset_file.load(path).users) == 3


def test_a_file_that_is_no_dataset_is_put_aside(platform: Platform, path: Path) -> None:
    """A mistyped path does not cost the user another file."""
    path.write_text('{"name": "precious"}')
    seed(platform.target, PLAN, path)
    assert dataset_file.load(path).complete
    assert json.loads(path.with_name("dataset.json.old").read_text()) == {"name": "precious"}


def test_a_file_of_another_target_is_not_mixed_in(platform: Platform, path: Path) -> None:
    """Users of another deployment are not taken for users of this one."""
    first = seed(platform.target, PLAN, path)
    dataset_file.save(replace(first, target="http://127.0.0.1:1"), path)
    second = seed(platform.target, PLAN, path)
    assert {user.token for user in second.users}.isdisjoint(user.token for user in first.users)


def test_a_plan_that_cannot_be_met_calls_nobody(platform: Platform, path: Path) -> None:
    """The numbers are checked before the first call."""
    with pytest.raises(ConfigError, match="--flights 0"):
        seed(platform.target, replace(PLAN, flights=0), path)
    assert platform.calls.total() == 0


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"airplaneId": 999}, "airplane/999 answered 404"),
        ({"airplaneId": [1]}, r"its airplane is \[1\], and no id"),
        ({"price": "cheap"}, "its price is 'cheap', and no number"),
        ({"id": None}, "no id that is a number or a text"),
    ],
)
def test_a_flight_that_makes_no_sense_is_told(
    platform: Platform, path: Path, row: dict[str, object], sentence: str
) -> None:
    """A flight on the target without a known airplane or with a price that is none stops the seeding."""
    seed(platform.target, PLAN, path)
    platform.rows["flights"][2].update(row)
    with pytest.raises(SeedError, match=sentence):
        seed(platform.target, PLAN, path)


def test_only_tokens_that_do_not_last_are_refreshed(platform: Platform, path: Path) -> None:
    """Before a run, the users that it needs get tokens for its whole length, and the others are left alone."""
    first = seed(platform.target, PLAN, path)
    stale = [replace(user, token_expires=time.time() + 60) for user in first.users]
    mixed = replace(first, users=(*stale[:2], *first.users[2:4], *stale[4:]))
    platform.calls.clear()
    events: list[Progress] = []
    fresh = refresh_tokens(mixed, platform.target, path, valid_for_s=600, count=5, on_progress=events.append)
    assert [new.token == old.token for new, old in zip(fresh.users, mixed.users, strict=True)] == [
        *(False, False, True, True, False),
        *(True,) * 5,
    ]
    assert platform.calls["POST signin"] == 3
    assert platform.calls["POST signup"] == 0
    assert events[-1] == Progress("tokens", 5, 5, created=3, found=2)
    assert dataset_file.load(path) == fresh


def test_tokens_that_last_cost_no_sign_in_and_no_write(platform: Platform, path: Path) -> None:
    """A refresh with nothing to do leaves dataset and file as they are."""
    first = seed(platform.target, PLAN, path)
    path.unlink()
    assert refresh_tokens(first, platform.target, path, valid_for_s=600) == first
    assert not path.exists()


def test_a_refresh_on_a_target_without_the_users_says_to_seed(platform: Platform, path: Path) -> None:
    """A dataset of an earlier life of the target is found out before the load begins."""
    first = seed(platform.target, PLAN, path)
    platform.users.clear()
    platform.tokens.clear()
    with pytest.raises(SeedError, match=r"no such user with our password; .* fill it again with `airbourne-lab seed`"):
        refresh_tokens(first, platform.target, path, valid_for_s=600)


def test_a_dataset_describes_its_target_until_that_is_another(platform: Platform, path: Path) -> None:
    """Flights that are gone, or whose id is another flight's, show that the dataset is of an earlier life."""
    dataset = seed(platform.target, PLAN, path)
    assert describes(dataset, platform.target)
    platform.needs_token = True
    assert describes(dataset, Target(platform.url))
    platform.rows["flights"][3]["flightNumber"] = "another"
    assert not describes(dataset, platform.target)
    platform.rows["flights"].clear()
    assert not describes(dataset, platform.target)
    platform.misbehave = lambda *_: platform.refusal(500, "down")
    with pytest.raises(CallError, match="down"):
        describes(dataset, platform.target)


def test_importing_the_seeders_stays_cheap() -> None:
    """The command line's help needs neither the HTTP client nor the airports nor Rich."""
    code = "import sys, seeders; print([m for m in ('urllib3', 'airportsdata', 'rich') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_dataset_counts_its_seats(platform: Platform, path: Path) -> None:
    """The seats of a dataset are those of its flights' airplanes."""
    dataset: Dataset = seed(platform.target, PLAN, path)
    assert dataset.seats == sum(flight.capacity for flight in dataset.flights) > 8 * 400
