"""What the recorder keeps of where requests' time went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.engine.merge import Merger
from lab.engine.parts import MAX_PARTS
from lab.engine.recorder import Recorder
from lab.model.histogram import bin_of
from lab.model.sample import Tally
from lab.model.server_timing import BLOCK_S, COUNTS, GROUP_BITS, ODD, SUMS, TIMING, Odd
from lab.model.threshold import Selector

if TYPE_CHECKING:
    from lab.model.sample import Tick

BOOK = (("operation", "book"),)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        """Give the time."""
        return self.at


def recorded(*told: tuple[float, int, str], warmup: int | None = 0) -> list[Tick]:
    """Record what answers told: at a second, after so many µs."""
    clock = Clock()
    recorder = Recorder(clock, warmup)
    recorder.start()
    ticks = []
    for at, us, text in told:
        clock.at = at
        ticks += recorder.close({})
        recorder.line("POST /bookings", BOOK).timed(us, text)
    return ticks + recorder.close({}, everything=True)


def found(ticks: list[Tick], metric: str) -> list[tuple[int, dict[str, str], dict[int, int]]]:
    """Give a metric's entries, by second."""
    return [
        (tick.second, dict(key.tags), dict(bins))
        for tick in ticks
        for key, bins in tick.trends.items()
        if key.metric == metric
    ]


def test_parts_are_histograms_with_the_gap_that_the_client_waited_beyond_them() -> None:
    """Each part has its own histogram, and all parts and the gap add up to what the client waited."""
    ticks = recorded((0.5, 5000, "auth.own;dur=1.000, auth.db;dur=3.000"), (0.6, 5000, "auth.own;dur=2.000"))
    spread = {(tags["hop"], tags["kind"]): bins for _, tags, bins in found(ticks, TIMING)}
    assert spread == {
        ("auth", "own"): {1000: 1, 2000: 1},
        ("auth", "db"): {bin_of(3000): 1},
        ("client", "gap"): {1000: 1, bin_of(3000): 1},
    }
    assert all(tags["operation"] == "book" for _, tags, _ in found(ticks, TIMING))


def test_sums_belong_to_the_group_of_the_requests_own_latency() -> None:
    """Of slow requests and of fast ones the parts are summed apart."""
    ticks = recorded((0.1, 1000, "a.db;dur=0.5"), (0.2, 90_000, "a.db;dur=80"), (0.3, 90_001, "a.db;dur=70"))
    fast, slow = 1000 >> GROUP_BITS, bin_of(90_000) >> GROUP_BITS
    sums = {tags["hop"]: bins for _, tags, bins in found(ticks, SUMS)}
    assert sums == {"a": {fast: 500, slow: 150_000}, "client": {fast: 500, slow: 30_001}}
    assert found(ticks, COUNTS) == [(0, {"operation": "book"}, {fast: 1, slow: 2})]


def test_a_part_that_took_nothing_adds_nothing() -> None:
    """It is in the histogram, and no row of sums is written for it."""
    ticks = recorded((0.1, 1000, "a.db;dur=0, a.own;dur=1"))
    assert {tags["kind"]: bins for _, tags, bins in found(ticks, TIMING)}["db"] == {0: 1}
    assert {tags["kind"]: bins for _, tags, bins in found(ticks, SUMS) if bins} == {"own": {1000 >> GROUP_BITS: 1000}}


def test_sums_go_into_the_second_that_ends_their_block() -> None:
    """What was recorded in a block of seconds stands in its last one, and the rest in the last of the run."""
    ticks = recorded(
        (0.5, 900, "a.own;dur=0.1"), (BLOCK_S - 0.1, 900, "a.own;dur=0.2"), (BLOCK_S + 2.5, 900, "a.own;dur=0.3")
    )
    sums = [(second, sum(bins.values())) for second, tags, bins in found(ticks, SUMS) if tags["hop"] == "a"]
    assert sums == [(BLOCK_S - 1, 300), (BLOCK_S + 2, 300)]
    assert [tick.second for tick in ticks] == list(range(BLOCK_S + 3))


