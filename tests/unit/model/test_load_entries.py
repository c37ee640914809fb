"""Scenario files of every executor, and of several loads: their keys, their defaults, and how a mistake is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ScenarioError
from lab.model.load import EXECUTORS, Load
from lab.model.load_entries import COMMON, KEYS, OWN
from lab.model.scenario_file import parse_scenario
from lab.model.stage import MAX_SECONDS, Stage

if TYPE_CHECKING:
    from lab.model.scenario import Scenario

STAGES: Final = 'stages = [{duration = "5s", target = 6}, {duration = "5s", target = 6}]'
WRITTEN: Final = {
    "executor": "", "exec": 'exec = "U"', "startTime": 'startTime = "5s"', "gracefulStop": 'gracefulStop = "1m"',
    "tags": 'tags = {b = "2", a = "1"}', "env": 'env = {K = "v"}', "vus": "vus = 3", "duration": 'duration = "10s"',
    "startVUs": "startVUs = 2", "stages": STAGES, "gracefulRampDown": 'gracefulRampDown = "3s"',
    "iterations": "iterations = 12", "maxDuration": 'maxDuration = "2m"', "rate": "rate = 7",
    "startRate": "startRate = 4", "timeUnit": 'timeUnit = "1m"', "preAllocatedVUs": "preAllocatedVUs = 5",
    "maxVUs": "maxVUs = 9", "arrivals": 'arrivals = "poisson"', "whenBusy": 'whenBusy = "wait"',
}  # fmt: skip
COMMONLY: Final[dict[str, Any]] = {
    "user_class": "U", "start_time": 5.0, "graceful_stop": 60.0, "tags": (("a", "1"), ("b", "2")),
    "env": (("K", "v"),),
}  # fmt: skip
ARRIVING: Final[dict[str, Any]] = {"time_unit": 60.0, "pre_allocated": 5, "max_vus": 9, "poisson": True, "waits": True}
MEANT: Final[dict[str, dict[str, Any]]] = {
    "constant-vus": {"stages": (Stage(10, 3),), "start": 3},
    "ramping-vus": {"stages": (Stage(5, 6), Stage(5, 6)), "start": 2, "graceful_ramp_down": 3.0},
    "shared-iterations": {"stages": (Stage(120, 3),), "start": 3, "iterations": 12},
    "per-vu-iterations": {"stages": (Stage(120, 3),), "start": 3, "iterations": 12},
    "constant-arrival-rate": {"stages": (Stage(10, 7),), "start": 7, **ARRIVING},
    "ramping-arrival-rate": {"stages": (Stage(5, 6), Stage(5, 6)), "start": 4, **ARRIVING},
}
LEAST: Final = {
    "constant-vus": ("vus", "duration"),
    "ramping-vus": ("stages",),
    "shared-iterations": (),
    "per-vu-iterations": (),
    "constant-arrival-rate": ("rate", "duration", "preAllocatedVUs"),
    "ramping-arrival-rate": ("stages", "preAllocatedVUs"),
}


def lines(executor: str, *keys: str) -> str:
    """Write a load with these keys."""
    rows = [f'executor = "{executor}"', *(WRITTEN[key] for key in keys if key != "executor")]
    return "".join(f"{row}\n" for row in rows)


def parse(text: str) -> Scenario:
    """Read a scenario that is called s.toml."""
    return parse_scenario(text, "s", "s.toml")


def refusal(text: str) -> str:
    """Give the sentence with which a scenario is refused."""
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_key_of_an_executor_is_read(executor: str) -> None:
    """All that it takes, each with a value that is not its default."""
    text = lines(executor, *COMMON, *OWN[executor])
    if "arrival" in executor:
        text = text.replace('"10s"', '"60s"').replace('"5s", target', '"30s", target')
    found = parse(text).loads
    wanted = Load(executor, **COMMONLY, **MEANT[executor])
    if "arrival" in executor:
        stages = {"constant-arrival-rate": (Stage(60, 7),), "ramping-arrival-rate": (Stage(30, 6), Stage(30, 6))}
        wanted = Load(executor, **{**COMMONLY, **MEANT[executor], "stages": stages[executor]})

    assert found == (wanted,)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_is_not_said_has_its_default(executor: str) -> None:
    """As the document says it."""
    load = parse(lines(executor, "exec", *LEAST[executor])).loads[0]

    assert (load.start_time, load.graceful_stop, load.graceful_ramp_down, load.tags, load.env) == (0, 30, 30, (), ())
    assert (load.name, load.poisson, load.waits, load.time_unit) == ("", False, False, 1)
    if load.open:
        assert (load.pre_allocated, load.max_vus) == (5, 5)
    if load.bounded:
        assert (load.start, load.iterations, load.stages) == (1, 1, (Stage(600, 1),))
    if executor.startswith("ramping"):
        assert load.start == 0


@pytest.mark.parametrize(
    ("executor", "key"), [(name, key) for name in EXECUTORS for key in KEYS if key not in {*COMMON, *OWN[name]}]
)
def test_a_key_of_another_executor_is_told(executor: str, key: str) -> None:
    """With its line and with what this one takes."""
    said = refusal(lines(executor, "exec", *LEAST[executor], key))

    assert said.startswith(f's.toml, line {3 + len(LEAST[executor])}: "{key}" does not belong to {executor}')
    assert all(own in said for own in OWN[executor])


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("key", KEYS)
def test_a_mistyped_key_is_told_with_the_right_one(executor: str, key: str) -> None:
    """A letter that is missing, in any key of any load."""
    wrong = key[:-2] + key[-1]
    said = refusal(lines(executor, "exec", *LEAST[executor]) + f"{wrong} = 1\n")

    assert f'line {3 + len(LEAST[executor])}: unknown key "{wrong}"; did you mean "{key}"?' in said


WRONG: Final = [
    # executor, key, what is written instead, sentence
    ("constant-vus", "vus", "vus = 0", "0 users for 10 s are no load; both must be more than 0"),
    ("constant-vus", "duration", 'duration = "0s"', "3 users for 0 s are no load"),
    ("constant-vus", "startTime", 'startTime = "soon"', 'startTime: "soon" is no duration'),
    ("constant-vus", "gracefulStop", "gracefulStop = 5", "gracefulStop must be a duration in quotes"),
    ("constant-vus", "tags", "tags = {a = 1}", "tags is a table of texts"),
    ("constant-vus", "env", 'env = "K=v"', "env is a table of texts"),
    ("ramping-vus", "gracefulRampDown", "gracefulRampDown = true", "gracefulRampDown must be a duration in quotes"),
    ("ramping-vus", "stages", 'stages = [{duration = "0s", target = 5}]', "these stages never run a user"),
    ("shared-iterations", "iterations", "iterations = 0", "3 users and 0 iterations are no load"),
    ("shared-iterations", "iterations", "iterations = 2", "3 users share 2 iterations: some would have nothing to do"),
    ("shared-iterations", "iterations", "iterations = 1.5", "iterations = 1.5 must be a whole number"),
    ("per-vu-iterations", "vus", "vus = 0", "0 users and 12 iterations are no load"),
    ("per-vu-iterations", "maxDuration", 'maxDuration = "0s"', "maxDuration must be more than 0"),
    ("constant-arrival-rate", "rate", "rate = 0", "0 arrivals for 10 s are no load"),
    ("constant-arrival-rate", "rate", "rate = 1.5", "rate = 1.5 must be a whole number"),
    ("constant-arrival-rate", "timeUnit", 'timeUnit = "0s"', "timeUnit must be more than 0"),
    ("constant-arrival-rate", "timeUnit", 'timeUnit = "1h"', "this rate starts not one iteration; raise it"),
    ("constant-arrival-rate", "maxVUs", "maxVUs = 4", "maxVUs = 4 must be at least 1, and no less than preAlloc"),
    ("constant-arrival-rate", "maxVUs", "maxVUs = 0", "maxVUs = 0 must be at least 1"),
    ("constant-arrival-rate", "arrivals", 'arrivals = "random"', "arrivals is one of uniform, poisson, not 'random'"),
    ("constant-arrival-rate", "whenBusy", "whenBusy = true", "whenBusy is one of drop, wait, not True"),
    ("ramping-arrival-rate", "startRate", "startRate = -1", "startRate = -1 must be a whole number"),
    ("ramping-arrival-rate", "stages", "stages = []", "ramping-arrival-rate needs stages"),
    ("ramping-arrival-rate", "preAllocatedVUs", 'preAllocatedVUs = "5"', "preAllocatedVUs = '5' must be a whole"),
]


@pytest.mark.parametrize(("executor", "key", "written", "sentence"), WRONG)
def test_a_value_that_makes_no_load_is_told(executor: str, key: str, written: str, sentence: str) -> None:
    """With its line, wherever that stands, and what it must be."""
    keys = [*("exec", "startTime", "gracefulStop", "tags", "env"), *OWN[executor]]
    if "arrival" in executor and key != "timeUnit":
        keys.remove("timeUnit")
    text = lines(executor, *keys).replace(WRITTEN[key], written)
    said = refusal(text)

    assert said.startswith(f"s.toml, line {text.splitlines().index(written) + 1}: ")
    assert sentence in said


def test_zero_pre_allocated_users_may_be_made_later() -> None:
    """One at least may come; that none is there from the beginning must be said."""
    text = lines("constant-arrival-rate", "exec", "rate", "duration")

    assert parse(f"{text}preAllocatedVUs = 0\n").loads[0].max_vus == 1
    assert '"preAllocatedVUs" is missing; add a line like preAllocatedVUs = 20' in refusal(text)


SEVERAL: Final = """\
rps = 50.5
warmup = "10s"

