"""Scenario files: what they mean, and how their typing errors are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ConfigError, ScenarioError
from lab.model.dataset import DataNeeds
from lab.model.load import Load
from lab.model.scenario import Scenario
from lab.model.scenario_file import parse_scenario
from lab.model.stage import MAX_USERS, Stage
from lab.model.threshold import INTEGRITY_METRICS, parse_threshold

SHIPPED = sorted((Path(__file__).parents[3] / "scenarios").glob("*.toml"))
FULL = """\
description = "A test of exec, vus and stages."  # words that are also keys
executor = "ramping-vus"
exec = "Booker"
users = "mine.py"
startVUs = 2
stages = [
    { duration = "30s", target = 20 },
    { duration = "1m", target = 0 },
]
gracefulStop = "5s"

[tags]
team = "a"

[env]
KEY = "v"

[data]
flights = 3
users = 7
seats = [10, 20]

[thresholds]
http_req_duration = ["p(95)<500", "avg<100"]
checks = "rate>0.9"
seats_lost = []
"""
CONSTANT = 'executor = "constant-vus"\nexec = "B"\nvus = 5\nduration = "10s"\n'


def parse(text: str) -> Scenario:
    """Read a scenario that is called s.toml."""
    return parse_scenario(text, "s", "s.toml")


def refusal(text: str) -> str:
    """Give the sentence with which a scenario is refused."""
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    return str(caught.value)


def test_every_key_is_read() -> None:
    """A full scenario in k6's words becomes the value that it describes."""
    assert parse(FULL) == Scenario(
        name="s",
        loads=(
            Load(
                executor="ramping-vus",
                user_class="Booker",
                stages=(Stage(30, 20), Stage(60, 0)),
                start=2,
                graceful_stop=5.0,
                tags=(("team", "a"),),
                env=(("KEY", "v"),),
            ),
        ),
        users_file="mine.py",
        description="A test of exec, vus and stages.",
        thresholds=tuple(
            parse_threshold(metric, text)
            for metric, text in (
                ("http_req_duration", "p(95)<500"),
                ("http_req_duration", "avg<100"),
                ("checks", "rate>0.9"),
            )
        ),
        waived=("seats_lost",),
        data=DataNeeds(3, 7, (10, 20)),
    )


def test_a_constant_load_is_one_level_stage() -> None:
    """Constant users start at their number; what is not said has the documented default."""
    found = parse(CONSTANT)

    load = found.loads[0]
    assert (load.start, load.stages, found.graceful_stop, found.data) == (5, (Stage(10, 5),), 30.0, DataNeeds())
    assert (found.peak, found.duration, found.user_seconds) == (5, 10, 50)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_scenarios_are_valid(path: Path) -> None:
    """Each scenario that ships can be read, runs somebody and is judged by something."""
    found = parse_scenario(path.read_text(encoding="utf-8"), path.stem, path.name)

    assert found.user_seconds + sum(load.arrivals + load.total for load in found.loads) > 0
    assert found.thresholds
    assert found.description


