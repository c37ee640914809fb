"""Stages: the number of users as a pure function of time."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ConfigError
from lab.model.stage import (
    MAX_SECONDS,
    MAX_USERS,
    Stage,
    full_after,
    held,
    parse_duration,
    parse_stage,
    scale,
    stage_index,
    stretch_hold,
    total_duration,
    user_seconds,
    user_seconds_by,
    users_at,
)

FEW = settings(max_examples=100, deadline=None)
RAMP = (Stage(30, 20), Stage(30, 50), Stage(30, 100), Stage(30, 0))
stages = st.lists(st.builds(Stage, st.integers(0, 600).map(lambda ms: ms / 8), st.integers(0, 500)), max_size=6)


def line(plan: list[Stage], start: int, elapsed: float) -> float:
    """Give the exact number of users on the straight line; `elapsed` is inside the plan."""
    before, begin = float(start), 0.0
    for stage in plan:
        if begin <= elapsed < begin + stage.duration:
            return before + (stage.target - before) * (elapsed - begin) / stage.duration
        before, begin = stage.target, begin + stage.duration
    return before


@FEW
@given(stages, st.integers(0, 500), st.floats(0, 500))
def test_users_are_within_half_a_user_of_the_line(plan: list[Stage], start: int, elapsed: float) -> None:
    """The number is the straight line's, rounded to the nearest user, up and down, and past the end."""
    assert abs(users_at(plan, start, elapsed) - line(plan, start, elapsed)) <= 0.5 + 1e-6


@FEW
@given(stages, st.integers(0, 500))
def test_every_target_is_hit_at_its_stages_end(plan: list[Stage], start: int) -> None:
    """At the end of a stage its target is there, unless a jump at that moment says otherwise."""
    clock = 0.0
    for number, stage in enumerate(plan):
        clock += stage.duration
        expected = stage.target
        for later in plan[number + 1 :]:
            if later.duration:
                break
            expected = later.target
        assert users_at(plan, start, clock) == expected


@pytest.mark.parametrize(
    ("elapsed", "users"),
    [(-1, 0), (0, 0), (15, 10), (29.99, 20), (30, 20), (45, 35), (60, 50), (89.8, 100), (105, 50), (120, 0), (999, 0)],
)
def test_the_ramp_by_hand(elapsed: float, users: int) -> None:
    """The shipped ramp at moments that a person can check."""
    assert users_at(RAMP, 0, elapsed) == users


@pytest.mark.parametrize(
    ("plan", "start", "seen"),
    [
        ([Stage(0, 10), Stage(1, 10)], 0, {-0.5: 10, 0.0: 10, 0.5: 10, 1.0: 10}),
        ([Stage(1, 5), Stage(1, 1), Stage(1, 7)], 0, {0.5: 3, 1.0: 5, 1.5: 3, 2.0: 1, 2.5: 4, 3.0: 7}),
        ([Stage(1, 4), Stage(0, 9), Stage(1, 9), Stage(0, 0)], 4, {0.5: 4, 0.99: 4, 1.0: 9, 1.99: 9, 2.0: 0}),
        ([], 3, {0.0: 3, 1.0: 3}),
    ],
)
def test_jumps_and_short_stages(plan: list[Stage], start: int, seen: dict[float, int]) -> None:
    """A stage of 0 s is a jump, also as the first one, and stages of 1 s are not skipped."""
    assert {at: users_at(plan, start, at) for at in seen} == seen


@FEW
@given(stages.filter(bool), st.floats(0, 500))
def test_the_stage_of_a_moment_holds_it(plan: list[Stage], elapsed: float) -> None:
    """The index is that of the stage whose time it is; from the end on, the last one's."""
    index = stage_index(plan, elapsed)
    end = sum(stage.duration for stage in plan[: index + 1])

    assert elapsed < end or index == len(plan) - 1
    assert elapsed >= end - plan[index].duration or index == len(plan) - 1


def test_no_stages_have_no_length() -> None:
    """The figures of an empty plan are zero, not errors."""
    assert (stage_index([], 1.0), total_duration([]), user_seconds([], 5)) == (0, 0, 0)


def test_user_seconds_are_the_area_under_the_line() -> None:
    """The ramp: triangles and trapezia by hand."""
    assert user_seconds(RAMP, 0) == 300 + 1050 + 2250 + 1500
    assert user_seconds([Stage(10, 4)], 4) == 40
    assert user_seconds([Stage(0, 9)], 4) == 0


