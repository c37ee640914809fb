"""Several processes write one ledger."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from lab.engine.rows import Appended, Sent

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from pathlib import Path
from lab.engine.rows import Appended
rows = Appended(Path(sys.argv[1]))
for number in range(400):
    for _ in range(number % 7 + 1):
        rows.write(sys.argv[2] * 3000 + "\\n")
    rows.flush()
rows.close()
"""


def test_no_line_of_one_process_stands_in_anothers(tmp_path: Path) -> None:
    """Three processes append long lines at the same time; each comes out whole, and none is missing."""
    path = tmp_path / "ledger.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter]) for letter in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    lines = Counter(path.read_text().splitlines())

    assert set(lines) == {letter * 3000 for letter in "abc"}
    assert set(lines.values()) == {sum(number % 7 + 1 for number in range(400))}


def test_what_is_flushed_is_there_for_others(tmp_path: Path) -> None:
    """A line is on its way once `flush` returns, and not before."""
    path = tmp_path / "ledger.jsonl"
    rows = Appended(path)
    rows.write("one\n")
    assert path.read_text() == ""
    rows.flush()
    assert path.read_text() == "one\n"
    rows.write("two\n")
    rows.close()
    assert path.read_text() == "one\ntwo\n"


def test_lines_for_another_machine_are_sent_with_the_flush() -> None:
    """In one message, in their order; nothing is sent when there is nothing."""
    sent: list[str] = []
    rows = Sent(sent.append)
    rows.flush()
    rows.write("one\n")
    rows.write("two\n")
    rows.flush()
    rows.flush()

    assert sent == ["one\ntwo\n"]
