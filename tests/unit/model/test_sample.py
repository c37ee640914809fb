"""Ticks and their sum."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import RunError
from lab.model.histogram import bin_of, middle
from lab.model.sample import FAIL, NO_CLOCK, OK, RESPONSE, SeriesKey, Tags, Tally, Tick, TrendKey
from lab.model.threshold import Selector, parse_threshold

FEW = settings(max_examples=60, deadline=None)
HOSTILE = ["", "\n", "a\r\nb", "\u2028\x85", '"\\', "\x00", "<b>&", "予約 🛫", "\ud800", "x" * 300]
texts = st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=8)
tag_lists = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
counts = st.integers(1, 10**6)
ticks = st.builds(
    Tick,
    st.integers(0, 5),
    st.dictionaries(
        st.builds(TrendKey, texts, texts, tag_lists, st.sampled_from([OK, FAIL])),
        st.dictionaries(st.integers(0, 30_000), counts, max_size=3),
        max_size=3,
    ),
    st.dictionaries(st.builds(SeriesKey, texts, tag_lists), st.tuples(counts, counts), max_size=2),
    st.dictionaries(st.builds(SeriesKey, texts, tag_lists), counts, max_size=2),
    st.dictionaries(st.builds(SeriesKey, texts, tag_lists), st.floats(allow_nan=False), max_size=2),
)
BOOKING: Tags = (("operation", "booking"), ("team", "a"))
SEARCH: Tags = (("operation", "search"),)


@FEW
@given(ticks)
def test_a_tick_is_read_as_it_was_written(tick: Tick) -> None:
    """Whatever names, tags and reasons hold, a tick is one line, and that line is the tick."""
    line = tick.to_json()

    assert len(line.splitlines()) == 1
    assert Tick.from_json(line) == tick


@FEW
@given(ticks, st.floats(0, 1, exclude_max=True))
def test_a_line_that_was_cut_off_is_refused(tick: Tick, share: float) -> None:
    """No beginning of a line is taken for a second."""
    line = tick.to_json()

    with pytest.raises(RunError, match="not a recorded second"):
        Tick.from_json(line[: int(len(line) * share)])


@pytest.mark.parametrize(
    "line",
    [
        "", "null", "1", "[]", "{}", '"x"', '{"second": 1}',
        '{"second":1,"trends":[[1]],"rates":[],"counters":[],"gauges":[]}',
        '{"second":1,"trends":[],"rates":[],"counters":[["a",[["b"]],1]],"gauges":[]}',
        '{"second":1,"trends":[["m","n",[],"ok","service",[1]]],"rates":[],"counters":[],"gauges":[]}',
        '{"second":1,"trends":7,"rates":[],"counters":[],"gauges":[]}',
    ],
)  # fmt: skip
def test_what_is_no_tick_is_refused(line: str) -> None:
    """Valid JSON of another shape is refused, too."""
    with pytest.raises(RunError, match="not a recorded second"):
        Tick.from_json(line)


def sums(tally: Tally) -> tuple[object, ...]:
    """Give what of a tally must not hang on the order of adding."""
    return (
        {key: dict(histogram.bins) for key, histogram in tally.trends.items()},
        tally.rates, tally.counters, tally.peaks, tally.seconds,
    )  # fmt: skip


def added(seconds: list[Tick]) -> Tally:
    """Sum ticks."""
    tally = Tally()
    for tick in seconds:
        tally.add(tick)
    return tally


@FEW
@given(st.lists(ticks, max_size=5).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_ticks_are_added_in_any_order(orders: tuple[list[Tick], list[Tick]]) -> None:
    """Histograms, rates, counters, peaks and the number of seconds do not hang on the order."""
    first, second = orders

    assert sums(added(first)) == sums(added(second))


def test_adding_leaves_the_ticks_as_they_were() -> None:
    """A tally does not grow into the ticks that it was made of."""
    bins = {5: 1}
    tick = Tick(0, {TrendKey("http_req_duration", "GET /", ()): bins})
    tally = added([tick, tick])

    assert bins == {5: 1}
    assert tally.histogram(Selector("http_req_duration")).count == 2


def test_a_gauge_is_its_last_value() -> None:
    """The last second's value stands, and the peak is kept beside it."""
    key = SeriesKey("vus")
    tally = added([Tick(0, gauges={key: 5.0}), Tick(1, gauges={key: 9.0}), Tick(2, gauges={key: 2.0}), Tick(3)])

    assert (tally.gauge(Selector("vus")), tally.peaks[key], tally.seconds) == (2.0, 9.0, 4)
    assert tally.gauge(Selector("vus_max")) is None


