"""The recorder, on a clock that the test moves."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.engine.listen import request_listener
from lab.engine.recorder import MAX_OPERATIONS, MAX_REASONS, MAX_SERIES, OTHER, OTHER_REQUESTS, Recorder
from lab.model.histogram import bin_of
from lab.model.run import Totals
from lab.model.sample import FAIL, OK, RESPONSE, SeriesKey, Tally, Tick, TrendKey
from lab.model.threshold import Selector

BOOKING = (("operation", "booking"),)
DURATION = "http_req_duration"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Give the time in seconds."""
        return self.now


def started() -> tuple[Clock, Recorder]:
    """Make a recorder whose second 0 begins now."""
    clock = Clock()
    recorder = Recorder(clock)
    recorder.start()
    return clock, recorder


def answer(recorder: Recorder, us: int = 1000, reason: str | None = None, operation: str = "booking") -> None:
    """Send a request and record its answer."""
    recorder.sent()
    recorder.request("POST /b", (("operation", operation),), us, reason, 10)
    recorder.done(finished=True)


def tally(*ticks: Tick) -> Tally:
    """Sum ticks."""
    whole = Tally()
    for tick in ticks:
        whole.add(tick)
    return whole


def test_seconds_come_in_order_without_a_gap() -> None:
    """A second in which nothing happened is there, too, and a second that is not over is not."""
    clock, recorder = started()
    answer(recorder)
    clock.now += 3.5
    answer(recorder)
    answer(recorder)

    ticks = recorder.close({})
    rest = recorder.close({}, everything=True)

    assert [tick.second for tick in (*ticks, *rest)] == [0, 1, 2, 3]
    assert [tally(tick).requests(Selector(DURATION), OK) for tick in (*ticks, *rest)] == [1, 0, 0, 2]
    assert recorder.close({}) == recorder.close({}, everything=True) == []


def test_a_sample_belongs_to_the_second_in_which_it_ended() -> None:
    """A request that takes two seconds is sent in one second and counted in another."""
    clock, recorder = started()
    recorder.sent()
    clock.now += 2.1
    recorder.request("POST /b", BOOKING, 2_100_000, None, 0)
    recorder.done(finished=True)

    ticks = recorder.close({}, everything=True)

    assert [tick.counters.get(SeriesKey("sent"), 0) for tick in ticks] == [1, 0, 0]
    assert [sum(len(bins) for bins in tick.trends.values()) for tick in ticks] == [0, 0, 1]


def test_gauges_go_to_the_newest_second() -> None:
    """What is measured now is not written into seconds that are long over."""
    clock, recorder = started()
    clock.now += 3

    ticks = recorder.close({"vus": 7.0})

    assert [dict(tick.gauges) for tick in ticks] == [{}, {}, {SeriesKey("vus"): 7.0}]


def test_set_up_is_never_counted() -> None:
    """What was recorded before the start is forgotten, requests that were given up included."""
    clock = Clock()
    recorder = Recorder(clock)
    answer(recorder)
    recorder.sent()
    recorder.done(finished=False)
    recorder.check("c", BOOKING, passed=True)
    clock.now += 5
    recorder.close({})
    recorder.start()
    clock.now += 0.5

    (tick,) = recorder.close({}, everything=True)

    assert (tick.second, dict(tick.trends), dict(tick.rates), dict(tick.counters)) == (0, {}, {}, {})
    assert (recorder.in_flight, recorder.unfinished, recorder.elapsed) == (0, 0, 0.5)


steps = st.lists(
    st.tuples(st.sampled_from(["ok", "fail", "lost", "pending"]), st.floats(0, 1.5), st.integers(0, 10**8)), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(1, 5))
def test_every_request_is_counted_once(plan: list[tuple[str, float, int]], every: int) -> None:
    """Sent = ok + failed + unfinished + on their way, however seconds are closed in between."""
    clock, recorder = started()
    ticks = []
    for number, (kind, wait, us) in enumerate(plan):
        recorder.sent()
        clock.now += wait
        if kind in {OK, FAIL}:
            recorder.request("POST /b", BOOKING, us, None if kind == OK else "why", 1)
        if kind != "pending":
            recorder.done(finished=kind != "lost")
        if number % every == 0:
            ticks += recorder.close({})
    ticks += recorder.close({}, everything=True)
    whole, kinds = tally(*ticks), Counter(kind for kind, _, _ in plan)

    assert [tick.second for tick in ticks] == list(range(len(ticks)))
    assert whole.counter("sent") == len(plan)
    assert whole.requests(Selector(DURATION), OK) == kinds["ok"]
    assert whole.requests(Selector(DURATION), FAIL) == kinds["fail"] == whole.counter("failures")
    assert (recorder.unfinished, recorder.in_flight) == (kinds["lost"], kinds["pending"])
    assert whole.histogram(Selector(DURATION), OK).bins == Counter(bin_of(us) for kind, _, us in plan if kind == "ok")


