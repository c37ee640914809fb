"""Loads as values: what each executor plans, and what several of them plan together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ConfigError
from lab.model.load import BOUNDED, CLOSED, EXECUTORS, OPEN, Load
from lab.model.scenario import Band, Scenario
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold

FEW = settings(max_examples=75, deadline=None)
UP = (Stage(10, 20), Stage(20, 20))


def closed(stages: tuple[Stage, ...] = UP, start: int = 0, begin: float = 0.0, name: str = "") -> Load:
    """Make a load of users."""
    return Load("ramping-vus", "U", stages, start, name, begin)


def arriving(stages: tuple[Stage, ...] = UP, start: int = 0, begin: float = 0.0, unit: float = 1.0) -> Load:
    """Make a load of arrivals."""
    return Load("ramping-arrival-rate", "U", stages, start, "a", begin, time_unit=unit, pre_allocated=5, max_vus=40)


def test_every_executor_is_of_one_kind() -> None:
    """Closed, bounded or open."""
    assert sorted(EXECUTORS) == sorted((*CLOSED, *BOUNDED, *OPEN))
    kinds = [(Load(name, "U", UP).open, Load(name, "U", UP).bounded) for name in EXECUTORS]
    assert kinds == [(False, False)] * 2 + [(False, True)] * 2 + [(True, False)] * 2


def test_a_closed_load_plans_users() -> None:
    """Its figures by hand; before its begin and from its end on nobody is there."""
    load = closed(begin=5.0)

    assert (load.length, load.end, load.top, load.peak, load.held, load.full_after) == (30, 35, 20, 20, 20, 10)
    assert (load.user_seconds, load.arrivals, load.total) == (500, 0, 0)
    assert [load.users_at(at) for at in (0, 4.9, 5, 10, 15, 34.9, 35, 99)] == [0, 0, 0, 10, 20, 20, 0, 0]
    assert load.rate_at(15) == 0


def test_an_open_load_plans_arrivals() -> None:
    """Its numbers are rates per time unit, and its users are as many as may come."""
    load = arriving(unit=60.0, begin=5.0)

    assert (load.top, load.peak, load.user_seconds) == (20, 40, 0)
    assert load.arrivals == pytest.approx(500 / 60)
    assert load.rate_at(10) == pytest.approx(10 / 60)
    assert (load.rate_at(4), load.rate_at(35), load.users_at(10)) == (0, 0, 0)


def test_a_bounded_load_plans_iterations() -> None:
    """Shared by all of its users, or so many of each; of user-seconds nobody knows before."""
    shared, each = (Load(name, "U", (Stage(60, 4),), 4, iterations=10) for name in BOUNDED)

    assert (shared.total, each.total) == (10, 40)
    assert (shared.user_seconds, shared.arrivals, shared.users_at(30), shared.length) == (0, 0, 4, 60)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (closed(), ["1 user", "2,000 users"]),
        (arriving(), ["1/s", "2,000/s"]),
        (arriving(unit=60.0), ["1/min", "2,000/min"]),
        (arriving(unit=3600.0), ["1/h", "2,000/h"]),
        (arriving(unit=10.0), ["1 per 10 s", "2,000 per 10 s"]),
    ],
)
def test_a_number_is_written_as_what_it_is(load: Load, words: list[str]) -> None:
    """Users, or a rate in its unit."""
    assert [load.amount(number) for number in (1, 2000)] == words


def test_scaling_moves_the_begin_too() -> None:
    """Half of the time begins at half of the time."""
    load = arriving(begin=6.0).scaled(0.5)
    assert (load.start_time, load.length, load.top) == (3, 15, 20)
    assert load.arrivals == arriving().arrivals / 2


def together(*loads: Load) -> Scenario:
    """Make a scenario of loads."""
    return Scenario("s", loads)


@pytest.mark.parametrize(
    ("loads", "peak"),
    [
        ((closed(), closed(begin=30.0)), 20),
        ((closed(), closed(begin=29.0)), 22),
        ((closed(), closed(begin=10.0)), 40),
        ((closed((Stage(10, 0),), 20), closed((Stage(10, 20),))), 20),
        ((closed(), arriving(begin=30.0)), 40),
        ((closed(), arriving(begin=20.0)), 60),
        ((closed((Stage(5, 3), Stage(0, 9), Stage(5, 0))),), 9),
        ((closed((Stage(5, 0),), 7, begin=0.1),), 7),
        ((closed((Stage(0.2, 4), Stage(0.1, 8)), begin=0.1),), 8),
    ],
)
def test_the_peak_is_that_of_one_moment(loads: tuple[Load, ...], peak: int) -> None:
    """Loads that follow one another do not add up; those that run beside each other do, as far as they do."""
    assert together(*loads).peak == peak


def eighths(most: int) -> st.SearchStrategy[float]:
    """Draw seconds that floats hold exactly."""
    return st.integers(0, most).map(lambda n: n / 8)


loads = st.builds(
    closed,
    st.lists(st.builds(Stage, eighths(40), st.integers(0, 30)), min_size=1, max_size=4).map(tuple),
    st.integers(0, 30),
    eighths(60),
)


def grid(scenario: Scenario) -> int:
    """Give the most users at any of many moments, among them each corner and what was just before it."""
    moments = [number / 16 for number in range(int(scenario.duration * 16) + 2)]
    return max(scenario.users_at(moment - before) for moment in moments for before in (0.0, 1e-7))


@FEW
@given(loads)
def test_the_peak_of_a_load_is_the_most_users_of_any_moment(load: Load) -> None:
    """Not one more, and not one less."""
    assert together(load).peak == grid(together(load))


@FEW
@given(st.lists(loads, min_size=2, max_size=4))
def test_the_peak_of_several_is_the_most_users_of_any_moment(several: list[Load]) -> None:
    """But for rounding: each load's users are whole ones, half a user up or down at either moment."""
    scenario = together(*several)
    assert abs(scenario.peak - grid(scenario)) <= len(several)


