"""Thresholds that end a run, and how high the rate could be raised before one did."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import pytest

from lab import breaking
from lab.model.histogram import bin_of
from lab.model.load import Load
from lab.model.sample import FAIL, OK, RESPONSE, SeriesKey, Tally, Tick, TrendKey
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold
from lab.model.verdict import Breaking
from lab.steady import Sums, primed

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST = TrendKey("http_req_duration", "POST /", (("operation", "booking"),))
ITERATION = TrendKey("iteration_duration", "book", ())
FAST = parse_threshold("http_req_duration", "p(95)<1000", abort=True)
SOUND = parse_threshold("http_req_failed", "rate<0.05", abort=True)
FREE = parse_threshold("dropped_iterations", "count<5", abort=True)
RISING = Scenario(
    "s",
    (Load("ramping-arrival-rate", "U", (Stage(100, 100),), 0, max_vus=50),),
    thresholds=(FAST, SOUND, FREE, parse_threshold("checks", "rate>0.9")),
)


def second(number: int, *, ms: int = 20, failed: int = 0, dropped: int = 0) -> Tick:
    """Make a second of the ramp: one more request in each."""
    took, ok = bin_of(ms * 1000), number + 1 - failed
    trends = {REQUEST: {took: ok}, REQUEST._replace(clock=RESPONSE): {took: ok}, ITERATION: {took: number + 1}}
    if failed:
        trends[REQUEST._replace(outcome=FAIL)] = {took: failed}
    return Tick(number, trends, counters={SeriesKey("dropped_iterations"): dropped} if dropped else {})


def summed(ticks: Iterable[Tick]) -> Tally:
    """Sum ticks."""
    tally = primed(RISING)
    for tick in ticks:
        tally.add(tick)
    return tally


def test_a_threshold_that_is_missed_ends_the_run() -> None:
    """The first one with abortOnFail that is not met; one without it, and one without data, end nothing."""
    good, bad = summed(second(n) for n in range(9)), summed(second(n, ms=1500) for n in range(9))

    assert breaking.crossing(RISING.thresholds, good, 9) is None
    missed = breaking.crossing(RISING.thresholds, bad, 9)
    assert missed is not None
    assert (missed.threshold, missed.unit, missed.second) == ("http_req_duration p(95)<1000", "ms", 9)
    assert missed.actual == pytest.approx(1500, rel=0.001)
    assert breaking.crossing(RISING.thresholds, Tally(), 9) is None
    assert breaking.crossing([replace(FAST, abort=False)], bad, 9) is None


def test_a_delay_lets_a_run_begin_badly() -> None:
    """delayAbortEval: from that second on."""
    bad, later = summed([second(0, ms=1500)]), [replace(FAST, delay=10.0)]

    assert breaking.crossing(later, bad, 9) is None
    assert breaking.crossing(later, bad, 10) is not None


def test_the_last_rate_that_held_is_that_of_the_last_ten_good_seconds() -> None:
    """From second 60 on all is slow: over the whole run p95 would only tell seconds later."""
    ticks = [second(n, ms=20 if n < 60 else 1430) for n in range(80)]

    found = breaking.breaking(RISING, ticks, 80)

    # Of the ten seconds before 1:00 all held; in those before 1:01 one in ten, more than one in twenty, was slow.
    assert found.second == 60
    assert found.rate == pytest.approx(sum(range(51, 61)) / 10)
    assert found.planned == pytest.approx(55.0)
    assert found.crossing is not None
    assert found.crossing.second == 61
    assert found.crossing.actual == pytest.approx(1430, rel=0.001)
    assert breaking.answer(found) == (
        "the last rate that held: 55.5 iterations/s (planned 55) at 1:00; "
        "at 1:01 http_req_duration p(95)<1000 was 1,430 ms"
    )


def test_every_threshold_that_ends_it_counts() -> None:
    """Failures and dropped arrivals break it as latency does; what lies after its end is not looked at."""
    failing = [second(n, failed=n if n >= 40 else 0) for n in range(60)]
    dropping = [second(n, dropped=9 if n >= 30 else 0) for n in range(60)]

    patient = replace(RISING, thresholds=(SOUND, FREE))
    by_failure, by_drop = (breaking.breaking(patient, ticks, 60) for ticks in (failing, dropping))

    assert (by_failure.second, by_failure.crossing and by_failure.crossing.threshold) == (
        40,
        "http_req_failed rate<0.05",
    )
    assert (by_drop.second, by_drop.crossing and by_drop.crossing.actual) == (30, 9.0)
    assert breaking.breaking(RISING, failing, 35).crossing is None


def test_it_may_recover() -> None:
    """The last rate that held is the last one, though a lower one did not."""
    ticks = [second(n, ms=1500 if 20 <= n < 25 or n >= 70 else 20) for n in range(90)]

    assert breaking.breaking(RISING, ticks, 90).second == 70


def test_what_never_broke_says_how_far_it_came() -> None:
    """The highest rate that was planned, and not what came when the load was going down again."""
    there_and_back = replace(RISING, loads=(replace(RISING.loads[0], stages=(Stage(50, 100), Stage(50, 0))),))
    found = breaking.breaking(there_and_back, [replace(second(min(n, 99 - n)), second=n) for n in range(100)], 100)

    assert found.crossing is None
    assert found.planned == pytest.approx(95)
    assert breaking.answer(found) == "did not break up to 48 iterations/s (planned 95) at 0:55"


def test_what_never_held_says_so() -> None:
    """Slow from the first second on; and a run without one iteration tried no rate."""
    slow = breaking.breaking(RISING, [second(n, ms=1500) for n in range(20)], 20)

    assert breaking.answer(slow) == "no rate held: at 0:01 http_req_duration p(95)<1000 was 1,500 ms"
    assert breaking.answer(breaking.breaking(RISING, [], 20)) == "no rate was tried"


def test_the_warm_up_breaks_nothing() -> None:
    """What is slow before its end is passed over; seconds may come late and in parts."""
    ticks = [second(n, ms=1500 if n < 20 else 20) for n in range(40)]
    parts = [*ticks[:30], replace(ticks[31], trends={}), ticks[30], *ticks[32:], ticks[31]]

    found = breaking.breaking(RISING, parts, 40, warmup=20)

    assert found.rate == pytest.approx(35.5)
    assert (found.second, found.crossing) == (40, None)


@pytest.mark.parametrize(
    ("actual", "unit", "words"),
    [(1430.4, "ms", "1,430 ms"), (9.876, "ms", "9.88 ms"), (inf, "ms", "no answer"), (0.1234, "share", "12.34%"),
     (12.0, "", "12"), (3.25, "/s", "3.25/s")],
)  # fmt: skip
def test_figures(actual: float, unit: str, words: str) -> None:
    """Each in its unit."""
    assert breaking.figure(actual, unit) == words
    assert Breaking(1.0) != Breaking(None)


def test_no_dropped_arrival_is_a_figure() -> None:
    """An open load that drops none meets `count<5`, and is not NO DATA; a closed one has nothing to drop."""
    assert primed(RISING).measure(FREE) == (0.0, "")
    named = replace(RISING, loads=(replace(RISING.loads[0], name="buy", tags=(("tier", "a"),)),))
    tagged = parse_threshold("dropped_iterations{scenario:buy,tier:a}", "count<5")
    assert primed(named).measure(tagged) == (0.0, "")
    assert primed(Scenario("s", (Load("constant-vus", "U", (Stage(9, 1),), 1),))).measure(FREE) == (None, "")


def test_what_is_judged_begins_after_the_warm_up() -> None:
    """Its seconds begin at 0 again, so that a rate is one of the time that is judged; the whole keeps everything."""
    sums, plain = Sums(RISING, 30.0), Sums(RISING)
    for n in range(100):
        for each in (sums, plain):
            each.add(second(n))

    assert (sums.whole.seconds, sums.judged.seconds) == (100, 70)
    assert sums.whole.histogram(FAST.selector, OK).count == 5050
    assert sums.judged.histogram(FAST.selector, OK).count == 5050 - sum(range(1, 31))
    assert plain.judged is plain.whole