def test_a_request_carries_its_tags() -> None:
    """Name, tags and outcome make the key; a failure's reason stands under its name and operation."""
    clock, recorder = started()
    tags = (*BOOKING, ("team", "a"))
    for us, reason in ((5, None), (7, "HTTP 503")):
        recorder.request("POST /b", tags, us, reason, 10)
        recorder.check("c", tags, passed=reason is None)
    clock.now += 1

    (tick,) = recorder.close({})

    assert dict(tick.trends) == {
        TrendKey(DURATION, "POST /b", tags, OK): {5: 1},
        TrendKey(DURATION, "POST /b", tags, FAIL): {7: 1},
    }
    assert tally(tick).rate(Selector("checks", tags)) == (1, 2)
    assert tally(tick).rate(Selector("checks", (("check", "c"),))) == (1, 2)
    failure = (("name", "POST /b"), ("operation", "booking"), ("reason", "HTTP 503"))
    assert tick.counters[SeriesKey("failures", failure)] == 1
    assert tick.counters[SeriesKey("data_received")] == 20


def test_reasons_are_bounded() -> None:
    """A target that gives every failure another reason does not make the run grow without end."""
    clock, recorder = started()
    for number in range(MAX_REASONS + 50):
        answer(recorder, 1, f"reason {number}")
    answer(recorder, 1, "reason 7")
    clock.now += 1

    (tick,) = recorder.close({})
    reasons = {dict(key.tags)["reason"]: count for key, count in tick.counters.items() if key.metric == "failures"}

    assert len(reasons) == MAX_REASONS + 1
    assert (reasons[OTHER], reasons["reason 7"]) == (50, 2)


def test_iterations_are_counted_with_their_duration() -> None:
    """One that raised is an iteration, an error, and no success."""
    clock, recorder = started()
    recorder.iteration("book", 10, ok=True, tags=(("team", "a"),))
    recorder.iteration("book", 20, ok=False, tags=(("team", "a"),))
    recorder.trend("generator_lag", "probe", 30)
    clock.now += 1

    (tick,) = recorder.close({})

    assert dict(tick.trends) == {
        TrendKey("iteration_duration", "book", (("team", "a"),), OK): {10: 1},
        TrendKey("iteration_duration", "book", (("team", "a"),), FAIL): {20: 1},
        TrendKey("generator_lag", "probe", ()): {30: 1},
    }
    assert dict(tick.counters) == {
        SeriesKey("iterations", (("team", "a"),)): 2,
        SeriesKey("iteration_errors", (("team", "a"),)): 1,
    }


def test_a_closed_second_does_not_grow() -> None:
    """A tick that was handed out is not written to any more."""
    clock, recorder = started()
    answer(recorder)
    clock.now += 1
    (first,) = recorder.close({})
    answer(recorder)

    assert tally(first).requests(Selector(DURATION), OK) == 1


def test_a_clock_that_is_set_back_at_the_end_loses_nothing() -> None:
    """What is recorded after a second was given away, by a clock that went back into it, is given at the end."""
    clock, recorder = started()
    clock.now += 11.001
    given = recorder.close({})
    recorder.align(1000.004)
    answer(recorder)
    given += recorder.close({"unfinished": 0.0}, everything=True)
    assert tally(*given).counters[SeriesKey("sent")] == 1
    assert [tick.second for tick in given] == list(range(12))
    assert given[-1].gauges == {SeriesKey("unfinished"): 0.0}


