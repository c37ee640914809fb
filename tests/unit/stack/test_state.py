"""The state file: read back as written, refused when it is not ours to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.errors import StackError
from lab.stack.layout import MAIL, PARTS, Layout
from lab.stack.state import Identity, PartState, StackState, load, save

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path) -> StackState:
    """Make the state of a stack at offset 100."""
    parts = tuple(PartState(name, 4000 + at, Identity(at, 1.5), "ready", 0.25) for at, name in enumerate(PARTS))
    return StackState(folder, "safe", 100, 12.5, Identity(99, 1.0), parts, "services", "services", PARTS)


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Saving and loading gives an equal value; no file gives None."""
    assert load(tmp_path) is None

    save(made(tmp_path))

    assert load(tmp_path) == made(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_state_of_another_version_is_refused(tmp_path: Path) -> None:
    """The error names the file, both versions and the remedy."""
    save(made(tmp_path))
    path = Layout(tmp_path).state
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "version": 7}), encoding="utf-8")

    with pytest.raises(StackError, match=r"state\.json has version 7.* reads version 2; stop"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 2, "parts": [1]}', "\x00"])
def test_a_damaged_state_is_refused(tmp_path: Path, text: str) -> None:
    """A file that cannot be understood is an error with the remedy, never a crash."""
    Layout(tmp_path).state.write_text(text, encoding="utf-8")

    with pytest.raises(StackError, match="is damaged"):
        load(tmp_path)


def test_a_state_tells_what_others_need(tmp_path: Path) -> None:
    """The target has the moved ports, the pids are the services' alone, and a dead part is seen."""
    state = made(tmp_path)

    assert state.target().gateway == "http://127.0.0.1:3105"
    assert MAIL not in state.pids
    assert len(state.pids) == 5
    assert state.mail_path == tmp_path / "mail.jsonl"
    assert state.ready
    assert state.failed == ()
