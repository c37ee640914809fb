"""The linter on every executor, on several loads in one scenario, on `rps` and on a warm-up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from lab.lint.linter import UNKNOWN, remarks
from lab.lint.plan import Plan, bookings, busy
from lab.lint.routine import Routine
from lab.model.dataset import DataNeeds
from lab.model.lint import Remark, Severity, clean
from lab.model.load import Load
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.threshold import Threshold, parse_threshold

BOOKER: Final = Routine({"booking": 1}, ("booking accepted",), seats=2, flights="all")
"""10 ms of service an iteration, no think time."""
READER: Final = Routine({"search": 1}, ("flights found",), think=0.99)
NAIVE: Final = Routine({"signup": 1, "signin": 1, "booking": 1}, seats=2, flights="one")
ROUTINES: Final = {"B": BOOKER, "R": READER, "N": NAIVE, "T": replace(BOOKER, think=0.99)}
PLENTY: Final = DataNeeds(500, 20, (400, 850))
RISE: Final = (Stage(20, 50), Stage(40, 50))
"""2,500 arrivals at one a second and number."""


def arrive(stages: tuple[Stage, ...] = RISE, user_class: str = "B", **more: Any) -> Load:
    """Make an open load that no rule has anything against."""
    return Load("ramping-arrival-rate", user_class, stages, **{"pre_allocated": 20, "max_vus": 50, **more})


def users(stages: tuple[Stage, ...] = (Stage(20, 20), Stage(40, 20)), user_class: str = "R", **more: Any) -> Load:
    """Make a closed load that no rule has anything against."""
    return Load("ramping-vus", user_class, stages, **more)


def bounded(executor: str, vus: int, iterations: int, user_class: str = "B", longest: float = 600.0) -> Load:
    """Make a load that ends with its iterations."""
    return Load(executor, user_class, (Stage(longest, vus),), vus, iterations=iterations)


def plan(*loads: Load, thresholds: tuple[Threshold, ...] = (), data: DataNeeds = PLENTY, **more: Any) -> Plan:
    """Make the plan of a scenario of these loads."""
    return Plan.of(Scenario("s", loads, thresholds=thresholds, data=data, **more), ROUTINES)


def judged(*texts: str) -> tuple[Threshold, ...]:
    """Read thresholds."""
    return tuple(parse_threshold(*text.rsplit(" ", 1)) for text in texts)


def codes(found: tuple[Remark, ...]) -> list[str]:
    """Give the codes of remarks."""
    return [remark.code for remark in found]


def only(made: Plan, code: str) -> Remark:
    """Give the one remark that there is, which has this code."""
    found = remarks(made)
    assert codes(found) == [code], found
    return found[0]


@pytest.mark.parametrize(
    ("load", "iterations"),
    [
        (users(user_class="T"), 1000),
        (arrive(), 2500),
        (arrive(time_unit=60.0), 2500 / 60),
        (arrive(start_time=100.0), 2500),
        (bounded("shared-iterations", 10, 700), 700),
        (bounded("per-vu-iterations", 10, 70), 700),
        (bounded("shared-iterations", 10, 700, "T", 30.0), 300),
    ],
)
def test_iterations_go_by_the_executor(load: Load, iterations: float) -> None:
    """User-seconds over the cycle, arrivals as they are, or the number that is given, as far as the time lets it."""
    assert plan(load).iterations == pytest.approx(iterations)


def test_several_loads_add_up() -> None:
    """Iterations and seats are sums; the highest rate is that of a moment at which all of them run."""
    both = plan(arrive(), users(user_class="T", start_time=50.0))
    apart = plan(arrive(), users(user_class="T", start_time=60.0))

    assert (both.iterations, both.seats) == pytest.approx((3500, 7000))
    # At the end of the arrivals half of the ramp is over: 50 a second, and ten of twenty users.
    assert both.highest(bookings) == pytest.approx(60, rel=1e-3)
    assert apart.highest(bookings) == pytest.approx(50, rel=1e-3)
    assert apart.highest(busy) == pytest.approx(0.5, rel=1e-3)


def test_seats_run_out_over_all_loads_with_the_moment() -> None:
    """2,500 arrivals take 5,000 seats in a minute; 1,000 iterations after it the other 2,000 in another."""
    made = plan(arrive(), users(user_class="T", start_time=60.0), data=DataNeeds(10, 20, (600, 600)))
    remark = only(made, "seats-run-out")

    assert "2,500 arrivals, × 2 seats = 5,000 seats" in remark.sentence
    assert "1,000 user-seconds ÷ 1 s = 1,000 iterations, × 2 seats = 2,000 seats; together 7,000" in remark.sentence
    # 500 iterations of the second load: 200 of its ramp, and 300 at 20 a second.
    assert "they will run out after 95 of 120 s" in remark.sentence
    assert remark.severity is Severity.ERROR
    assert made.sold_out_after() == pytest.approx(95)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (arrive(), "2,500 arrivals, × 2 seats = 5,000 seats; there are 4,000"),
        (bounded("per-vu-iterations", 50, 50), "2,500 iterations, × 2 seats = 5,000 seats; there are 4,000"),
    ],
)
def test_the_seats_of_every_executor_are_counted(load: Load, words: str) -> None:
    """Where its iterations come from stands in the sentence."""
    found = next(r for r in remarks(plan(load, data=DataNeeds(400, 20, (10, 10)))) if r.code == "seats-run-out")
    assert words in found.sentence


def test_one_flight_is_looked_at_apart() -> None:
    """A load that books one flight beside one that books all: its own 400 seats are gone, not all of them."""
    crowd = replace(users(user_class="C"), name="crowd")
    made = Plan.of(
        plan(replace(arrive(), name="all"), crowd).scenario,
        {**ROUTINES, "C": replace(BOOKER, flights="one", think=0.99)},
    )
    found = {remark.code: remark for remark in remarks(made)}

    assert set(found) == {"seats-run-out", "hot-row"}
    assert found["seats-run-out"].sentence.startswith("crowd: 1,000 user-seconds")
    assert "(1 flight of 400–850 seats)" in found["seats-run-out"].sentence
    assert found["hot-row"].sentence.startswith("crowd: 20 users ÷ 1 s × 10 ms = 0.2 requests at once, on 1 flight")


def test_requests_at_once_of_arrivals_are_rate_times_time() -> None:
    """50 a second of 10 ms each are half a request at once, and need five flights."""
    remark = only(plan(arrive(), data=DataNeeds(4, 20, (9000, 9000))), "hot-row")

    assert "50/s × 10 ms = 0.5 requests at once, on 4 flights; an even load needs 5" in remark.sentence
    assert remarks(plan(arrive(), data=DataNeeds(5, 20, (9000, 9000)))) == ()


def test_set_up_is_told_of_the_load_that_does_it() -> None:
    """By its name, and of no other."""
    made = plan(replace(users(), name="read"), replace(users(user_class="N"), name="naive"))
    found = next(remark for remark in remarks(made) if remark.code == "set-up-inside")

    assert found.sentence.startswith("naive: 9,091 iterations × (1 sign-up + 1 sign-in)")


def test_hashing_is_weighed_over_all_loads() -> None:
    """As the run's own gate does: beside enough other work it is no more than half."""
    alone, beside = plan(users(user_class="N")), plan(users(user_class="N"), arrive((Stage(10, 2000), Stage(60, 2000))))

    assert "password-hashing" in codes(remarks(alone))
    assert "password-hashing" not in codes(remarks(beside))
    mixed = plan(users(user_class="N"), users())
    assert "s of service, in all loads together" in next(
        remark.sentence for remark in remarks(mixed) if remark.code == "password-hashing"
    )


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (replace(arrive((Stage(60, 50),), start=50), executor="constant-arrival-rate"), ["no-ramp"]),
        (replace(arrive((Stage(60, 1),), start=1), executor="constant-arrival-rate"), []),
        (arrive((Stage(5, 50), Stage(55, 50))), ["no-ramp"]),
        (arrive((Stage(58, 50), Stage(2, 50))), ["no-hold"]),
        (bounded("shared-iterations", 20, 700), []),
        (bounded("per-vu-iterations", 20, 70), []),
    ],
)
def test_ramp_and_hold_are_looked_at_where_they_mean_something(load: Load, expected: list[str]) -> None:
    """A constant rate has no ramp; a load that ends with its iterations needs neither."""
    assert codes(remarks(plan(load))) == expected


