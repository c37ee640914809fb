"""The gates on how the load came about: Little's law, dropped arrivals, set-up inside, and what stalls hide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.gates.limits import sets_up
from lab.generator import THE_PROCESS
from lab.model.histogram import bin_of
from lab.model.load import Load
from lab.model.run import Totals
from lab.model.sample import FAIL, OK, SeriesKey, Tags, Tally, Tick, TrendKey
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold
from lab.model.verdict import Validity
from lab.validity import Observed, gates

VALID, SUSPECT, INVALID = Validity.VALID, Validity.SUSPECT, Validity.INVALID
HELD = (Stage(10, 10), Stage(80, 10), Stage(10, 0))
S = 1_000_000


def closed(*thresholds: tuple[str, str], stages: tuple[Stage, ...] = HELD) -> Scenario:
    """Make a scenario of ten users."""
    return Scenario("s", (Load("ramping-vus", "U", stages),), thresholds=tuple(parse_threshold(*t) for t in thresholds))


def arriving(name: str = "") -> Load:
    """Make a load of ten iterations a second."""
    return Load("constant-arrival-rate", "U", (Stage(100, 10),), 10, name=name, max_vus=50)


def ran(*lengths: tuple[int, int], tags: Tags = (), outcome: str = OK, **counters: int) -> Tick:
    """Make a tick of iterations (µs, how many) and of counters."""
    found: dict[int, int] = {}
    for us, number in lengths:
        found[bin_of(us)] = found.get(bin_of(us), 0) + number
    counts = {SeriesKey(name, tags): value for name, value in counters.items()}
    return Tick(99, {TrendKey("iteration_duration", "go", tags, outcome): found} if found else {}, counters=counts)


def called(operation: str, number: int, outcome: str = OK) -> Tick:
    """Make a tick of requests of an operation."""
    return Tick(99, {TrendKey("http_req_duration", "POST /", (("operation", operation),), outcome): {5: number}})


def observed(scenario: Scenario, *ticks: Tick, **changes: Any) -> Observed:
    """Make a run of these ticks."""
    tally = Tally()
    for tick in ticks:
        tally.add(tick)
    run = Observed(scenario, tally, Totals.of(tally), {THE_PROCESS: [0.1]}, {}, 0)
    return replace(run, **changes)


def asked(run: Observed, gate: str) -> tuple[Validity, str]:
    """Give what a gate answered; it answers once."""
    (found,) = [f for f in gates(run) if f.gate == gate]
    return found.level, found.sentence


def silent(run: Observed, gate: str) -> bool:
    """Tell whether a gate had nothing to say."""
    return not [f for f in gates(run) if f.gate == gate]


@pytest.mark.parametrize(
    ("missing", "expected"), [(0.0, VALID), (0.02, VALID), (0.05, INVALID), (-0.02, VALID), (-0.05, INVALID)]
)
def test_littles_law_finds_what_was_lost_or_counted_twice(missing: float, expected: Validity) -> None:
    """T16: ten users for 90 s make 900 iterations of 0.1 s and 0.9 s of thought; 5 % more or fewer are not right."""
    number = round(900 * (1 - missing))
    run = observed(closed(), ran((S // 10, number), think_time=900 * 9 * S // 10, vu_time=900 * S))
    lost = replace(run, tally=shrunk(run.tally, number))

    level, sentence = asked(lost, "Little's law")

    assert level is expected
    assert "iterations/s ×" in sentence
    assert f"r = {number / 900:.3f}"[:7] in sentence


def shrunk(tally: Tally, number: int) -> Tally:
    """Let the think time be that of so many iterations."""
    tally.counters[SeriesKey("think_time")] = number * 9 * S // 10
    return tally


def test_littles_law_allows_for_what_was_cut_off_at_the_end() -> None:
    """Ten users for 90 s with iterations of 9 s: one each is cut off by the end, and that loses nothing."""
    level, sentence = asked(observed(closed(), ran((9 * S, 90), vu_time=810 * S + 10 * 8 * S)), "Little's law")

    assert level is VALID, sentence


def test_littles_law_allows_for_users_who_stay_short() -> None:
    """In a spike each user is there for 10 of 50 s, and the last second of thought that it planned never came."""
    spike = closed(stages=(Stage(10, 0), Stage(10, 100), Stage(10, 0), Stage(10, 200), Stage(10, 0)))
    # 300 users come and go, 3,000 user-seconds, and plan half a second of thought too much each.
    run = observed(spike, ran((S // 10, 2700), think_time=2700 * S + 150 * S, vu_time=3000 * S))

    assert asked(run, "Little's law")[0] is VALID


def test_littles_law_in_an_open_model_has_no_thought() -> None:
    """There users count while they are in an iteration; failed iterations took their time, too."""
    scenario = Scenario("s", (arriving(),))
    whole = observed(scenario, ran((S // 5, 500), vu_time=200 * S), ran((S // 5, 500), outcome=FAIL))
    half = observed(scenario, ran((S // 5, 500), vu_time=200 * S))

    assert asked(whole, "Little's law")[0] is VALID
    assert asked(half, "Little's law")[0] is INVALID


def test_littles_law_looks_at_what_is_judged() -> None:
    """What lies before the warm-up's end is kept out."""
    bad, good = (observed(closed(), ran((S, n), vu_time=100 * S)).tally for n in (50, 100))

    assert asked(replace(observed(closed()), tally=bad, judged=good), "Little's law")[0] is VALID
    assert asked(replace(observed(closed()), tally=good, judged=bad), "Little's law")[0] is INVALID