TYPING_ERRORS = [
    # old, new, line, sentence
    ('exec = "Booker"', 'exce = "Booker"', 3, 'unknown key "exce"; did you mean "exec"?'),
    ("startVUs", "startVus", 5, 'unknown key "startVus"; did you mean "startVUs"?'),
    ("stages = [", "stagse = [", 6, 'unknown key "stagse"; did you mean "stages"?'),
    ("gracefulStop", "graceful_stop", 10, 'unknown key "graceful_stop"; did you mean "gracefulStop"?'),
    ("[tags]", "[tag]", 12, 'unknown key "tag"; did you mean "tags"?'),
    ("[env]", "[envs]", 15, 'unknown key "envs"; did you mean "env"?'),
    ("[data]", "[dta]", 18, 'unknown key "dta"; did you mean "data"?'),
    ("[thresholds]", "[threshold]", 23, 'unknown key "threshold"; did you mean "thresholds"?'),
    ('"1m", target', '"1m", traget', 8, 'unknown key "traget" in a stage; did you mean "target"?'),
    ('duration = "1m"', 'duraton = "1m"', 8, 'unknown key "duraton" in a stage; did you mean "duration"?'),
    ("flights = 3", "fligts = 3", 19, 'unknown key "fligts" in [data]; did you mean "flights"?'),
    ("seats = [10", "seat = [10", 21, 'unknown key "seat" in [data]; did you mean "seats"?'),
    ('"ramping-vus"', '"ramping-vsu"', 2, 'unknown executor "ramping-vsu"; did you mean "ramping-vus"?'),
    (
        "startVUs = 2",
        "vus = 2",
        5,
        '"vus" does not belong to ramping-vus, which takes startVUs, stages and gracefulRampDown',
    ),
    ('users = "mine.py"', 'duration = "9s"', 4, '"duration" does not belong to ramping-vus'),
    ("http_req_duration =", "http_req_durtion =", 24, 'unknown metric "http_req_durtion"; did you mean "http_req_dur'),
    ("seats_lost = []", "seat_lost = []", 26, 'unknown metric "seat_lost"; did you mean "seats_lost"?'),
    ('"p(95)<500"', '"p95<500"', 24, "write AGGREGATION OPERATOR NUMBER"),
    ('"avg<100"', '"agv<100"', 24, 'no "agv"; did you mean "avg"?'),
    ('"rate>0.9"', '"rate=>0.9"', 25, '"=>" is no operator'),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), TYPING_ERRORS)
def test_a_typing_error_is_told_by_line_and_word(old: str, new: str, line: int, sentence: str) -> None:
    """The error names the file, the line of the mistyped word, the word and what was meant."""
    assert FULL.count(old) == 1
    said = refusal(FULL.replace(old, new))

    assert said.startswith(f"s.toml, line {line}: ")
    assert sentence in said


WRONG_TYPES = [
    ('exec = "Booker"', "exec = 5", 3, "exec must be a text in quotes, not 5"),
    ("startVUs = 2", "startVUs = -2", 5, f"startVUs = -2 must be a whole number from 0 to {MAX_USERS:,}"),
    ("startVUs = 2", 'startVUs = "2"', 5, "startVUs = '2' must be a whole number"),
    ("startVUs = 2", "startVUs = true", 5, "startVUs = True must be a whole number"),
    ("startVUs = 2", f"startVUs = {MAX_USERS + 1}", 5, "must be a whole number"),
    ("startVUs = 2", "startVUs = 2.5", 5, "startVUs = 2.5 must be a whole number"),
    ("startVUs = 2", "startVUs = 0x" + "f" * 5000, 5, "startVUs = a number of thousands of digits must be"),
    ("target = 0", 'target = "0"', 8, "target = '0' must be a whole number"),
    ("target = 0", "target = -1", 8, "target = -1 must be a whole number"),
    ('"1m"', '"1 m"', 8, 'duration: "1 m" is no duration'),
    ('"1m"', "60", 8, "duration must be a duration in quotes"),
    ('"5s"', "5", 10, "gracefulStop must be a duration in quotes"),
    ('"5s"', '"5"', 10, 'gracefulStop: "5" is no duration'),
    ('"a"', "1", 12, "tags is a table of texts"),
    ('"v"', "[]", 15, "env is a table of texts"),
    ("flights = 3", "flights = 0", 19, "flights must be at least 1"),
    ("flights = 3", 'flights = "3"', 19, "flights = '3' must be a whole number"),
    ("[10, 20]", "[20, 10]", 21, "seats is [fewest, most]"),
    ("[10, 20]", "[10]", 21, "seats is [fewest, most]"),
    ("[10, 20]", "10", 21, "seats is [fewest, most]"),
    ("[10, 20]", "[0, 20]", 21, "seats is [fewest, most]"),
    ("[10, 20]", "[true, 20]", 21, "seats is [fewest, most]"),
    ('["p(95)<500", "avg<100"]', "[500]", 24, "http_req_duration: write a list of texts"),
    ('["p(95)<500", "avg<100"]', "500", 24, "http_req_duration: write a list of texts"),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), WRONG_TYPES)