def test_the_shape_of_each_load_is_its_own() -> None:
    """Of two loads the one with the mistake is named, and measured by its own time."""
    sound = replace(users(), name="sound")
    sudden = replace(users((Stage(0, 20), Stage(40, 20)), start_time=60.0), name="sudden")

    assert only(plan(sound, sudden), "no-ramp").sentence.startswith("sudden: all 20 users are there after 0 of 40 s")


def test_a_search_for_the_breaking_point_needs_no_hold() -> None:
    """A rate that rises until a threshold ends the run is a note; without one that ends it, a warning."""
    rising, limit = arrive((Stage(60, 50),)), parse_threshold("http_req_duration", "p(95)<900", abort=True)

    assert only(plan(rising, thresholds=(limit,)), "no-hold").severity is Severity.NOTE
    assert only(plan(rising, thresholds=(replace(limit, abort=False),)), "no-hold").severity is Severity.WARNING
    closed = users((Stage(60, 50),))
    assert only(plan(closed, thresholds=(limit,)), "no-hold").severity is Severity.WARNING


def test_too_few_users_for_the_rate_are_an_error() -> None:
    """5,000 a second of 10 ms each keep 50 users busy: 49 carry 4,900."""
    rate = (Stage(20, 5000), Stage(40, 5000))
    found = only(plan(arrive(rate, max_vus=49, user_class="B"), data=DataNeeds(9999, 1, (400, 850))), "too-few-users")

    assert found.severity is Severity.ERROR
    assert "5,000/s × 0.01 s an iteration = 50 users busy at once" in found.sentence
    assert "maxVUs = 49 carry 4.9e+03/s at most: arrivals would find no free user, and be dropped" in found.sentence
    assert "maxVUs = 100 or more" in found.remedy
    waits = remarks(plan(arrive(rate, max_vus=49, waits=True), data=DataNeeds(9999, 1, (400, 850))))
    assert "arrivals would wait for one, ever longer" in waits[0].sentence
    enough = plan(arrive(rate, max_vus=50, pre_allocated=50), data=DataNeeds(9999, 1, (400, 850)))
    assert remarks(enough) == ()


