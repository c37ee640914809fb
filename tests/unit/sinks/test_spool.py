"""The spool: points that wait in the run folder, where the disk may take a part of them only."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.sinks import spool
from lab.sinks.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_lines_that_the_disk_took_in_part_are_not_there(tmp_path: Path) -> None:
    """A full disk leaves no half of an offer behind: what is given out later is what was counted, to the last line."""
    waiting = Spool(tmp_path / "influx.lp")
    waiting.add(["first 1", "second 2"])
    with disk_of(30), pytest.raises(OSError, match="too large"):
        waiting.add([f"lost {number}" for number in range(10)])
    waiting.add(["third 3"])
    assert len(waiting) == 3
    assert waiting.first(10) == list(spool.read(tmp_path / "influx.lp")) == ["first 1", "second 2", "third 3"]
    waiting.forget(3)
    waiting.close()
    assert not (tmp_path / "influx.lp").exists()