def test_a_gauge_of_user_code_is_what_was_set_last() -> None:
    """Of several series the newest value holds, whichever was there first; the lab's own gauges are summed."""
    gold, tin = (("tier", "gold"),), (("tier", "tin"),)
    tally = added(
        [
            Tick(0, gauges={SeriesKey("cart", gold): 5.0, SeriesKey("cart", tin): 9.0, SeriesKey("vus", gold): 2.0}),
            Tick(1, gauges={SeriesKey("cart", gold): 4.0, SeriesKey("vus", tin): 1.0}),
        ]
    )

    assert tally.gauge(Selector("cart")) == 4.0
    assert tally.gauge(Selector("cart", tin)) == 9.0
    assert tally.gauge(Selector("vus")) == 3.0


def us(*values: int) -> dict[int, int]:
    """Count values by bin."""
    bins: dict[int, int] = {}
    for value in values:
        bins[bin_of(value)] = bins.get(bin_of(value), 0) + 1
    return bins


def measured() -> Tally:
    """Make a run of 10 s: 8 bookings (2 failed), 4 searches, checks, iterations and gauges."""
    duration = "http_req_duration"
    return added(
        [
            Tick(
                0,
                {
                    TrendKey(duration, "POST /b", BOOKING): us(1000, 2000, 3000, 4000),
                    TrendKey(duration, "POST /b", BOOKING, FAIL): us(50),
                    TrendKey(duration, "GET /s", SEARCH): us(500, 600),
                    TrendKey("iteration_duration", "book", ()): us(1_000_000, 2_000_000),
                    TrendKey("mine", "x", ()): us(7000),
                    TrendKey("hits", "", (("tier", "gold"),), OK, NO_CLOCK): us(12_000, 20_000),
                    TrendKey("hits", "", (), OK, NO_CLOCK): us(1_000),
                },
                {SeriesKey("checks", (("check", "a"), *BOOKING)): (3, 4), SeriesKey("own_rate"): (1, 4)},
                {SeriesKey("iterations"): 2, SeriesKey("data_received"): 100, SeriesKey("sold", SEARCH): 4},
                {SeriesKey("vus"): 3.0, SeriesKey("cart", BOOKING): 2.0},
            ),
            Tick(
                9,
                {
                    TrendKey(duration, "POST /b", BOOKING): us(5000, 6000),
                    TrendKey(duration, "POST /b", BOOKING, FAIL): us(50),
                    TrendKey(duration, "GET /s", SEARCH): us(700, 800),
                },
                {SeriesKey("checks", (("check", "b"), *SEARCH)): (1, 1)},
                {SeriesKey("iterations"): 3},
                {SeriesKey("vus"): 7.0, SeriesKey("seats_lost"): 4.0, SeriesKey("cart", SEARCH): 1.5},
            ),
        ]
    )


def ms(microseconds: int) -> float:
    """Give what a value is shown as, in ms."""
    return middle(bin_of(microseconds)) / 1000


