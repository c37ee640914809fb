"""Every command of docs/tutorial.md, in its order, at the scale of a test: each ends as the table says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.parts import tutorial_page
from tests.e2e.conftest import Ended, Lab, free_offset
from tests.e2e.tutorial_small import FIRST_BESIDE, HASHING, LOWEST, SMALL, TINY

if TYPE_CHECKING:
    from collections.abc import Iterable

# Half a minute on a quiet machine; with the usual limit a busy one would fail them for being busy.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

PAGE = tutorial_page.read((Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8"))
KEYS = [block.key for block in PAGE.blocks]
LADDER = KEYS.index(FIRST_BESIDE)


def played(lab: Lab, keys: Iterable[str]) -> dict[str, Ended]:
    """Play commands, each to its end, and hold how it ended against the table."""
    found = {}
    for key in keys:
        words, exits = SMALL[key]
        ended = lab.run(*shlex.split(words))
        assert ended.code in exits, f"{key}: exit {ended.code}\n{ended.out[-2000:]}{ended.err[-2000:]}"
        found[key] = ended
    return found


def test_the_naive_test_fails_and_is_mended(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """As-found sells what it does not have, diagnose names hashing, and two tests are compared only when forced."""
    monkeypatch.setenv("BCRYPT_COST", HASHING)
    up = lab.run("up", "--profile", "as-found", "--port-offset", str(free_offset()))
    assert up.code == 0, up.err
    try:
        found = played(lab, KEYS[:LADDER])
    finally:
        lab.run("down")
    naive = found["airbourne-lab run --scenario baseline --profile as-found"]
    assert "set-up was measured as if it were load" in naive.out
    diagnosed = found["airbourne-lab diagnose latest"].out
    # Where the machine stood still so long that the gateway gave up, that is the first thing to say.
    assert "1. password-hashing" in diagnosed or "1. failing" in diagnosed, diagnosed
    assert "scenario differs" in found["airbourne-lab compare naive spread"].err
    forced = found["airbourne-lab compare naive spread --force"].out
    assert "NOT COMPARABLE, AND FORCED" in forced
    assert "IMPROVED" not in forced


def test_the_ladder_is_climbed_and_its_ends_are_measured(lab: Lab) -> None:
    """The ladder ends in a ledger and a report, and capacity and diagnose answer for its ends."""
    other = Lab(lab.folder / "other")
    other.folder.mkdir()
    for one in (lab, other):
        (one.folder / "tiny.toml").write_text(TINY)
    # Its seven seconds are those of a single user: the ladder goes on beside it, and needs none of its runs.
    words, exits = SMALL[LOWEST]
    beside = other.start(*shlex.split(words))
    try:
        found = played(lab, [key for key in KEYS[LADDER:] if key != LOWEST])
    finally:
        lowest = other.ended(beside)
    assert lowest.code in exits, lowest.err
    climbed = found["airbourne-lab ladder --pairs 6 --time-scale 0.1"]
    assert "safe against as-found" in climbed.out
    assert "experiment" in climbed.out.partition("report: ")[2]
    assert all("capacity.html" in one.out for one in (lowest, found["airbourne-lab capacity"]))