[scenarios.read]
executor = "constant-vus"
exec = "Reader"
vus = 5
duration = "30s"

[scenarios.sale]
executor = "constant-arrival-rate"
exec = "Booker"
startTime = "20s"
rate = 5
duration = "30s"
preAllocatedVUs = 5

[scenarios.sale.tags]
team = "a"

[thresholds]
"http_req_duration{scenario:sale}" = [
    "p(95)<500",
    {threshold = "p(99)<900", abortOnFail = true, delayAbortEval = "5s"},
]
http_req_failed = {threshold = "rate<0.1", abortOnFail = true}
"""


def test_several_loads_are_read_in_their_order() -> None:
    """Each by its name, with its own class and its own tags; what is for all of them stands at the top."""
    found = parse(SEVERAL)
    read, sale = found.loads

    assert (read.name, read.user_class, read.tags, read.end) == ("read", "Reader", (), 30)
    assert (sale.name, sale.user_class, sale.tags, sale.end) == ("sale", "Booker", (("team", "a"),), 50)
    assert (found.rps, found.warmup, found.auto_warmup, found.duration) == (50.5, 10, False, 50)


def test_thresholds_that_end_the_run_are_read() -> None:
    """As a text, as k6's table, alone or in a list."""
    assert [(str(t), t.abort, t.delay) for t in parse(SEVERAL).thresholds] == [
        ("http_req_duration{scenario:sale} p(95)<500", False, 0.0),
        ("http_req_duration{scenario:sale} p(99)<900", True, 5.0),
        ("http_req_failed rate<0.1", True, 0.0),
    ]