@FEW
@given(stages, st.integers(0, 500), st.sampled_from([0.125, 0.5, 2.0, 8.0]))
def test_scaling_stretches_time_alone(plan: list[Stage], start: int, factor: float) -> None:
    """Targets stay; lengths and user-seconds grow by the factor."""
    scaled = scale(plan, factor)

    assert [stage.target for stage in scaled] == [stage.target for stage in plan]
    assert total_duration(scaled) == pytest.approx(total_duration(plan) * factor)
    assert user_seconds(scaled, start) == pytest.approx(user_seconds(plan, start) * factor)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("500ms", 0.5), ("0s", 0), ("1d", 86400), (" 2s ", 2),
        ("1h2m3s4ms", 3723.004), ("366d", MAX_SECONDS),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    """k6's durations, in seconds."""
    assert parse_duration(text) == pytest.approx(seconds)


BAD_DURATIONS = [
    "",
    "30",
    "s",
    "30x",
    "-3s",
    "1s1",
    "1 m",
    "1,5s",
    "30S",
    "367d",
    "9" * 400 + "s",
    "1e3s",
    "1.s",
    "+1s",
]


@pytest.mark.parametrize("text", BAD_DURATIONS)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A bare number, a sign, an unknown unit or more than a year is refused, by name."""
    with pytest.raises(ConfigError, match=r"is no duration|longer than a year"):
        parse_duration(text)


@FEW
@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_add_up(hours: int, minutes: int, seconds: int, millis: int) -> None:
    """The parts of a duration are summed."""
    text = f"{hours}h{minutes}m{seconds}s{millis}ms"

    assert parse_duration(text) == pytest.approx(hours * 3600 + minutes * 60 + seconds + millis / 1000)


@FEW
@given(st.text(max_size=20) | st.from_regex(r"[0-9.:hmsd ٣]{0,12}", fullmatch=True))
def test_no_text_breaks_the_parsers(text: str) -> None:
    """Any text is a duration or a stage, or a ConfigError."""
    for parse in (parse_duration, parse_stage):
        with suppress(ConfigError):
            parse(text)


@FEW
@given(st.integers(0, 10**6), st.integers(0, MAX_USERS))
def test_a_stage_is_read_as_it_is_written(millis: int, target: int) -> None:
    """DURATION:USERS on the command line is that stage."""
    found = parse_stage(f"{millis}ms:{target}")

    assert found.duration == pytest.approx(millis / 1000)
    assert found.target == target


@pytest.mark.parametrize(
    "text",
    ["", "30s", "30s:", ":20", "30s:-1", "30s:2.5", "30:20", "30s:x", f"30s:{MAX_USERS + 1}", "1s:" + "9" * 5000],
)
def test_what_is_no_stage_is_refused(text: str) -> None:
    """The error shows the option and, where it is the form, the right one; a number of any length is safe."""
    with pytest.raises(ConfigError, match=r"^--stage "):
        parse_stage(text)


@pytest.mark.parametrize(
    ("stages", "start", "full", "hold"),
    [
        ((Stage(60, 25),), 25, 0, 60),
        ((Stage(30, 20), Stage(60, 20), Stage(10, 0)), 0, 30, 60),
        ((Stage(10, 5), Stage(10, 5), Stage(10, 9)), 0, 30, 0),
        ((Stage(10, 9), Stage(10, 9), Stage(10, 0), Stage(10, 9), Stage(30, 9)), 0, 10, 40),
        ((Stage(0, 7), Stage(20, 7)), 0, 0, 20),
    ],
)
def test_when_the_peak_is_reached_and_how_long_it_is_held(
    stages: tuple[Stage, ...], start: int, full: float, hold: float
) -> None:
    """Only a stage from the highest number to the highest number is a hold at the peak."""
    assert (full_after(stages, start), held(stages, start)) == (full, hold)


def test_a_stretched_hold_leaves_the_ramps_alone() -> None:
    """The holds share the new time as they shared the old."""
    stages = (Stage(5, 9), Stage(10, 9), Stage(5, 0), Stage(5, 9), Stage(30, 9))

    assert [s.duration for s in stretch_hold(stages, 0, 80)] == [5, 20, 5, 5, 60]


def test_the_load_until_a_moment_is_part_of_the_whole() -> None:
    """Half a ramp is a quarter of its area; past the end it is all."""
    stages = (Stage(10, 10), Stage(10, 10))

    assert [user_seconds_by(stages, 0, t) for t in (-1, 0, 5, 10, 15, 99)] == [0, 0, 12.5, 50, 100, 150]
    assert user_seconds_by(stages, 0, 99) == user_seconds(stages, 0)