@pytest.mark.parametrize(
    ("metric", "expression", "actual", "unit"),
    [
        ("http_reqs", "count>0", 12, ""),
        ("http_reqs", "rate>0", 1.2, "/s"),
        ("http_reqs{operation:booking}", "count>0", 8, ""),
        ("http_reqs{name:GET /s}", "count>0", 4, ""),
        ("http_reqs{operation:booking,team:a}", "count>0", 8, ""),
        ("http_reqs{team:b}", "count>0", None, ""),
        ("http_req_failed", "rate<1", 2 / 12, "share"),
        ("http_req_failed{operation:search}", "rate<1", 0, "share"),
        ("http_req_failed{operation:none}", "rate<1", None, "share"),
        ("http_req_duration", "count>0", 12, ""),
        ("http_req_duration", "min>0", ms(500), "ms"),
        ("http_req_duration", "max>0", ms(6000), "ms"),
        ("http_req_duration", "med>0", ms(2000), "ms"),
        ("http_req_duration", "p(95)>0", inf, "ms"),
        ("http_req_duration", "p(0)>0", ms(500), "ms"),
        ("http_req_duration{operation:search}", "p(95)>0", ms(800), "ms"),
        ("http_req_duration{operation:search}", "med>0", ms(600), "ms"),
        ("http_req_duration{name:POST /b}", "p(75)>0", ms(6000), "ms"),
        ("http_req_duration{name:POST /b}", "p(76)>0", inf, "ms"),
        ("http_req_duration{operation:none}", "p(95)>0", None, "ms"),
        ("http_req_duration{operation:none}", "count>=0", None, ""),
        ("iteration_duration", "max>0", ms(2_000_000), "ms"),
        ("iterations", "count>0", 5, ""),
        ("iterations", "rate>0", 0.5, "/s"),
        ("dropped_iterations", "count==0", None, ""),
        ("checks", "rate>0", 4 / 5, "share"),
        ("checks{operation:booking}", "rate>0", 3 / 4, "share"),
        ("checks{check:b}", "rate>0", 1, "share"),
        ("checks{check:c}", "rate>0", None, "share"),
        ("vus", "value>0", 7, ""),
        ("seats_lost", "value==0", 4, ""),
        ("seats_oversold", "value==0", None, ""),
        ("mine", "p(50)>0", ms(7000), "ms"),
        ("own_rate", "rate>0", 0.25, "share"),
        ("data_received", "count>0", 100, ""),
        ("data_received", "rate>0", 10, "/s"),
        ("hits", "max>0", middle(bin_of(20_000)) / 1000, ""),
        ("hits{tier:gold}", "min>0", middle(bin_of(12_000)) / 1000, ""),
        ("hits{tier:gold}", "p(95)>0", middle(bin_of(20_000)) / 1000, ""),
        ("hits{tier:tin}", "p(95)>0", None, ""),
        ("hits", "count>0", 3, ""),
        ("sold{operation:search}", "count>0", 4, ""),
        ("sold{operation:booking}", "count>0", None, ""),
        ("cart", "value>0", 1.5, ""),
        ("cart{operation:booking}", "value>0", 2, ""),
        # A metric of the user's own has a kind only once it was seen; what that kind cannot answer is NO DATA.
        ("mine", "rate<1", None, ""),
        ("mine", "value<1", None, ""),
        ("own_rate", "p(50)<1", None, ""),
        ("data_received", "avg<1", None, ""),
        ("vus_of_mine", "p(95)<1", None, ""),
    ],
)
def test_what_a_threshold_sees(metric: str, expression: str, actual: float | None, unit: str) -> None:
    """Each kind of metric, over all and by tag, in the unit that thresholds are written in; nothing seen is None."""
    found, in_unit = measured().measure(parse_threshold(metric, expression))

    assert found == (actual if actual is None else pytest.approx(actual))
    assert in_unit == unit


def test_only_failures_are_no_answer() -> None:
    """Where every request failed, no aggregation of the durations is a figure, and none is NO DATA."""
    tally = added([Tick(0, {TrendKey("http_req_duration", "GET /", (), FAIL): us(10, 20)})])

    for text in ("p(50)<1", "med<1", "avg<1", "min<1", "max<1"):
        assert tally.measure(parse_threshold("http_req_duration", text)) == (inf, "ms")
    assert tally.measure(parse_threshold("http_req_duration", "count>0")) == (2.0, "")


def test_twenty_percent_instant_failures() -> None:
    """T12: failing fast does not make p95 better; the median is still a figure."""
    tally = added(
        [
            Tick(
                0,
                {
                    TrendKey("http_req_duration", "GET /", ()): {bin_of(20_000): 80},
                    TrendKey("http_req_duration", "GET /", (), FAIL): {0: 20},
                },
            )
        ]
    )

    assert tally.measure(parse_threshold("http_req_duration", "p(95)<2000"))[0] == inf
    assert tally.measure(parse_threshold("http_req_duration", "med<2000"))[0] == ms(20_000)