@FEW
@given(loads)
def test_users_are_there_in_its_time_alone(load: Load) -> None:
    """Before the begin and from the end on there are none."""
    assert load.users_at(load.start_time - 0.01) == load.users_at(load.end) == load.users_at(load.end + 9) == 0


def test_several_loads_make_one_length() -> None:
    """The latest end, and the grace of whichever takes longest after it."""
    early = Load("constant-vus", "A", (Stage(10, 1),), 1, "early", graceful_stop=60.0)
    late = Load("constant-arrival-rate", "B", (Stage(10, 1),), 1, "late", 20.0, max_vus=1, graceful_stop=5.0)
    scenario = together(early, late)

    assert (scenario.duration, scenario.graceful_stop) == (30, 40)
    assert scenario.executor == "constant-vus, constant-arrival-rate"
    assert (scenario.user_classes, scenario.open, scenario.bounded) == (("A", "B"), True, False)
    assert (scenario.user_seconds, scenario.users_at(5), scenario.rate_at(25)) == (10, 1, 1)


def test_the_bands_of_one_load_are_its_stages() -> None:
    """With where each leads to, and which of them stay where they are."""
    assert together(closed(begin=2.0)).bands == (Band(2, 12, "20 users"), Band(12, 32, "20 users", level=True))
    assert together(arriving(unit=60.0)).bands[0].words == "20/min"


def test_the_bands_of_several_loads_say_which_run() -> None:
    """From edge to edge, and that there is nothing in between."""
    scenario = together(closed(name="a"), closed(begin=20.0, name="b"), closed(begin=60.0, name="c"))

    assert [(band.begin, band.end, band.words) for band in scenario.bands] == [
        (0, 20, "a"), (20, 30, "a + b"), (30, 50, "b"), (50, 60, "nothing"), (60, 90, "c"),
    ]  # fmt: skip


def test_stages_of_the_command_line_keep_the_model() -> None:
    """Users stay users, and rates stay rates with all that belongs to them."""
    rates = together(arriving()).with_stages([Stage(5, 9)]).loads[0]
    users = together(Load("per-vu-iterations", "U", (Stage(60, 4),), 4, iterations=10)).with_stages([Stage(5, 9)])

    assert (rates.executor, rates.max_vus, rates.arrivals) == ("ramping-arrival-rate", 40, 22.5)
    assert (users.loads[0].executor, users.loads[0].total, users.user_seconds) == ("ramping-vus", 0, 22.5)


def test_a_duration_is_that_of_the_whole() -> None:
    """What lies before the load's begin is a part of it."""
    assert together(closed(begin=5.0)).with_duration(100).duration == 100


def test_several_loads_are_changed_in_their_file() -> None:
    """The command line cannot know which of them is meant."""
    several = together(closed(), closed())

    with pytest.raises(ConfigError, match="s has 2 scenarios in one file; change them in the file"):
        several.with_stages([Stage(1, 1)])
    with pytest.raises(ConfigError, match="s has 2 scenarios in one file; change them in the file"):
        several.with_duration(9)


def test_another_bound_for_what_ends_the_run_still_ends_it() -> None:
    """The command line changes the bound; what stands in the file about it stays."""
    old = parse_threshold("http_req_duration", "p(95)<900", abort=True, delay=5.0)
    plain = parse_threshold("checks", "rate>0.9")
    new = [parse_threshold("http_req_duration", "p(95)<9"), parse_threshold("checks", "rate>0.5")]
    found = Scenario("s", (closed(),), thresholds=(old, plain)).with_thresholds(new).thresholds

    assert [(str(t), t.abort, t.delay) for t in found] == [
        ("http_req_duration p(95)<9", True, 5.0), ("checks rate>0.5", False, 0.0),
    ]  # fmt: skip