@pytest.mark.parametrize(
    ("lost", "expected"), [(0, VALID), (1, VALID), (2, INVALID), (500, INVALID)]
)  # 1 of 1,000 is 0.1 %
def test_dropped_arrivals(lost: int, expected: Validity) -> None:
    """More than one in a thousand: the platform was spared what users would have asked of it."""
    tick = ran((S, 1000 - lost), vu_time=(1000 - lost) * S, dropped_iterations=lost)
    level, sentence = asked(observed(Scenario("s", (arriving(),)), tick), "dropped arrivals")

    assert level is expected
    assert f"{lost:,} of 1,000 arrivals" in sentence


def test_only_arrivals_of_open_loads_are_due() -> None:
    """Beside an open load that drops one in a hundred a thousand closed iterations make nothing good."""
    open_tags, closed_tags = (("scenario", "a"),), (("scenario", "b"),)
    both = Scenario("s", (arriving("a"), Load("constant-vus", "U", (Stage(100, 10),), 10, name="b")))
    run = observed(
        both,
        ran((S, 99), tags=open_tags, dropped_iterations=1),
        ran((S, 100_000), tags=closed_tags),
    )

    level, sentence = asked(run, "dropped arrivals")

    assert level is INVALID
    assert "1 of 100 arrivals" in sentence
    assert silent(observed(closed(), ran((S, 99))), "dropped arrivals")


def test_where_a_threshold_ended_it_drops_count_up_to_where_it_broke() -> None:
    """A load that is raised until it breaks drops arrivals in the end: that is the answer, and no flaw of the run."""
    end = ran((S, 1000), dropped_iterations=200)
    before = observed(Scenario("s", (arriving(),)), ran((S, 800))).tally
    run = observed(Scenario("s", (arriving(),)), end, arrivals=before)

    level, sentence = asked(run, "dropped arrivals")

    assert level is VALID
    assert "0 of 800 arrivals up to where it broke" in sentence


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ((called("booking", 100),), None),
        ((called("booking", 100), called("login", 10)), None),
        ((called("signin", 99),), None),
        ((called("signin", 100),), INVALID),
        ((called("signin", 50), called("login", 50)), INVALID),
        ((called("signup", 1),), INVALID),
        ((called("signup", 1, FAIL),), INVALID),
    ],
)
def test_set_up_inside_the_window(ticks: tuple[Tick, ...], expected: Validity | None) -> None:
    """One sign-up, or a sign-in for every iteration: set-up is measured as if it were load."""
    run = observed(closed(), ran((S, 100)), *ticks)

    assert (None if silent(run, "set-up inside") else asked(run, "set-up inside")[0]) is expected


def test_set_up_during_the_warm_up_is_none() -> None:
    """Whoever signs in while it warms up does so before what is measured."""
    whole = observed(closed(), ran((S, 100)), called("signup", 10))
    after = observed(closed(), ran((S, 90))).tally

    assert silent(replace(whole, judged=after), "set-up inside")
    assert not sets_up(0, 0.99)


