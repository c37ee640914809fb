"""What an experiment is made of: its sides, its order, which pairs are whole and what is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import ConfigError
from lab.experiment.begin import rungs
from lab.model.experiment import Arm, Attempt, Experiment, Kind, Making, Turn, arm, told_apart
from lab.stack.profiles import RUNGS

PROFILES = ("safe", "as-found")


def experiment(pairs: int = 3, labels: tuple[str, ...] = ("a", "b"), **changes: Any) -> Experiment:
    """Make one of profiles with these labels."""
    arms = tuple(Arm(label, Kind.PROFILE, "safe") for label in labels)
    return Experiment("x", "2026-11-23T12:00:00+00:00", arms, pairs, 1, Making("smoke"), **changes)


def made(found: Experiment, *turns: tuple[int, str, bool]) -> Experiment:
    """Note runs that were tried: of which pair and side, and whether they count."""
    for place, (pair, label, counts) in enumerate(turns):
        attempt = Attempt(Turn(pair, label), f"run{place}", "" if counts else "it crashed", counts, 1.0)
        found = found.with_attempt(attempt)
    return found


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(1, 40))
def test_each_pair_has_every_side_once_in_an_order_of_the_seed(seed: int, arms: int, pairs: int) -> None:
    """Whatever the seed: all sides, once each, the same order whenever it is asked for."""
    labels = tuple("abcdef"[:arms])
    one, two = (replace(experiment(pairs, labels), seed=seed) for _ in range(2))
    for pair in range(1, pairs + 1):
        assert Counter(turn.label for turn in one.order(pair)) == Counter(labels)
        assert one.order(pair) == two.order(pair)


def test_no_side_always_comes_first() -> None:
    """Over many pairs each side is first in about half of them."""
    found = experiment(200)
    first = Counter(found.order(pair)[0].label for pair in range(1, 201))
    assert 70 < first["a"] < 130


def test_a_pair_counts_when_all_its_sides_have_a_run() -> None:
    """Runs of a half-made pair are no side's."""
    found = made(experiment(), (1, "b", True), (1, "a", True), (2, "a", True))
    assert (found.complete, found.next_pair) == (1, 2)
    assert (found.runs_of("a"), found.runs_of("b")) == (("run1",), ("run0",))


def test_a_half_made_pair_is_made_again_as_a_whole() -> None:
    """Its halves belong side by side in time, so that the one that was made is forgotten."""
    found = made(experiment(), (1, "b", True), (1, "a", True), (2, "a", True)).taken_up()
    assert [one.turn for one in found.attempts] == [Turn(1, "b"), Turn(1, "a")]
    assert found.next_pair == 2


def test_a_pair_with_a_side_that_failed_twice_is_given_up() -> None:
    """The experiment goes on with the next pair, and the lost one counts for nobody."""
    found = made(experiment(), (1, "a", True), (1, "b", False), (1, "b", False))
    assert (found.over(1), found.whole(1), found.complete, found.next_pair) == (True, False, 0, 2)
    assert found.runs_of("a") == ()
    assert found.taken_up() == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("profile:safe", Arm("safe", Kind.PROFILE, "safe")),
        ("target:there/staging.toml", Arm("staging", Kind.TARGET, "there/staging.toml")),
        ("target:staging", Arm("staging", Kind.TARGET, "staging")),
    ],
)
def test_a_side_is_read_as_it_is_written(text: str, expected: Arm) -> None:
    """A profile, or a target by its file or its name; the label is the short name."""
    assert arm("--baseline", text, PROFILES) == expected


@pytest.mark.parametrize(
    ("text", "remedy"), [("safe", "profile:safe"), ("profile:", "profile:safe"), ("stack:x", "target:staging.toml")]
)
def test_a_side_that_is_none_is_refused_with_how_to_write_it(text: str, remedy: str) -> None:
    """The error names the option, the words and the remedy."""
    with pytest.raises(ConfigError, match=f"--candidate {text}: write it like .*{remedy}"):
        arm("--candidate", text, PROFILES)


def test_one_and_the_same_side_twice_is_told_apart() -> None:
    """An A/A experiment has sides A and B; sides of commands are baseline and candidate."""
    safe = arm("--baseline", "profile:safe", PROFILES)
    nobody = arm("--baseline", "", PROFILES, "make old")
    assert [one.label for one in told_apart([safe, safe])] == ["safe A", "safe B"]
    assert [one.label for one in told_apart([nobody, nobody])] == ["baseline", "candidate"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"pairs": 0}, "give 1 to 200"), ({"labels": ("a",)}, "name both"), ({"labels": ("a", "a")}, "may have one name")],
)
def test_what_is_no_experiment_is_refused(changes: dict[str, Any], said: str) -> None:
    """Too few sides, no pairs, or one name for two."""
    with pytest.raises(ConfigError, match=said):
        experiment(**changes)


def test_the_ladder_goes_up_from_one_rung_to_another() -> None:
    """Its rungs are sides with what they should give; down, or from a rung that is none, it does not go."""
    found = rungs("safe", "local-tokens", {"pooled": "no handshakes"})
    assert [(one.label, one.note) for one in found] == [("safe", ""), ("pooled", "no handshakes"), ("local-tokens", "")]
    assert len(rungs("as-found", "", {})) == len(RUNGS)
    with pytest.raises(ConfigError, match="a ladder goes up"):
        rungs("lean", "safe", {})
    with pytest.raises(ConfigError, match='--to: "leam" is no rung of the ladder; did you mean "lean"'):
        rungs("safe", "leam", {})