def test_sleep_inside_an_iteration_keeps_users_busy_and_think_time_does_not() -> None:
    """50 a second that sleep for a second need more than 50 users; that they would think for a second, not."""
    asleep = {"B": replace(BOOKER, sleep=1.0), "T": ROUTINES["T"]}

    assert "too-few-users" in codes(remarks(Plan.of(plan(arrive()).scenario, asleep)))
    assert codes(remarks(plan(arrive(user_class="T")))) == ["think-in-open"]


@pytest.mark.parametrize(("poisson", "waits", "needed"), [(False, False, 1), (True, True, 1), (True, False, 5)])
def test_random_arrivals_need_more_users(poisson: bool, waits: bool, needed: int) -> None:  # noqa: FBT001 - a table
    """Half a user is busy on average: of 4 all are busy for 0.16 % of random arrivals, of 5 for 0.016 %."""
    few = plan(arrive(poisson=poisson, waits=waits, pre_allocated=0, max_vus=needed))
    assert few.parts[0].needed == needed
    if needed > 1:
        found = only(plan(arrive(poisson=True, pre_allocated=0, max_vus=4)), "too-few-users")
        assert "0.5 users busy at once, and 5 by chance" in found.sentence
        assert "maxVUs = 4 are too few for arrivals at random" in found.sentence
    else:
        assert codes(remarks(few)) == ["pre-allocated"]


def test_users_that_are_made_in_mid_run_and_think_time_are_notes() -> None:
    """Neither spoils the run."""
    found = remarks(plan(arrive(user_class="T", pre_allocated=0)))

    assert codes(found) == ["pre-allocated", "think-in-open"]
    assert clean(found)
    assert "T thinks for 0.99 s between two iterations" in found[1].sentence


def test_a_limit_below_what_is_asked_for_is_told() -> None:
    """50 arrivals and 20 users of a second each ask for 70 requests a second; 70 let them through, 35 half of them."""
    loads = (replace(arrive(), name="a"), replace(users(), name="b"))
    found = only(plan(*loads, rps=35.0), "rps-caps")

    assert found.severity is Severity.WARNING
    assert "a: 50/s × 1 request + b: 20 users ÷ 1 s × 1 request = 70 requests/s at the peak" in found.sentence
    assert "rps = 35 lets 50% of them through; what an open load begins on time would wait" in found.sentence
    assert remarks(plan(*loads, rps=70.0)) == ()
    assert "would wait" not in only(plan(users(), rps=19.0), "rps-caps").sentence


def test_a_limit_takes_its_share_of_seats_and_samples() -> None:
    """A tenth of 5,000 seats fits where 5,000 would not; a tenth of 2,500 samples is too few for p(99)."""
    held = plan(arrive(), rps=2500 / 60 / 10, data=DataNeeds(10, 20, (100, 100)))
    percentile = judged("http_req_duration p(99)<900")

    assert held.seats == pytest.approx(500)
    assert codes(remarks(held)) == ["rps-caps"]
    assert codes(remarks(plan(arrive(), thresholds=percentile))) == []
    assert "few-samples" in codes(remarks(plan(arrive(), thresholds=percentile, rps=2500 / 60 / 10)))