def test_a_wrong_type_is_told_by_its_line(old: str, new: str, line: int, sentence: str) -> None:
    """A value of another type or range is refused with the line in which it stands."""
    assert FULL.count(old) == 1
    said = refusal(FULL.replace(old, new))

    assert said.startswith(f"s.toml, line {line}: ")
    assert sentence in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", '"executor" is missing; add a line like executor = "ramping-vus"'),
        ('executor = "constant-vus"', '"vus" is missing; add a line like vus = 25'),
        ('executor = "ramping-vus"', "ramping-vus needs stages"),
        ('executor = "ramping-vus"\nstages = []', "ramping-vus needs stages"),
        ('executor = "ramping-vus"\nstages = [5]', "a stage is written"),
        ('executor = "ramping-vus"\nstages = [{}]', "duration must be a duration"),
        ('executor = "ramping-vus"\nstages = [{duration = "1s"}]', '"target" is missing'),
        ('executor = "ramping-vus"\nstages = [{duration = "1s", target = 0}]', "never run a user"),
        ('executor = "ramping-vus"\nstages = [{duration = "0s", target = 9}]', "never run a user"),
        ('executor = "ramping-vus"\nstages = [{duration = "1s", target = 1}]', '"exec" is missing'),
        ('executor = "constant-vus"\nvus = 0\nduration = "1s"', "line 2: 0 users for 1 s are no load"),
        ('executor = "constant-vus"\nvus = 1\nduration = "0s"', "1 users for 0 s are no load"),
        ('executor = "constant-vus"\nvus = 1', "duration must be a duration in quotes"),
        (CONSTANT + "thresholds = 1", "line 5: thresholds are written"),
        (CONSTANT + "data = 1", "line 5: data is a table"),
        ("executor = ", "s.toml: no valid TOML: "),
        ("vus = " + "9" * 5000, "s.toml: no valid TOML: "),
        ("vus = " + "[" * 20_000, "s.toml: no valid TOML: "),
    ],
)
def test_what_is_missing_or_empty_is_told(text: str, sentence: str) -> None:
    """A scenario without a load, without a class or without sense is refused with what to write."""
    assert sentence in refusal(text)


