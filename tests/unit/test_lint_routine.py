"""Reading what a user class says of itself, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.errors import ScenarioError
from lab.lint.routine import Routine, declared

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "raise SystemExit('this file is never run')\n\n\n"


def read(folder: Path, text: str, name: str = "U") -> Routine | None:
    """Read the routine of a class of a file that holds this text."""
    file = folder / "users.py"
    file.write_text(HEAD + text, encoding="utf-8")
    return declared(file, name)


def test_a_routine_is_read_and_never_run(tmp_path: Path) -> None:
    """Every key, written with or without a type."""
    text = (
        "class U(Base):\n    routine: ClassVar = {'requests': {'a': 1, 'login': 0.5}, 'checks': ['c'],"
        " 'metrics': ['m'], 'think': 2, 'sleep': 0.5, 'seats': 3, 'flights': 'one', 'tags': ['tier']}\n"
    )
    wanted = Routine({"a": 1.0, "login": 0.5}, ("c",), ("m",), 2.0, 0.5, 3.0, "one", ("tier",))

    assert read(tmp_path, text) == wanted
    assert read(tmp_path, text.replace(": ClassVar", "")) == wanted
    assert wanted.cycle == pytest.approx(2 + 0.5 + 0.01 + 0.025)
    assert wanted.inside == pytest.approx(0.5 + 0.01 + 0.025)


def test_a_class_inherits_its_routine(tmp_path: Path) -> None:
    """From a class of the same file, however far up; its own goes first, and a circle ends."""
    text = "class A:\n    routine = {'think': 7}\n\nclass B(A, elsewhere.C):\n    pass\n\nclass U(B):\n    x: int\n"
    found = read(tmp_path, text)
    own = read(tmp_path, text + "    routine = {'think': 8}\n")

    assert (found.think if found else None, own.think if own else None) == (7, 8)
    assert read(tmp_path, "class U(V):\n    pass\n\nclass V(U):\n    pass\n") is None


@pytest.mark.parametrize("text", ["class U(Base):\n    pass\n", "class V:\n    routine = {}\n", "class (:\n"])
def test_without_a_routine_nothing_is_known(tmp_path: Path, text: str) -> None:
    """A class without one, a class that is not there, a file that is none."""
    assert read(tmp_path, text) is None


@pytest.mark.parametrize(
    ("routine", "why"),
    [
        ("{'think': wait()}", "must be written out"),
        ("[1]", "must be a table"),
        ("{'thnik': 1}", 'unknown key "thnik"; did you mean "think"?'),
        ("{'think': -1}", "think must be a number of 0 or more, not -1.0"),
        ("{'think': True}", "think must be a number of 0 or more, not True"),
        ("{'seats': 1e999}", "seats must be a number"),
        ("{'requests': ['a']}", "requests is a table by operation"),
        ("{'requests': {'a': 'b'}}", "requests: a must be a number"),
        ("{'checks': 'c'}", "checks must be a list of names"),
        ("{'flights': 'some'}", "flights is one of all, one, none, not 'some'"),
        ("{'flights': ['some']}", "flights is one of all, one, none, not"),
    ],
)
def test_a_routine_that_cannot_be_read_is_told(tmp_path: Path, routine: str, why: str) -> None:
    """With the file, the line and the class."""
    with pytest.raises(ScenarioError) as caught:
        read(tmp_path, f"class U:\n    routine = {routine}\n")

    assert f"{tmp_path / 'users.py'}, line 5: routine of U" in str(caught.value)
    assert why.replace("-1.0", "-1") in str(caught.value)