IN_SECTIONS: Final = [
    # old, new, line, sentence
    ("rate = 5", "rat = 5", 14, 'unknown key "rat"; did you mean "rate"?'),
    ('rate = 5\nduration = "30s"', 'rate = 5\nduraton = "30s"', 15, 'unknown key "duraton"; did you mean "duration"?'),
    ('rate = 5\nduration = "30s"', 'rate = 5\nduration = "30"', 15, 'duration: "30" is no duration'),
    ('exec = "Booker"', "exec = 5", 12, "exec must be a text in quotes, not 5"),
    ('exec = "Booker"\n', "", 10, '"exec" is missing; add a line like'),
    ('executor = "constant-arrival-rate"\n', "", 10, '"executor" is missing; add a line like'),
    ('exec = "Reader"\n', "", 4, '"exec" is missing; add a line like'),
    ("rate = 5", "vus = 5", 14, '"vus" does not belong to constant-arrival-rate'),
    ('"constant-arrival-rate"', '"constant-rate"', 11, 'unknown executor "constant-rate"; did you mean'),
    ('team = "a"', "team = 1", 18, "tags is a table of texts"),
    ('team = "a"', '[scenarios.sale.tgas]\nx = "a"', 19, 'unknown key "tgas"; did you mean "tags"?'),
    ("rps = 50.5", "rps = 0", 1, "rps = 0 would let nothing through; leave it out for no limit"),
    ("rps = 50.5", 'rps = "5"', 1, "rps = '5' must be a number over 0"),
    ("rps = 50.5", "rps = nan", 1, "rps = nan must be a number over 0"),
    ("rps = 50.5", "rps = true", 1, "rps = True must be a number over 0"),
    ("rps = 50.5", "rsp = 50.5", 1, 'unknown key "rsp"; did you mean "rps"?'),
    ("rps = 50.5", "vus = 5", 1, 'unknown key "vus": it belongs into a [scenarios.NAME]'),
    ("rps = 50.5", 'tags = {a = "b"}', 1, 'unknown key "tags": it belongs into a [scenarios.NAME]'),
    ('warmup = "10s"', 'warmup = "50s"', 2, "warmup: 50 s leave nothing of a run of 50 s"),
    ('warmup = "10s"', 'warmup = "automatic"', 2, 'warmup: "automatic" is no duration'),
    ('warmup = "10s"', "warmup = 10", 2, 'warmup must be a duration in quotes, like warmup = "30s"'),
    ("[scenarios.sale]", '[scenarios."a sale"]', 10, '"a sale" is no name for a load: write letters, digits'),
    ("[scenarios.sale]", '[scenarios.""]', None, '"" is no name for a load'),
    ("abortOnFail = true, delay", "abortOnFial = true, delay", 24, 'unknown key "abortOnFial"; did you mean "abortOnF'),
    ('rate<0.1", abortOnFail = true', 'rate<0.1", abortOnFail = 1', 26, "abortOnFail must be true or false, not 1"),
    ('delayAbortEval = "5s"', "delayAbortEval = 5", 24, "delayAbortEval must be a duration in quotes"),
    ('{threshold = "p(99)<900", ', "{", 22, 'write {threshold = "p(95)<2000", abortOnFail = true}'),
    ('"p(99)<900"', '"p(99)=<900"', 24, '"=<" is no operator'),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), IN_SECTIONS)