toml_values = st.recursive(
    st.integers(-5, MAX_USERS + 5) | st.booleans() | st.sampled_from(['"1s"', '"p(95)<5"', '""', '"x"', "1.5", "nan"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(map(toml, parts))}]")
        | st.dictionaries(st.sampled_from(["duration", "target", "flights", "checks", "seats"]), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {toml(value)}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)
KEYS = ["executor", "exec", "vus", "duration", "startVUs", "stages", "thresholds", "gracefulStop", "tags", "env",
        "data", "users", "description", "vsu"]  # fmt: skip


def parsed_or_refused(text: str) -> bool:
    """Tell whether a text is a scenario with a load, or is refused with an error that names its file."""
    try:
        return parse(text).user_seconds > 0
    except ScenarioError as error:
        return str(error).startswith("s.toml")


def toml(value: Any) -> str:  # noqa: ANN401 - a drawn value
    """Write a drawn value."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), toml_values, max_size=5),
    st.sampled_from(["", 'executor = "constant-vus"', 'executor = "ramping-vus"']),
)
def test_no_table_breaks_the_parser(table: dict[str, object], first: str) -> None:
    """Keys with values of any type make a scenario or a ScenarioError."""
    table = {key: value for key, value in table.items() if not (first and key == "executor")}
    text = "\n".join([first, *(f"{key} = {toml(value)}" for key, value in table.items())])
    assert parsed_or_refused(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.integers(0, len(FULL)), st.integers(0, len(FULL)))
def test_no_text_breaks_the_parser(noise: str, begin: int, end: int) -> None:
    """Noise, also in the midst of a good scenario, makes a scenario or a ScenarioError."""
    for text in (noise, FULL[:begin] + noise + FULL[end:]):
        assert parsed_or_refused(text)


def integrity_judged(scenario: Scenario) -> list[str]:
    """Give the audit's metrics that a scenario judges, with their expressions."""
    return [str(t) for t in scenario.with_integrity_thresholds().thresholds if t.selector.metric in INTEGRITY_METRICS]


def test_the_audit_is_judged_by_default() -> None:
    """Each figure of the audit has `== 0`, unless the scenario judges it otherwise or waives it with an empty list."""
    assert integrity_judged(parse(CONSTANT)) == [f"{metric} value==0" for metric in INTEGRITY_METRICS]

    own = parse(CONSTANT + '[thresholds]\nseats_lost = []\nseats_oversold = ["value<9"]\n')
    judged = integrity_judged(own)

    assert "seats_oversold value<9" in judged
    assert len(judged) == len(INTEGRITY_METRICS) - 1
    assert not any("seats_lost" in text for text in judged)
    again = own.with_integrity_thresholds()
    assert again.with_integrity_thresholds() == again


def test_other_stages_make_a_ramp() -> None:
    """The command line's stages replace the load and leave all else."""
    found = parse(CONSTANT).with_stages([Stage(3, 7), Stage(1, 0)])

    assert (found.executor, found.loads[0].start, found.peak, found.duration) == ("ramping-vus", 0, 7, 4)
    assert found.loads[0].user_class == "B"


def test_a_threshold_of_the_command_line_replaces_its_like() -> None:
    """The same metric and aggregation is replaced; another percentile, aggregation or tag is added."""
    base = parse(FULL)
    new = [
        parse_threshold("http_req_duration", "p(95)<9"),
        parse_threshold("http_req_duration", "p(99)<9"),
        parse_threshold("http_req_duration{operation:x}", "p(95)<9"),
    ]

    found = base.with_thresholds(new).thresholds

    assert [str(t) for t in found] == [
        "http_req_duration avg<100",
        "checks rate>0.9",
        "http_req_duration p(95)<9",
        "http_req_duration p(99)<9",
        "http_req_duration{operation:x} p(95)<9",
    ]
    assert base.with_thresholds([]) == base


def test_time_is_scaled_and_users_are_not() -> None:
    """A tenth of the time keeps the targets, the grace and the thresholds."""
    base = parse(FULL)
    found = base.scaled(0.1)

    assert found.duration == pytest.approx(base.duration / 10)
    assert found.user_seconds == pytest.approx(base.user_seconds / 10)
    assert (found.peak, found.graceful_stop, found.thresholds) == (base.peak, base.graceful_stop, base.thresholds)


def test_a_duration_stretches_the_hold() -> None:
    """The whole takes as long as asked for, and the ramps as long as before."""
    scenario = parse(FULL.replace('{ duration = "1m", target = 0 }', '{ duration = "1m", target = 20 }'))

    assert [stage.duration for stage in scenario.with_duration(300).loads[0].stages] == [30, 270]
    assert parse(CONSTANT).with_duration(3600).duration == 3600


@pytest.mark.parametrize(
    ("text", "seconds", "why"),
    [(FULL, 300, "never holds its peak"), (CONSTANT, 0, "cannot take 0 s")],
)
def test_a_duration_that_no_hold_can_fill_is_refused(text: str, seconds: float, why: str) -> None:
    """Without a hold, or with ramps that take as long, it says so."""
    with pytest.raises(ConfigError, match=why):
        parse(text).with_duration(seconds)


def test_contention_is_true_or_false() -> None:
    """Nothing else will do, and without a word of it it is false."""
    assert not parse(CONSTANT).contention
    assert parse(CONSTANT + "contention = true\n").contention
    assert "s.toml, line 5: contention must be true or false" in refusal(CONSTANT + "contention = 1\n")
