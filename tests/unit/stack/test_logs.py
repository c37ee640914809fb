"""Reading logs: order, wholeness of lines, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.errors import StackError
from lab.stack.layout import Layout, log_end, tail
from lab.stack.logs import logs

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, service: str, text: str) -> None:
    """Write a service's log."""
    layout = Layout(root)
    layout.logs.mkdir(exist_ok=True)
    layout.log(service).write_text(text, encoding="utf-8")


def test_lines_of_all_services_come_in_the_order_of_time(tmp_path: Path) -> None:
    """JSON and plain lines are merged by time stamp, and a line without one stays behind the line before it."""
    write(tmp_path, "auth", '{"time":"2026-01-02T10:00:00.100+00:00"}\n{"time":"2026-01-02T10:00:00.300+00:00"}\n')
    write(tmp_path, "flights", "2026-01-02 10:00:00,200 broke\nTraceback\n2026-01-02 10:00:00,400 went on\n")

    seen = [(line.service, line.text[:9]) for line in logs(tmp_path)]

    assert [service for service, _ in seen] == ["auth", "flights", "flights", "auth", "flights"]
    assert seen[2] == ("flights", "Traceback")


def test_one_service_is_shown_alone_and_whole(tmp_path: Path) -> None:
    """Only the lines of the service that was asked for come, the last also without an end."""
    write(tmp_path, "auth", "one\r\ntwo \u00fc")
    write(tmp_path, "flights", "other\n")

    assert [line.text for line in logs(tmp_path, "auth")] == ["one", "two \u00fc"]


def test_a_mistyped_service_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """The error offers the service that was meant."""
    with pytest.raises(StackError, match='did you mean "flights"'):
        logs(tmp_path, "fligths")


def test_no_logs_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    """Where no stack was ever started, the error says how to start one, and nothing is made."""
    with pytest.raises(StackError, match="airbourne-lab up"):
        logs(tmp_path / "nowhere")

    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    """The last lines come, none longer than a screen bears; a missing or empty log is said to be empty."""
    write(tmp_path, "auth", "".join(f"line {number} {'x' * 900}end\n" for number in range(200)))

    lines = tail(Layout(tmp_path).log("auth"), lines=3, width=50).splitlines()

    assert [line[:8] for line in lines] == ["line 197", "line 198", "line 199"]
    assert max(map(len, lines)) == 53
    assert all(line.endswith("xend") for line in lines)
    assert "empty" in log_end(Layout(tmp_path).log("booking"))