@pytest.mark.parametrize(
    ("warmup", "severity"),
    [(0.0, None), (30.0, None), (40.0, None), (41.0, Severity.WARNING), (60.0, Severity.ERROR)],
)
def test_a_warm_up_leaves_half_of_the_run_and_of_its_peak(warmup: float, severity: Severity | None) -> None:
    """A ramp of 20 s and a hold of 40: of a run of 80 s that ends with a way down, half of the hold is over at 40."""
    stages = (Stage(20, 20), Stage(40, 20), Stage(20, 0)) if warmup < 60 else (Stage(20, 20), Stage(40, 20))
    found = remarks(plan(users(stages), warmup=warmup))

    assert [remark.severity for remark in found] == ([severity] if severity else [])
    assert all(remark.code == "warmup-eats" for remark in found)


def test_a_warm_up_that_takes_the_hold_is_told() -> None:
    """It may be less than half of the run, and more than half of what is to be judged."""
    stages = (Stage(10, 20), Stage(20, 20), Stage(50, 0))
    remark = only(plan(users(stages), warmup=25.0), "warmup-eats")

    assert "the warm-up of 25 s takes 15 of the 20 s at the peak of 20 users" in remark.sentence
    assert remarks(plan(replace(users(stages), name="a"), replace(users(), name="b"), warmup=25.0)) == ()


def test_samples_of_a_warm_up_do_not_count() -> None:
    """1,000 iterations, of which 200 are of the ramp: 10 beyond p(99), or 8."""
    percentile = judged("http_req_duration p(99)<900")

    assert remarks(plan(users(), thresholds=percentile)) == ()
    remark = only(plan(users(), thresholds=percentile, warmup=20.0), "few-samples")
    assert "800 samples after the warm-up of 20 s × 0.01 = 8.0 lie beyond p(99)" in remark.sentence


NAMED = (replace(arrive(), name="sale", tags=(("part", "hot"),)), replace(users(), name="browse"))


@pytest.mark.parametrize(
    "threshold",
    [
        "http_req_duration{scenario:sale} p(95)<900", "http_req_duration{scenario:browse,operation:search} p(95)<900",
        "http_req_duration{part:hot} p(95)<900", "checks{scenario:sale,check:booking accepted} rate>0.9",
        "iterations{scenario:sale} count>1000", "dropped_iterations{scenario:sale} count<10",
        "http_req_duration{clock:response,scenario:sale} p(95)<900", "http_req_duration{clock:service} p(95)<900",
        "http_req_duration{group:::pay} p(95)<900", "checks{group:::pay} rate>0.9", "group_duration p(95)<900",
        "group_duration{scenario:sale} p(95)<900", "http_req_duration{name:POST /x} p(99.99)<900",
        "iteration_duration{scenario:browse} p(95)<900", "queue_depth value<9",
    ],
)  # fmt: skip
def test_thresholds_on_one_of_several_loads_have_data(threshold: str) -> None:
    """By the load's name, its tags, the clock; groups are known to nobody before the run."""
    assert remarks(plan(*NAMED, thresholds=judged(threshold))) == ()


@pytest.mark.parametrize(
    ("threshold", "why"),
    [
        ("http_reqs{scenario:sales} rate>1", 'no load of this scenario is called "sales"; did you mean "sale"?'),
        ("http_reqs{scenario:browse,operation:booking} rate>1", "no load of this scenario carries all of these tags"),
        ("http_reqs{operation:cancel} rate>1", 'no request of this scenario has the operation "cancel"'),
        ("checks{check:is blue} rate>0.9", 'no check of this scenario has the check "is blue"'),
        ("http_reqs{clock:wall} rate>1", 'there is no clock "wall"'),
        ("http_reqs{part:cold} rate>1", "nothing is tagged part:cold here"),
        ("dropped_iterations{scenario:browse} count<10", "no iteration is dropped here"),
        (
            "http_req_duration{clock:response,scenario:browse} avg<9",
            "no load of this scenario carries all of these tags",
        ),
        ("http_req_duration{clock:wall} avg<9", 'there is no clock "wall"; known are: response, service'),
        ("vus{scenario:sale} value<9", "nothing is tagged scenario:sale here"),
        ("seats_lost{scenario:sale} value==0", "nothing is tagged scenario:sale here"),
        ("tea_drunk count>1", "the users make no metric tea_drunk"),
    ],
)
def test_thresholds_on_what_no_load_makes_have_none(threshold: str, why: str) -> None:
    """With the load, the tag or the clock that is wanting."""
    assert why in only(plan(*NAMED, thresholds=judged(threshold)), "threshold-no-data").sentence


