"""Who may work for a master, and with which part of the data."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.roster import Hello, Roster, digest

if TYPE_CHECKING:
    from pathlib import Path

PARTS = """
import json, sys
from lab.engine.muster import part_of
from lab.model.dataset import Dataset, Flight, Member, SeedPlan
users, among = int(sys.argv[1]), int(sys.argv[2])
data = Dataset("t", SeedPlan(), (Flight(1, "a", 5, 1.0),), tuple(Member(n, "", "") for n in range(users)))
parts = [part_of(data, place, among) for place in range(among)]
print(json.dumps([[[user.id for user in part.users], len(part.flights)] for part in parts]))
"""


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A users file."""
    path = tmp_path / "users.py"
    path.write_text("class Booker: pass\n")
    return path


def hello(file: Path, **changes: Any) -> dict[str, object]:
    """Make up a worker's hello."""
    return Hello("1.0", "far", digest(file)).to_wire() | changes


def test_a_worker_of_the_same_lab_and_users_file_is_taken(users: Path) -> None:
    """Up to the number that is expected; the next one is told that there are enough."""
    roster = Roster(2, users, "1.0")

    assert [roster.hear(client, hello(users)) for client in ("a", "b")] == ["", ""]
    assert roster.hear("c", hello(users)) == "the run has its 2 workers already"
    assert len(roster) == 2
    assert roster.refusals == ["the run has its 2 workers already"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lab": "0.9"}, "it is of airbourne-lab 0.9, and the master of 1.0"),
        ({"protocol": 2}, "install the same on both"),
        ({"users": "0" * 64}, "its users file is not the master's users.py: copy that file to far"),
        ({"users": "none"}, "--users-file"),
        ({"host": "far\x1b[2J"}, "install the same on both"),
        ({"host": 7}, "install the same on both"),
        ({"child": "x"}, "install the same on both"),
        ({"more": 1}, "install the same on both"),
    ],
)
def test_another_is_refused_with_a_sentence(users: Path, changes: dict[str, Any], expected: str) -> None:
    """Another version, another users file, or a hello that is none."""
    roster = Roster(2, users, "1.0")

    assert expected in roster.hear("a", hello(users, **changes))
    assert len(roster) == 0


@pytest.mark.parametrize("data", [None, 5, "hello", [1], {}])
def test_what_is_no_hello_is_refused(users: Path, data: object) -> None:
    """Whatever somebody sends."""
    assert "install the same" in Roster(2, users, "1.0").hear("a", data)


def test_places_are_given_the_same_way_every_time(users: Path) -> None:
    """The master's own children come first, by their number; then the others by machine; then nobody."""
    roster = Roster(4, users, "1.0")
    came: dict[str, dict[str, Any]] = {"d": {"host": "b"}, "c": {"host": "a"}, "x": {"child": 1}, "y": {"child": 0}}
    for client, changes in came.items():
        roster.hear(client, hello(users, **changes))
    roster.close()

    assert [(peer.client, peer.name) for peer in roster] == [
        ("y", "worker 1"),
        ("x", "worker 2"),
        ("c", "worker 3 on a"),
        ("d", "worker 4 on b"),
    ]
    assert roster.hear("z", hello(users)) != ""


@pytest.mark.parametrize(
    ("count", "among", "expected"),
    [
        (7, 3, [[0, 3, 6], [1, 4], [2, 5]]),
        (3, 3, [[0], [1], [2]]),
        (2, 3, [[0], [1], [0]]),
        (0, 2, [[], []]),
    ],
)
def test_users_are_shared_out(count: int, among: int, expected: list[list[int]]) -> None:
    """No two processes have one user, unless there are fewer users than processes; flights are for all."""
    done = subprocess.run(
        [sys.executable, "-c", PARTS, str(count), str(among)], capture_output=True, text=True, timeout=60, check=True
    )

    assert json.loads(done.stdout) == [[part, 1] for part in expected]
