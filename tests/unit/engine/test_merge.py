"""Many processes' seconds become one run's, exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.engine.merge import Merger
from lab.engine.recorder import Recorder
from lab.model.run import Totals
from lab.model.sample import FAIL, NO_CLOCK, OK, RESPONSE, SeriesKey, Tally, Tick, TrendKey
from lab.model.threshold import Selector

DURATION = Selector("http_req_duration")
NAMES = ("worker 1", "worker 2", "worker 3")
SEARCH = (("operation", "search"),)
UNFINISHED = SeriesKey("unfinished")


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        """Give the time in seconds."""
        return self.now


def tally(ticks: list[Tick]) -> Tally:
    """Sum ticks."""
    whole = Tally()
    for tick in ticks:
        whole.add(tick)
    return whole


def tick(second: int, sent: int = 0, answered: int = 0, **gauges: float) -> Tick:
    """Make a process's second."""
    trends = {TrendKey("http_req_duration", "GET /", ()): {7: answered}} if answered else {}
    return Tick(second, trends, {}, {SeriesKey("sent"): sent}, {SeriesKey(name): v for name, v in gauges.items()})


samples = st.lists(
    st.tuples(st.sampled_from(NAMES), st.floats(0, 5.9), st.integers(0, 10**8), st.sampled_from([OK, FAIL])),
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(samples, st.integers(0, 10**6))
def test_shared_out_or_not_the_sum_is_the_same(plan: list[tuple[str, float, int, str]], seed: int) -> None:
    """What three processes recorded, reported in any order, adds up to what one would have recorded, bin by bin."""
    clock = Clock()
    alone, shared = Recorder(clock), {name: Recorder(clock) for name in NAMES}
    for name, at, us, outcome in sorted(plan, key=lambda row: row[1]):
        clock.now = at
        for recorder in (alone, shared[name]):
            recorder.sent()
            recorder.request("GET /", SEARCH, us, None if outcome == OK else "why", 3)
            recorder.done(finished=True)
            recorder.check("right", SEARCH, passed=outcome == OK)
    clock.now = 6.0
    gauges = {"unfinished": 0.0}
    expected = tally(alone.close(gauges, everything=True))
    waiting = {name: recorder.close(gauges, everything=True) for name, recorder in shared.items()}
    merger, written, rng = Merger(NAMES), [], Random(seed)
    while any(waiting.values()):
        name = rng.choice([name for name, ticks in waiting.items() if ticks])
        merger.add(name, waiting[name].pop(0))
        written += merger.close()
    written += merger.close(everything=True)
    found = tally(written)

    assert [one.second for one in written] == list(range(7))
    assert {key: value.bins for key, value in found.trends.items()} == {k: v.bins for k, v in expected.trends.items()}
    assert (found.rates, found.counters) == (expected.rates, expected.counters)
    assert Totals.of(found) == Totals.of(expected)
    for share in (0.5, 0.95, 0.99):
        assert found.histogram(DURATION).percentile(share) == expected.histogram(DURATION).percentile(share)


def test_a_second_waits_for_all_who_are_there() -> None:
    """It is given once the last process has reported it, without those that have ended or are lost."""
    merger = Merger(NAMES)
    for name in NAMES[:2]:
        merger.add(name, tick(0))
        merger.add(name, tick(1))
    assert merger.close() == []

    merger.add(NAMES[2], tick(0))
    assert [one.second for one in merger.close()] == [0]

    merger.lose(NAMES[2])
    assert [one.second for one in merger.close()] == [1]
    merger.end(NAMES[1])
    merger.add(NAMES[0], tick(2))
    assert [one.second for one in merger.close()] == [2]


def test_the_wait_is_bounded_and_what_comes_late_still_counts() -> None:
    """A second may be given without somebody; his part of it is given on its own, without a gauge."""
    merger = Merger(NAMES)
    merger.add(NAMES[0], tick(0, 5, 5, vus=3))
    merger.add(NAMES[1], tick(0, 6, 6, vus=4))
    early = merger.close(before=1)
    merger.add(NAMES[2], tick(0, 7, 7, vus=5))
    late = merger.close()

    assert [one.second for one in (*early, *late)] == [0, 0]
    assert [one.counters[SeriesKey("sent")] for one in (*early, *late)] == [11, 7]
    assert early[0].gauges[SeriesKey("vus")] == 7
    assert dict(late[0].gauges) == {}
    merger.add(NAMES[0], tick(1, vus=3))
    merger.add(NAMES[1], tick(1, vus=4))
    merger.add(NAMES[2], tick(1))
    assert merger.close()[0].gauges[SeriesKey("vus")] == 12


def test_requests_of_a_lost_process_count_as_unfinished() -> None:
    """What it had sent without an answer is unfinished, so that the count still matches; its users are gone."""
    merger = Merger(NAMES[:2])
    merger.add(NAMES[0], tick(0, 10, 9, unfinished=0, vus=2))
    merger.add(NAMES[1], tick(0, 20, 17, unfinished=1, vus=3))
    ticks = merger.close()

    assert merger.lose(NAMES[1]) == (1, 3)
    merger.add(NAMES[0], tick(1, 0, 1, unfinished=0, vus=2))
    ticks += merger.close()
    totals = Totals.of(tally(ticks))

    assert ticks[1].gauges[SeriesKey("vus")] == 2
    assert (totals.sent, totals.ok, totals.unfinished) == (30, 27, 3)


def test_a_process_that_is_lost_last_of_all_still_counts() -> None:
    """When nobody reports after it, its open requests are given with the last second."""
    merger = Merger(NAMES[:1])
    merger.add(NAMES[0], tick(0, 4, 1, unfinished=0, vus=2))
    ticks = merger.close()
    merger.lose(NAMES[0])
    ticks += merger.close(everything=True)

    assert [one.second for one in ticks] == [0, 0]
    assert Totals.of(tally(ticks)).unfinished == 3
    assert merger.close(everything=True)[:0] == []


def test_what_a_process_measures_of_itself_stays_its_own() -> None:
    """CPU, delay and memory of each; under the usual name the busiest; the probe's samples carry the process."""
    probe = TrendKey("generator_lag", "10 ms probe", ())
    merger = Merger(NAMES[:2])
    for name, cpu, us in ((NAMES[0], 0.9, 5), (NAMES[1], 0.2, 9)):
        merger.add(name, Tick(0, {probe: Counter({us: 4})}, {}, {}, {SeriesKey("generator_cpu"): cpu}))
    (one,) = merger.close()

    assert one.gauges[SeriesKey("generator_cpu")] == 0.9
    assert one.gauges[SeriesKey("worker_cpu", (("process", NAMES[1]),))] == 0.2
    assert {dict(key.tags)["process"]: dict(bins) for key, bins in one.trends.items()} == {
        NAMES[0]: {5: 4},
        NAMES[1]: {9: 4},
    }
    assert tally([one]).histogram(Selector("generator_lag")).count == 8


def test_users_own_gauges_hold_the_last_processs_value() -> None:
    """A gauge that the lab knows nothing of is not added up."""
    merger = Merger(NAMES[:2])
    merger.add(NAMES[1], tick(0, seats_seen=4))
    merger.add(NAMES[0], tick(0, seats_seen=9))

    assert merger.close()[0].gauges[SeriesKey("seats_seen")] == 4


def test_a_request_with_two_clocks_is_one_request() -> None:
    """What a lost process had open is not made less by response times; its own metrics add up or hold their last."""
    service = TrendKey("http_req_duration", "GET /", SEARCH)
    hits = TrendKey("hits", "", (), OK, NO_CLOCK)
    merger = Merger(NAMES[:2])
    for name, value in zip(NAMES[:2], (1.0, 4.0), strict=True):
        merger.add(
            name,
            Tick(
                0,
                {service: {7: 3}, service._replace(clock=RESPONSE): {9: 3}, hits: {5: 2}},
                {SeriesKey("upgraded"): (1, 2)},
                {SeriesKey("sent"): 5, SeriesKey("sold"): 3},
                {SeriesKey("cart"): value},
            ),
        )
    assert merger.lose(NAMES[0]) == (1, 2)
    merger.end(NAMES[1])
    whole = tally(merger.close(everything=True))

    assert (whole.trends[service].count, whole.trends[service._replace(clock=RESPONSE)].count) == (6, 6)
    assert (whole.trends[hits].count, whole.rate(Selector("upgraded"))) == (4, (2, 4))
    assert (whole.counter("sold"), whole.gauge(Selector("cart"))) == (6, 4.0)
    assert whole.gauge(Selector("unfinished")) == 2
