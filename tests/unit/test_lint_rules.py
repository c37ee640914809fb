"""Every rule of the linter: it fires on what it is for, with its arithmetic, and stays silent on what is sound."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from lab.lint.linter import RULES, UNKNOWN, remarks
from lab.lint.plan import Plan
from lab.lint.routine import Routine
from lab.model.dataset import DataNeeds, Dataset, Flight, SeedPlan
from lab.model.lint import Remark, Severity, clean
from lab.model.load import Load
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold

BOOKER: Final = Routine({"booking": 1}, ("booking accepted",), think=0.99, seats=2, flights="all")
NAIVE: Final = Routine({"signup": 1, "signin": 1, "booking": 1}, think=0.99, seats=2, flights="all")
PLENTY: Final = DataNeeds(50, 20, (400, 850))
STAGES: Final = (Stage(30, 20), Stage(60, 20), Stage(10, 0))


def plan(
    *thresholds: str, does: Routine | None = BOOKER, stages: tuple[Stage, ...] = STAGES, start: int = 0,
    data: DataNeeds = PLENTY, contention: bool = False, tags: tuple[tuple[str, str], ...] = (),
) -> Plan:  # fmt: skip
    """Make a plan that no rule has anything against; 1,600 iterations of one second each."""
    parsed = tuple(parse_threshold(*text.rsplit(" ", 1)) for text in thresholds)
    scenario = Scenario(
        "s", (Load("ramping-vus", "U", stages, start, tags=tags),), thresholds=parsed, data=data, contention=contention
    )
    return Plan.of(scenario, {"U": does})


def codes(found: tuple[Remark, ...]) -> list[str]:
    """Give the codes of remarks."""
    return [remark.code for remark in found]


def only(found: tuple[Remark, ...], code: str) -> Remark:
    """Give the one remark that there is, which has this code."""
    assert codes(found) == [code]
    return found[0]


def test_a_sound_plan_has_no_remark() -> None:
    """With thresholds on what it makes, too."""
    sound = plan(
        "http_req_duration{operation:booking} p(95)<2000", "http_req_duration p(99)<5000", "http_req_failed rate<0.05",
        "checks{check:booking accepted} rate>0.95", "seats_lost value==0", "iterations count>1000", "http_reqs rate>10",
        "iteration_duration{name:book} p(90)<100", "vus value<=20", "notification_delay p(95)<5000", "checks rate>0.9",
        "http_req_duration{name:POST /x} p(99.99)<10", "http_req_duration{team:a} p(95)<500",
        tags=(("team", "a"),),
    )  # fmt: skip
    assert remarks(sound) == ()


def test_seats_that_run_out_are_told_with_the_moment() -> None:
    """2 seats × 1,600 iterations are more than 2,500; half way up and along the hold they are gone."""
    remark = only(remarks(plan(data=DataNeeds(5, 5, (500, 500)))), "seats-run-out")

    assert remark.severity is Severity.ERROR
    assert "1,600 user-seconds ÷ 1 s = 1,600 iterations, × 2 seats = 3,200 seats; there are 2,500" in remark.sentence
    # 300 user-seconds of ramp, then 20 a second: 1,250 iterations are over after 30 + 950 / 20 s.
    assert "At 20 bookings/s at the peak they will run out after 78 of 100 s" in remark.sentence
    assert "[data] flights = 8" in remark.remedy


def test_a_small_flight_may_run_out_by_chance() -> None:
    """Enough seats in all, but the smallest flight has little more than its share."""
    small = plan(data=DataNeeds(50, 20, (80, 120)))
    remark = only(remarks(small), "seats-run-out")

    assert remark.severity is Severity.WARNING
    assert "64 a flight, and by chance up to 105, where the smallest flight has 80" in remark.sentence
    assert remarks(plan(data=DataNeeds(50, 20, (106, 120)))) == ()


def test_a_datasets_own_seats_count() -> None:
    """Where the data is known, what the scenario asks for does not matter."""
    few = Dataset("http://x", SeedPlan(), tuple(Flight(n, f"F{n}", 60, 1.0) for n in range(50)))

    remark = only(remarks(replace(plan(), dataset=few)), "seats-run-out")
    assert "there are 3,000 (50 flights)" in remark.sentence


def test_a_reader_needs_no_seats() -> None:
    """Nobody books: neither seats nor rows can be short."""
    reader = Routine({"search": 1}, think=0.99)

    assert remarks(plan(does=reader, data=DataNeeds(1, 1, (1, 1)))) == ()


def test_set_up_in_every_iteration_is_told() -> None:
    """A sign-up in an iteration, or a sign-in in each; a sign-in in every tenth is what travellers do."""
    assert codes(remarks(plan(does=NAIVE))) == ["set-up-inside", "password-hashing"]
    session = replace(BOOKER, requests={"booking": 2, "login": 0.1})
    assert remarks(plan(does=session)) == ()
    assert "set-up-inside" in codes(remarks(plan(does=replace(session, requests={"booking": 9, "login": 1}))))
    assert "set-up-inside" in codes(remarks(plan(does=replace(session, requests={"booking": 9, "signup": 0.1}))))


def test_hashing_beyond_half_of_the_service_time_is_told() -> None:
    """50 ms of hashing against 50 ms of the rest is half; against 40 ms it is more."""
    at_half = replace(BOOKER, requests={"booking": 5, "login": 1})
    more = replace(BOOKER, requests={"booking": 4, "login": 1})

    assert "password-hashing" not in codes(remarks(plan(does=at_half)))
    found = next(r for r in remarks(plan(does=more)) if r.code == "password-hashing")
    assert "1 × 50 ms of hashing in 90 ms of service an iteration: 56%" in found.sentence


def test_a_hot_row_is_told_unless_it_is_meant() -> None:
    """0.2 requests at once need two flights; one is a contention test."""
    data = DataNeeds(50, 20, (9000, 9000))
    one = replace(BOOKER, flights="one")
    remark = only(remarks(plan(does=one, data=data)), "hot-row")
    meant = only(remarks(plan(does=one, data=data, contention=True)), "hot-row")

    assert "20 users ÷ 1 s × 10 ms = 0.2 requests at once, on 1 flight; an even load needs 2" in remark.sentence
    assert (remark.severity, meant.severity) == (Severity.WARNING, Severity.NOTE)
    assert remarks(plan(data=replace(data, flights=2))) == ()
    assert "hot-row" in codes(remarks(plan(data=replace(data, flights=1))))


def test_seats_that_run_out_on_purpose_are_a_note() -> None:
    """A contention test sells its flight out."""
    meant = plan(does=replace(BOOKER, flights="one"), data=DataNeeds(1, 20, (500, 500)), contention=True)

    assert {remark.severity for remark in remarks(meant)} == {Severity.NOTE}
    assert clean(remarks(meant))
    assert codes(remarks(meant)) == ["seats-run-out", "hot-row"]


@pytest.mark.parametrize(
    ("stages", "start", "expected"),
    [
        ((Stage(60, 20),), 20, ["no-ramp"]),
        ((Stage(60, 1),), 1, []),
        ((Stage(9, 20), Stage(91, 20)), 0, ["no-ramp"]),
        ((Stage(10, 20), Stage(90, 20)), 0, []),
        ((Stage(50, 20), Stage(9, 20), Stage(41, 0)), 0, ["no-hold"]),
        ((Stage(50, 20), Stage(10, 20), Stage(40, 0)), 0, []),
        ((Stage(50, 20), Stage(50, 0)), 0, ["no-hold"]),
    ],
)
def test_ramp_and_hold_are_a_tenth_each(stages: tuple[Stage, ...], start: int, expected: list[str]) -> None:
    """Less than a tenth is told, a tenth is enough; one user alone needs no ramp."""
    assert codes(remarks(plan(stages=stages, start=start))) == expected


@pytest.mark.parametrize(
    "threshold",
    [
        "http_req_failed rate>=0", "http_req_failed rate<=1", "checks rate<1.1", "http_req_duration p(95)<1000000000",
        "http_req_duration avg>-1", "http_req_duration max<60000", "seats_lost value>=0", "http_reqs count>=0",
        "http_reqs count!=-1",
    ],
)  # fmt: skip
def test_a_threshold_that_every_run_meets_is_told(threshold: str) -> None:
    """Its bound lies outside of what can be measured."""
    assert only(remarks(plan(threshold)), "threshold-cannot-fail").severity is Severity.WARNING


@pytest.mark.parametrize(
    "threshold",
    ["http_req_failed rate<1", "http_req_failed rate>0", "http_req_duration p(95)<59999", "seats_lost value<=0",
     "http_req_duration count<1000000", "checks rate>=1"],
)  # fmt: skip
def test_a_threshold_that_a_run_may_miss_is_left_alone(threshold: str) -> None:
    """At the very edge of what can be measured, too."""
    assert remarks(plan(threshold)) == ()


@pytest.mark.parametrize(
    "threshold",
    ["http_req_failed rate<0", "checks rate>1", "checks rate>95", "seats_lost value==-1", "http_req_duration avg<0"],
)
def test_a_threshold_that_no_run_meets_is_told(threshold: str) -> None:
    """A share that was written in percent, say."""
    assert only(remarks(plan(threshold)), "threshold-cannot-pass").severity is Severity.ERROR


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ("p(95)<2000", "p(95)<500"), ("p(95)<2000", "p(99)<2000"), ("med<2000", "p(95)<1000"), ("p(99)<9", "max<9"),
        ("p(95)<=9", "p(95)<9"), ("avg<9", "avg<8"), ("min>1", "min>2"), ("p(95)>1", "min>1"),
        ("p(50)<9", "med<8"), ("med>1", "p(50)>2"),
    ],
)  # fmt: skip
def test_a_threshold_behind_a_stronger_one_is_told(weak: str, strong: str) -> None:
    """In either order, and only the weaker of the two."""
    for pair in ((weak, strong), (strong, weak)):
        remark = only(remarks(plan(*(f"http_req_duration {text}" for text in pair))), "threshold-moot")
        assert remark.sentence.startswith(f"http_req_duration {weak}: {strong} on the same metric")


def test_a_threshold_that_stands_twice_is_told_once() -> None:
    """Word for word the same decides once."""
    only(remarks(plan("checks rate>0.9", "checks rate>0.9")), "threshold-moot")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http_req_duration p(95)<2000", "http_req_duration p(99)<5000"),
        ("http_req_duration avg<100", "http_req_duration p(95)<100"),
        ("http_req_duration p(95)<2000", "http_req_duration p(95)>10"),
        ("http_req_duration p(95)<2000", "http_req_duration{operation:booking} p(95)<100"),
        ("http_req_duration max<2000", "http_req_duration p(95)<2001"),
    ],
)
def test_thresholds_that_each_decide_something_are_left_alone(one: str, other: str) -> None:
    """A higher percentile with a wider bound, another direction, another metric."""
    expected = ["threshold-moot"] if "max" in one else []
    assert codes(remarks(plan(one, other))) == expected


@pytest.mark.parametrize(
    ("threshold", "why"),
    [
        ("http_req_duration{operation:search} avg<9", 'no request of this scenario has the operation "search"'),
        ("http_req_failed{operation:search} rate<0.1", 'no request of this scenario has the operation "search"'),
        ("checks{check:is blue} rate>0.9", 'no check of this scenario has the check "is blue"'),
        ("http_req_duration{team:a} avg<9", "nothing is tagged team:a here"),
        ("iterations{operation:booking} count>1", "nothing is tagged operation:booking here"),
        ("vus{team:a} value>1", "nothing is tagged team:a here"),
        ("dropped_iterations count<10", "no iteration is dropped here"),
        ("tea_drunk count>1", "the users make no metric tea_drunk"),
    ],
)
def test_a_threshold_without_data_is_told(threshold: str, why: str) -> None:
    """It would be found out after the run, as NO DATA."""
    remark = only(remarks(plan(threshold)), "threshold-no-data")

    assert remark.severity is Severity.ERROR
    assert why in remark.sentence


def test_checks_and_mails_that_nobody_makes_have_no_data() -> None:
    """A reader that checks nothing and books nothing."""
    reader = Routine({"search": 1}, metrics=("tea_drunk",), think=0.99)
    found = remarks(plan("checks rate>0.9", "notification_delay p(95)<9", "tea_drunk count>1", does=reader))

    assert codes(found) == ["threshold-no-data", "threshold-no-data"]


def test_too_few_samples_for_a_percentile_are_told() -> None:
    """1,600 requests leave 16 beyond p(99), and 1.6 beyond p(99.9)."""
    assert remarks(plan("http_req_duration p(99)<900")) == ()
    remark = only(remarks(plan("http_req_duration p(99.9)<900")), "few-samples")

    assert "1,600 samples × 0.001 = 1.6 lie beyond p(99.9); at least 10 must, and it takes 10,000" in remark.sentence
    assert (
        "no number of samples is enough" in only(remarks(plan("iteration_duration p(100)<9")), "few-samples").sentence
    )


def test_a_rate_that_the_sleep_forbids_is_told() -> None:
    """20 users that sleep for a second each make at most 20 iterations a second, and 16 on average of this shape."""
    asleep = replace(BOOKER, think=0.5, sleep=0.5)
    assert remarks(plan("iterations rate>=16", does=asleep)) == ()
    assert remarks(plan("iterations rate<100", does=asleep)) == ()
    remark = only(remarks(plan("iterations rate>16", does=asleep)), "sleep-caps-rate")

    assert "1,600 user-seconds ÷ 1 s of sleep an iteration × 1 is at most 16.0/s" in remark.sentence
    assert (
        "at most 1,600.0, however"
        in only(remarks(plan("http_reqs count>2000", does=asleep)), "sleep-caps-rate").sentence
    )
    assert remarks(plan("iterations rate>100", does=replace(BOOKER, think=0.0, seats=0, flights="none"))) == ()


def test_what_is_not_known_is_not_guessed() -> None:
    """Without a routine: the rules on shape and bounds still speak, the others are named in a note."""
    found = remarks(plan("checks rate>1", "tea count>1", does=None, stages=(Stage(60, 20),), start=20))

    assert codes(found) == ["threshold-cannot-pass", "no-ramp", UNKNOWN]
    blind = {rule.code for rule in RULES if rule.needs_routine}
    assert set(found[-1].sentence.partition("not looked at: ")[2].split(", ")) == blind
    assert clean(remarks(plan(does=None)))


def test_the_heaviest_come_first() -> None:
    """Errors, warnings, notes."""
    found = remarks(plan("checks rate>1", stages=(Stage(60, 20),), start=20, does=NAIVE))

    assert [remark.severity for remark in found] == sorted((r.severity for r in found), key=list(Severity).index)
    assert len({remark.severity for remark in found}) == 2