def test_an_open_load_has_two_clocks() -> None:
    """What was late is added to the response clock alone; without lateness there is no response clock."""
    clock, recorder = started()
    line = recorder.line("POST /b", BOOKING)
    assert recorder.line("POST /b", BOOKING) is line
    line.ok(5, 1)
    line.ok(7, 1, 0)
    line.ok(7, 1, 100)
    line.fail(9, 1, None, "why")
    line.fail(9, 1, 30, "why")
    recorder.iteration("book", 50, ok=True, tags=(("scenario", "a"),), late=3)
    recorder.iteration("book", 60, ok=False, late=4)
    clock.now += 1

    (tick,) = recorder.close({})

    assert dict(tick.trends) == {
        TrendKey(DURATION, "POST /b", BOOKING): {5: 1, 7: 2},
        TrendKey(DURATION, "POST /b", BOOKING, OK, RESPONSE): {7: 1, 107: 1},
        TrendKey(DURATION, "POST /b", BOOKING, FAIL): {9: 2},
        TrendKey(DURATION, "POST /b", BOOKING, FAIL, RESPONSE): {39: 1},
        TrendKey("iteration_duration", "book", (("scenario", "a"),)): {50: 1},
        TrendKey("iteration_duration", "book", (("scenario", "a"),), OK, RESPONSE): {53: 1},
        TrendKey("iteration_duration", "book", (), FAIL): {60: 1},
        TrendKey("iteration_duration", "book", (), FAIL, RESPONSE): {64: 1},
    }
    assert tick.counters[SeriesKey("data_received")] == 5
    assert tally(tick).counter("failures") == 2
    assert tick.counters[SeriesKey("iterations", (("scenario", "a"),))] == tick.counters[SeriesKey("iterations")] == 1
    assert tally(tick).counter("iteration_errors") == 1


def test_a_line_goes_on_in_the_next_second() -> None:
    """A prepared line counts in the second that it is, after a start and after each close."""
    clock = Clock()
    recorder = Recorder(clock)
    line = recorder.line("POST /b", BOOKING)
    line.ok(1, 0)
    recorder.start()
    for number in range(3):
        line.ok(10 + number, 0)
        line.ok(10 + number, 0)
        clock.now += 1
    line.ok(99, 0)

    ticks = recorder.close({}, everything=True)

    assert [dict(bins) for tick in ticks for bins in tick.trends.values()] == [{10: 2}, {11: 2}, {12: 2}, {99: 1}]


def test_time_and_drops_are_counted() -> None:
    """What Little's law and the gate for dropped arrivals ask for."""
    clock, recorder = started()
    recorder.idle(300)
    recorder.idle(200)
    recorder.users(7)
    recorder.dropped("book", (("scenario", "a"),), 3)
    recorder.dropped("", (("scenario", "a"),))
    clock.now += 1

    (tick,) = recorder.close({})

    assert dict(tick.counters) == {
        SeriesKey("think_time"): 500,
        SeriesKey("vu_time"): 7,
        SeriesKey("dropped_iterations", (("iteration", "book"), ("scenario", "a"))): 3,
        SeriesKey("dropped_iterations", (("scenario", "a"),)): 1,
    }


def test_what_is_recorded_under_is_bounded() -> None:
    """Names and tags without end leave a bounded number of series, and not one request uncounted."""
    clock, recorder = started()
    for number in range(MAX_SERIES + 300):
        answer_as(recorder, f"GET /{number}", (("operation", "search"), ("scenario", "a")))
    for number in range(MAX_OPERATIONS + 50):
        answer_as(recorder, "GET /", (("operation", f"o{number}"),))
    for number in range(MAX_SERIES + 7):
        recorder.check(f"c{number}", (), passed=True)
    recorder.count("sold", (("id", "1"),), 4)
    answer_as(recorder, "GET /3", (("operation", "search"), ("scenario", "a")))
    clock.now += 1

    (tick,) = recorder.close({})
    whole, others = tally(tick), (("name", OTHER_REQUESTS),)

    assert len(tick.trends) == MAX_SERIES + MAX_OPERATIONS + 1
    assert whole.requests(Selector(DURATION), OK) == MAX_SERIES + 300 + MAX_OPERATIONS + 50 + 1
    assert whole.requests(Selector(DURATION, (("operation", "search"), *others)), OK) == 300
    assert whole.requests(Selector(DURATION, (("operation", "o3"), *others)), OK) == 1
    assert whole.requests(Selector(DURATION, (("operation", "other"), *others)), OK) == 51
    assert whole.requests(Selector(DURATION, (("name", "GET /3"), ("scenario", "a"))), OK) == 2
    assert whole.rate(Selector("checks", (("check", "other checks"),))) == (7, 7)
    assert tick.counters[SeriesKey("sold")] == 4
    assert whole.counter("series_dropped") == 300 + MAX_OPERATIONS + 50 + 7 + 1