def stalled(*thresholds: tuple[str, str], stall: int = 3 * S) -> Observed:
    """T3: ten users, 2 ms and 0.1 s of thought for 60 s; each of them is held up once."""
    number = round((600 - 10 * (stall / S - 0.002)) / 0.102)
    tick = ran((2000, number - 10), (stall, 10), think_time=number * S // 10, vu_time=600 * S)
    return observed(closed(*thresholds), tick)


def test_a_stall_that_hides_itself_is_said() -> None:
    """T3: ten slow samples of thousands leave p99 at 2 ms, and so p99 is flagged: 5 % of the time was lost to them."""
    run = stalled(("iteration_duration", "p(99)<50"), ("http_req_duration", "p(95)<50"), ("checks", "rate>0.9"))
    lengths = run.tally.histogram(run.scenario.thresholds[0].selector)

    level, sentence = asked(run, "hidden stalls")

    assert lengths.percentile(0.99) == 2000
    assert sum(n for index, n in lengths.bins.items() if index > bin_of(2000)) == 10
    assert level is SUSPECT
    assert "took 4.8" in sentence
    assert "iteration_duration p(99)<50, http_req_duration p(95)<50 judge a percentile" in sentence
    assert "arrival-rate executor" in sentence


@pytest.mark.parametrize(
    ("expression", "stall", "expected"),
    [
        ("p(50)<9", 3 * S, VALID),
        ("med<9", 3 * S, VALID),
        ("p(75)<9", 3 * S, VALID),
        ("p(76)<9", 3 * S, SUSPECT),
        ("p(99)<9", 3 * S, SUSPECT),
        ("p(99)<9", 150_000, VALID),
        ("p(99)<9", 2000, VALID),
        ("avg<9", 3 * S, VALID),
    ],
)
def test_only_what_the_lost_time_can_change_is_distorted(expression: str, stall: int, expected: Validity) -> None:
    """Ω of 4.8 % is more than a fifth of what lies beyond p76, and less than of what lies beyond p75."""
    level, sentence = asked(stalled(("http_req_duration", expression), stall=stall), "hidden stalls")

    assert level is expected
    assert level is SUSPECT or "closed model, service time" in sentence


def test_an_open_model_hides_no_stall() -> None:
    """There the next one comes whatever became of the last; beside a closed load only the closed one is looked at."""
    slow = ran((2000, 900), (3 * S, 10), tags=(("scenario", "a"),), vu_time=32 * S)
    calm = ran((S // 10, 100), tags=(("scenario", "b"),))
    both = Scenario(
        "s",
        (arriving("a"), Load("constant-vus", "U", (Stage(100, 10),), 10, name="b")),
        thresholds=(parse_threshold("http_req_duration", "p(99)<9"),),
    )
    there = Tick(99, counters={SeriesKey("vu_time"): 10 * S})

    assert silent(observed(Scenario("s", (arriving("a"),)), slow), "hidden stalls")
    assert asked(observed(both, slow, calm, there), "hidden stalls")[0] is VALID


def test_a_ramp_that_seeks_its_end_needs_no_hold() -> None:
    """`breakpoint` rises until a threshold ends it; without such a threshold the shape is suspect."""
    rising = Load("ramping-arrival-rate", "U", (Stage(100, 300),), 10, max_vus=50)
    ends = parse_threshold("http_req_failed", "rate<0.1", abort=True)

    assert silent(observed(Scenario("s", (rising,), thresholds=(ends,))), "shape")
    assert asked(observed(Scenario("s", (rising,))), "shape")[0] is SUSPECT


@pytest.mark.parametrize(("count", "words"), [(199, "are needed"), (200, "weak"), (1999, "weak"), (2000, None)])
def test_weak_percentiles_are_said(count: int, words: str | None) -> None:
    """Under ten samples beyond it: suspect; under a hundred: said, as too weak to judge by."""
    run = observed(closed(("http_req_duration", "p(95)<9")), called("booking", count))

    assert silent(run, "samples") if words is None else words in asked(run, "samples")[1]