@pytest.mark.parametrize("threshold", ["dropped_iterations count<10", "http_req_duration{clock:response} avg<9"])
def test_only_an_open_model_drops_and_has_two_clocks(threshold: str) -> None:
    """In a closed one such a threshold sees nothing; nor has a load alone a name to be found by."""
    closed = only(plan(users(), thresholds=judged(threshold)), "threshold-no-data")
    assert "open model" in closed.sentence or "no iteration is dropped here" in closed.sentence
    assert remarks(plan(arrive(), thresholds=judged(threshold))) == ()
    only(plan(arrive(), thresholds=judged("http_reqs{scenario:s} rate>1")), "threshold-no-data")


def test_tags_and_metrics_of_the_users_own_are_known_by_their_keys() -> None:
    """A key that the routine names may have any value; how many samples it has only a run can tell."""
    own = replace(BOOKER, tags=("tier",), metrics=("tea",))
    texts = judged("http_req_duration{tier:gold} p(99.99)<9", "tea{tier:gold} count>1", "tea{scenario:sale} count>1")
    found = Plan.of(plan(*NAMED, thresholds=texts).scenario, {**ROUTINES, "B": own})

    assert remarks(found) == ()
    assert codes(remarks(plan(*NAMED, thresholds=texts))) == ["threshold-no-data"] * 3


def test_what_a_user_feels_in_an_open_model_has_no_end() -> None:
    """A request is given up after 60 s, but may have been due long before."""
    whole, sent = judged("http_req_duration max<60000", "http_req_duration{clock:service} max<60000")

    assert remarks(plan(arrive(), thresholds=(whole,))) == ()
    only(plan(arrive(), thresholds=(sent,)), "threshold-cannot-fail")
    only(plan(users(), thresholds=(whole,)), "threshold-cannot-fail")


@pytest.mark.parametrize(
    ("load", "threshold", "words"),
    [
        (arrive(), "iterations count>2500", "2,500 arrivals × 1 is at most 2,500.0, however"),
        (arrive(), "http_reqs rate>50", "2,500 arrivals × 1 is at most 41.7/s"),
        (bounded("shared-iterations", 10, 700), "http_reqs count>700", "700 iterations × 1 is at most 700.0"),
        (users(), "iterations count>1011", "1,000 user-seconds ÷ 0.99 s of sleep an iteration × 1 is at most 1,010.1"),
    ],
)
def test_a_count_that_no_executor_makes_is_told(load: Load, threshold: str, words: str) -> None:
    """Arrivals are as many as planned, iterations as many as given, and users sleep."""
    assert words in only(plan(load, thresholds=judged(threshold)), "sleep-caps-rate").sentence


@pytest.mark.parametrize(
    ("load", "threshold"),
    [
        (arrive(), "iterations count>=2500"),
        (bounded("shared-iterations", 10, 700), "http_reqs rate>1000"),
        (bounded("per-vu-iterations", 10, 70), "http_reqs count>=700"),
        (bounded("per-vu-iterations", 10, 70, "T"), "http_reqs rate>10"),
    ],
)
def test_what_may_come_about_is_left_alone(load: Load, threshold: str) -> None:
    """A load of iterations may be over long before its time, so that its rate is whatever the platform gives."""
    assert remarks(plan(load, thresholds=judged(threshold))) == ()


def test_the_rate_of_iterations_with_sleep_has_an_end() -> None:
    """Ten users that sleep for 0.99 s make at most 10.1 iterations a second."""
    load = bounded("per-vu-iterations", 10, 70, "T")
    found = only(plan(load, thresholds=judged("http_reqs rate>10.2")), "sleep-caps-rate")
    assert "700 iterations × 1 is at most 10.1/s" in found.sentence


def test_one_unknown_class_is_named() -> None:
    """What needs to know all of them is not looked at; the rest is."""
    made = plan(replace(users(), name="a"), replace(users((Stage(60, 20),), "Q", start=20), name="b"))
    found = remarks(made)

    assert codes(found) == ["no-ramp", UNKNOWN]
    assert found[-1].sentence.startswith("what Q does in an iteration is not known")


def test_several_unknown_classes_are_named_together() -> None:
    """The sentence is one of several."""
    loads = [replace(users((Stage(60, 20),), name), name=name.lower()) for name in ("Q", "X", "Y")]
    assert remarks(plan(*loads))[-1].sentence.startswith("what Q, X and Y do in an iteration is not known")