def answer_as(recorder: Recorder, name: str, tags: tuple[tuple[str, str], ...]) -> None:
    """Record an answer."""
    recorder.request(name, tags, 1, None, 0)


CONTEXTS: list[tuple[dict[Any, Any], dict[str, str], int | None]] = [
    ({}, {"operation": "other"}, None),
    ({"operation": "search", "tier": "gold"}, {"operation": "search", "tier": "gold"}, None),
    ({"tier": "gold", "operation": "search"}, {"operation": "search", "tier": "gold"}, None),
    ({"operation": "search", "_late": 0}, {"operation": "search"}, 0),
    ({"_late": 9, "operation": "search"}, {"operation": "search"}, 9),
    ({"operation": "search", "_late": None}, {"operation": "search"}, None),
    ({"n": 1}, {"n": "1", "operation": "other"}, None),
    ({"n": True}, {"n": "True", "operation": "other"}, None),
    ({"n": "1"}, {"n": "1", "operation": "other"}, None),
    ({"n": [1, 2], "_own": {}}, {"n": "[1, 2]", "operation": "other"}, None),
    ({"_own": "x", 7: "y", "a": "b"}, {"a": "b", "operation": "other"}, None),
]


def test_what_a_request_is_called_with_becomes_its_tags() -> None:
    """Every text key of a context without a leading "_", as text, and `_late` as lateness; the second time as well."""
    for context, tags, late in CONTEXTS * 2:
        clock, recorder = started()
        on_request = request_listener(recorder, counts_sent=False)
        for other, _, _ in CONTEXTS:
            on_request(
                request_type="GET", name="/before", response_time=1, response_length=0, exception=None, context=other
            )
        on_request(
            request_type="GET",
            name="/f",
            response_time=0.5,
            response_length=3,
            exception=None,
            context=context,
            url="x",
        )
        clock.now += 1
        (tick,) = recorder.close({})

        found = {key: dict(bins) for key, bins in tick.trends.items() if key.name == "GET /f"}
        key = TrendKey(DURATION, "GET /f", tuple(sorted(tags.items())))
        assert found == {key: {500: 1}} | ({} if late is None else {key._replace(clock=RESPONSE): {500 + late: 1}})
        assert tick.counters[SeriesKey("sent")] == len(CONTEXTS) + 1
        assert {dict(key.tags).get("n") for key in tick.trends} == {None, "1", "True", "[1, 2]"}


def test_a_metric_of_user_code_keeps_to_its_second() -> None:
    """Counters and rates add up in a second, a gauge keeps its last value, and the process's gauges stand beside it."""
    clock, recorder = started()
    for value in (4.0, 2.0):
        recorder.count("sold", BOOKING, 3)
        recorder.rate("upgraded", (), hit=value > 3)
        recorder.gauge("cart", (), value)
    clock.now += 1
    recorder.gauge("cart", (), 9.0)
    clock.now += 1

    first, second = recorder.close({"vus": 1.0})

    assert first.counters == {SeriesKey("sold", BOOKING): 6}
    assert first.rates == {SeriesKey("upgraded"): (1, 2)}
    assert (first.gauges, second.gauges) == ({SeriesKey("cart"): 2.0}, {SeriesKey("cart"): 9.0, SeriesKey("vus"): 1.0})


def test_a_second_that_was_given_away_is_not_counted_in() -> None:
    """A clock that goes back a little after a close leads to a later second, and to no request that is lost."""
    clock, recorder = started()
    clock.now += 0.9
    answer(recorder)
    clock.now += 0.1
    given = recorder.close({})
    clock.now -= 0.05
    answer(recorder)
    given += recorder.close({}, everything=True)

    assert [tally(tick).requests(Selector(DURATION), OK) for tick in given] == [1, 1]
    assert [tick.counters[SeriesKey("sent")] for tick in given] == [1, 1]


def test_a_request_that_was_on_its_way_at_the_start_counts_as_sent() -> None:
    """Its answer counts in the run, and so must its sending: else good runs would be told that they lost requests."""
    recorder = Recorder(Clock())
    recorder.sent()
    recorder.start()
    recorder.request("POST /b", BOOKING, 1000, None, 10)
    recorder.done(finished=True)

    totals = Totals.of(tally(*recorder.close({}, everything=True)))

    assert (totals.sent, totals.ok) == (1, 1)