def test_a_mistake_is_told_by_the_line_of_its_section(old: str, new: str, line: int | None, sentence: str) -> None:
    """The same key may stand in each load: it is the one with the mistake that is named."""
    assert SEVERAL.count(old) == 1
    said = refusal(SEVERAL.replace(old, new))

    assert said.startswith(f"s.toml, line {line}: " if line else "s.toml")
    assert sentence in said


@pytest.mark.parametrize("text", ["scenarios = 1", "scenarios = []", "[scenarios]", "[scenarios]\na = 1"])
def test_several_loads_are_tables(text: str) -> None:
    """Nothing else, and at least one."""
    assert "several loads are tables of their own: [scenarios.NAME]" in refusal(text)


def test_a_warm_up_may_be_found_after_the_run() -> None:
    """By a word, which is no length yet."""
    found = parse(SEVERAL.replace('"10s"', '"auto"'))
    assert (found.warmup, found.auto_warmup) == (0, True)


def test_a_warm_up_is_stretched_with_the_run() -> None:
    """As is all of its time."""
    assert parse(SEVERAL).scaled(0.5).warmup == 5


values = st.sampled_from(
    ["0", "1", "5", "-1", "1.5", "true", "nan", '""', '"0s"', '"1s"', '"10m"', '"wait"', '"poisson"', '"auto"', "[]",
     "{}", '{a = "b"}', "[{}]", '[{duration = "1s", target = 3}]', "1000000", "1000001", "99999999999999999999"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(EXECUTORS),
    st.dictionaries(st.sampled_from([*KEYS, "rps", "warmup", "scenarios"]), values, max_size=5),
    st.booleans(),
)
def test_no_load_breaks_the_parser(executor: str, table: dict[str, str], named: bool) -> None:  # noqa: FBT001 - drawn
    """Keys with values of any type make a load that does something, or an error that names its file."""
    keys = {**{key: WRITTEN[key].partition(" = ")[2] for key in ("exec", *LEAST[executor])}, **table}
    keys["executor"] = f'"{executor}"'
    text = ("[scenarios.x]\n" if named else "") + "".join(f"{key} = {value}\n" for key, value in keys.items())
    assert parsed_or_refused(text)


def parsed_or_refused(text: str) -> bool:
    """Tell whether a text is a scenario whose loads do something, or is refused with an error that names its file."""
    try:
        found = parse(text)
    except ScenarioError as error:
        return str(error).startswith("s.toml")
    does = found.user_seconds + sum(load.arrivals + load.total for load in found.loads)
    return does > 0 and 0 < found.duration <= 2 * MAX_SECONDS and found.peak >= 0