@pytest.mark.parametrize("warmup", [1, 3, 5, 7, 30, 31])
def test_what_is_judged_and_what_is_not_are_never_one_sum(warmup: int) -> None:
    """Wherever the warm-up ends, sums and histograms of the seconds from then on hold just what came in them."""
    answers = [(second + 0.5, 5000, "a.own;dur=1") for second in range(40)]
    ticks = recorded(*answers, warmup=warmup)
    for metric in (TIMING, SUMS, COUNTS):
        before, after = Tally(), Tally()
        for tick in ticks:
            (after if tick.second >= warmup else before).add(tick)
        counted = [
            {key: histogram.bins for key, histogram in one.trends.items() if key.metric == metric}
            for one in (before, after)
        ]
        of_each = 1000 if metric == SUMS else 1
        for found_in, seconds in zip(counted, (warmup, 40 - warmup), strict=True):
            mine = [sum(bins.values()) for key, bins in found_in.items() if dict(key.tags).get("hop", "a") == "a"]
            assert mine == [seconds * of_each]


def test_where_the_warm_up_is_found_out_later_histograms_end_where_it_may_end() -> None:
    """That is every five seconds, as the sums do."""
    ticks = recorded(*((second + 0.5, 5000, "a.own;dur=1") for second in range(12)), warmup=None)
    seconds = [second for second, tags, _ in found(ticks, TIMING) if tags["hop"] == "a"]
    assert seconds == [BLOCK_S - 1, 2 * BLOCK_S - 1, 11]


def test_several_processes_parts_are_added() -> None:
    """Two processes that recorded the same give every count twice."""
    one = recorded((0.5, 5000, "auth.own;dur=1"), (1.5, 6000, "auth.own;dur=2"))
    merger = Merger(["1", "2"])
    for tick in one:
        merger.add("1", tick)
        merger.add("2", tick)
    alone, both = Tally(), Tally()
    for tick in one:
        alone.add(tick)
    for tick in merger.close(everything=True):
        both.add(tick)
    for metric in (TIMING, SUMS, COUNTS):
        once = {key: bins.bins for key, bins in alone.trends.items() if key.metric == metric}
        twice = {key: bins.bins for key, bins in both.trends.items() if key.metric == metric}
        assert once
        assert twice == {key: {place: 2 * n for place, n in bins.items()} for key, bins in once.items()}


def test_parts_that_are_more_than_the_wait_are_counted_and_left_out() -> None:
    """A target that claims more time than the client waited is not believed; a rounding is."""
    ticks = recorded((0.5, 5000, "a.own;dur=9"), (0.6, 5000, "a.own;dur=5.2"))
    assert [bins for _, tags, bins in found(ticks, TIMING) if tags["hop"] == "client"] == [{0: 1}]
    assert {dict(key.tags)["reason"]: n for key, n in ticks[0].counters.items() if key.metric == ODD} == {Odd.SUM: 1}


def test_a_wait_that_another_clock_makes_too_long_is_cut_to_what_was_waited() -> None:
    """The first hop knows by its own clock how long a request waited for it; that is never more than the client did."""
    ticks = recorded((0.5, 5000, "a;dur=4, a.queue;dur=7000, a.own;dur=4"))
    spread = {(tags["hop"], tags["kind"]): bins for _, tags, bins in found(ticks, TIMING)}
    assert spread == {("a", "queue"): {1000: 1}, ("a", "own"): {bin_of(4000): 1}, ("client", "gap"): {0: 1}}


def test_a_target_that_tells_its_time_is_known_from_its_first_answer() -> None:
    """Only then is it told when requests are sent."""
    recorder = Recorder(Clock())
    line = recorder.line("POST /bookings", BOOK)
    line.timed(5000, "miss")
    assert not recorder.tells_time
    line.timed(5000, "a.own;dur=1")
    assert recorder.tells_time


def test_garbage_is_counted_by_its_reason() -> None:
    """Nothing is recorded of a header that nobody can read, but that it came."""
    ticks = recorded((0.5, 5000, "a.own;dur=soon"), (0.6, 5000, "x" * 5000))
    assert found(ticks, TIMING) == []
    reasons = {dict(key.tags)["reason"] for key in ticks[0].counters if key.metric == ODD}
    assert reasons == {Odd.DURATION, Odd.LONG}


def test_names_that_never_end_share_one() -> None:
    """A target that puts an id into its names fills no disk."""
    ticks = recorded(*((0.1, 5000, f"hop{number}.own;dur=1") for number in range(3 * MAX_PARTS)))
    assert len(found(ticks, SUMS)) == MAX_PARTS + 1
    tally = Tally()
    for tick in ticks:
        tally.add(tick)
    assert tally.histogram(Selector(TIMING, (("hop", "server"), ("kind", "other")))).count > 0