def open_load() -> Tally:
    """Make an open load `a` (10 iterations of 2 bookings and a search, 5 dropped) beside a closed one, `b`."""
    duration, of_a = "http_req_duration", ("scenario", "a")
    booking, search = (("operation", "booking"), of_a), (("operation", "search"), of_a)
    return added(
        [
            Tick(
                0,
                {
                    TrendKey(duration, "POST /b", booking): {bin_of(1000): 18},
                    TrendKey(duration, "POST /b", booking, OK, RESPONSE): {bin_of(9000): 18},
                    TrendKey(duration, "POST /b", booking, FAIL): {bin_of(10): 2},
                    TrendKey(duration, "POST /b", booking, FAIL, RESPONSE): {bin_of(20): 2},
                    TrendKey(duration, "GET /s", search): {bin_of(2000): 10},
                    TrendKey(duration, "GET /s", search, OK, RESPONSE): {bin_of(3000): 10},
                    TrendKey(duration, "GET /s", (("operation", "search"), ("scenario", "b"))): {bin_of(500): 70},
                    TrendKey("iteration_duration", "book", (of_a,)): {bin_of(1000): 10},
                    TrendKey("iteration_duration", "book", (of_a,), OK, RESPONSE): {bin_of(4000): 10},
                    TrendKey("iteration_duration", "look", (("scenario", "b"),)): {bin_of(600): 35},
                },
                {},
                {
                    SeriesKey("iterations", (of_a,)): 10,
                    SeriesKey("iterations", (("scenario", "b"),)): 35,
                    SeriesKey("dropped_iterations", (("iteration", "book"), of_a)): 5,
                },
            )
        ]
    )


@pytest.mark.parametrize(
    ("metric", "expression", "actual"),
    [
        ("http_req_duration{operation:search,scenario:a}", "med>0", ms(3000)),
        ("http_req_duration{operation:search,scenario:a,clock:response}", "med>0", ms(3000)),
        ("http_req_duration{operation:search,scenario:a,clock:service}", "med>0", ms(2000)),
        ("http_req_duration{operation:search,scenario:a,clock:service}", "p(100)>0", ms(2000)),
        ("http_req_duration{clock:response,scenario:b}", "med>0", None),
        # 10 searches and the 5 that were dropped: two thirds are an answer, and no more.
        ("http_req_duration{operation:search,scenario:a}", "p(66)>0", ms(3000)),
        ("http_req_duration{operation:search,scenario:a}", "p(67)>0", inf),
        # 18 bookings, 2 failures and the 10 that were dropped.
        ("http_req_duration{operation:booking}", "p(60)>0", ms(9000)),
        ("http_req_duration{operation:booking}", "p(61)>0", inf),
        # The closed load has no other clock and drops nothing.
        ("http_req_duration{scenario:b}", "p(100)>0", ms(500)),
        ("iteration_duration{scenario:a}", "p(66)>0", ms(4000)),
        ("iteration_duration{scenario:a}", "p(67)>0", inf),
        ("iteration_duration{scenario:b}", "p(100)>0", ms(600)),
        ("iteration_duration", "p(90)>0", ms(4000)),
        ("iteration_duration", "p(91)>0", inf),
        ("iteration_duration", "max>0", ms(4000)),
        ("iteration_duration", "count>0", 45),
        ("http_req_duration", "count>0", 100),
        ("http_reqs", "count>0", 100),
        ("http_reqs{clock:response}", "count>0", 100),
        ("http_req_failed{scenario:a,clock:response}", "rate>0", 2 / 30),
        ("dropped_iterations", "count==0", 5),
        ("dropped_iterations{scenario:a}", "count==0", 5),
        ("dropped_iterations{scenario:b}", "count==0", None),
    ],
)
def test_what_a_threshold_sees_of_an_open_load(metric: str, expression: str, actual: float | None) -> None:
    """The response clock where there is one, and an endless answer for each one that a dropped iteration owes."""
    found, _ = open_load().measure(parse_threshold(metric, expression))

    assert found == (actual if actual is None else pytest.approx(actual))


def test_a_load_that_dropped_everything_has_no_answer() -> None:
    """Not one iteration ran: its percentiles are endless, and of requests that nobody made there is no data."""
    tally = added([Tick(0, counters={SeriesKey("dropped_iterations"): 3})])

    assert tally.measure(parse_threshold("iteration_duration", "p(50)<1"))[0] == inf
    assert tally.measure(parse_threshold("iteration_duration", "max<1"))[0] is None
    assert tally.measure(parse_threshold("http_req_duration", "p(50)<1"))[0] is None


def test_the_other_clock_is_kept_apart() -> None:
    """Response times are never mixed into service times, and nothing is counted twice for having both."""
    tally, everything = open_load(), Selector("http_req_duration")

    assert tally.histogram(everything, OK).count == tally.histogram(everything, OK, None).count == 98
    assert tally.histogram(everything, OK, RESPONSE).count == 28
    assert tally.histogram(everything, OK).maximum == middle(bin_of(2000))
    assert (tally.requests(everything, OK), tally.requests(everything, FAIL)) == (98, 2)
