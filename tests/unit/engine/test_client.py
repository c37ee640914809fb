"""What a user's session counts, and how user files are loaded. Locust runs in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "count_requests.py"


def run(*words: str) -> dict[str, Any]:
    """Run the script and read what it printed."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_request_is_lost_unseen() -> None:
    """Answered, failed, refused by the script, interrupted by the script's own error or given up: each counts once."""
    found = run()

    assert found["totals"] == [8, 3, 4, 1]
    assert found["in_flight"] == 0
    assert found["checks"] == [1, 1]
    assert found["operations"] == ["other", "search"]
    assert found["received"] > 0
    assert found["reasons"] == [
        "GET /busy: HTTP 503: seat # is taken x1",
        "GET /nobody: ConnectionRefusedError: [Errno #] Connection refused x1",
        "GET /ok: seat # is not what I asked for x1",
        "GET /raise: HTTP 200: seat # is taken x1",
    ]


def test_a_request_carries_its_own_tags_and_its_group() -> None:
    """What stands in the request's context, and where it was sent; a counter and the group's duration as well."""
    found, group = run(), {"group": "::find"}

    assert found["tagged"] == [{**group, "operation": "search", "tier": "1"}]
    assert found["groups"] == [group]
    assert found["finds"] == [[group, 2]]


def test_users_share_the_data_and_choose_by_the_seed() -> None:
    """Members go round, users are numbered from 0, and each has its own random source."""
    found = run()

    assert found["members"] == ["a", "b", "a"]
    assert found["numbers"] == [0, 1]
    assert found["draws"] == [False, True]


USERS = "from locust import User\n\n\nclass Booker(User):\n    pass\n"


@pytest.mark.parametrize(
    ("text", "name", "expected", "code"),
    [
        (USERS, "Booker", "Booker", 0),
        (USERS, "Boker", 'users.py has no user class "Boker"; did you mean "Booker"?', 104),
        (USERS, "User", 'has no user class "User"', 104),
        (USERS + "x = 1 / 0\n", "Booker", "users.py, line 6: ZeroDivisionError: division by zero", 107),
        ("class (:\n", "Booker", "users.py, line 1: SyntaxError", 107),
        ("import not_there_at_all\n", "Booker", "line 1: ModuleNotFoundError", 107),
        (None, "Booker", "there is no file", 104),
    ],
)
def test_a_user_class_is_loaded_or_told(tmp_path: Path, text: str | None, name: str, expected: str, code: int) -> None:
    """By its name from one's own file; an error in that file names the line."""
    path = tmp_path / "users.py"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    found = run(str(path), name)

    assert expected in (found.get("class") or found["error"])
    assert found.get("exit_code", 0) == code
