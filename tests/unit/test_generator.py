"""What each load process used of its core."""

from __future__ import annotations

from lab.generator import THE_PROCESS, CpuWatch, spread
from lab.model.sample import SeriesKey, Tick


def watched(*ticks: Tick) -> dict[str, list[float]]:
    """Look at ticks."""
    watch = CpuWatch()
    for tick in ticks:
        watch.add(tick)
    return watch.shares


def second(number: int, **shares: float) -> Tick:
    """Make a second in which these processes looked at their clocks."""
    own = {SeriesKey("worker_cpu", (("process", name),)): share for name, share in shares.items()}
    return Tick(number, gauges=own | ({SeriesKey("generator_cpu"): max(shares.values())} if shares else {}))


def test_the_one_process_has_a_share_for_every_second() -> None:
    """CPU time of seconds in which it did not come to look belongs to all of them."""
    alone = SeriesKey("generator_cpu")

    assert watched(Tick(0, gauges={alone: 0.5}), Tick(1), Tick(2, gauges={alone: 1.8})) == {
        THE_PROCESS: [0.5, 0.9, 0.9]
    }


def test_many_are_looked_at_each_for_itself() -> None:
    """One that is busy is not hidden by one that idles; the busiest one's gauge is nobody of its own."""
    shares = watched(second(0, a=0.9, b=0.1), second(1, b=0.2), second(2, a=1.8, b=0.3))

    assert shares == {"a": [0.9, 0.9, 0.9], "b": [0.1, 0.2, 0.3]}


def test_what_comes_late_for_a_second_says_nothing_new() -> None:
    """A second that is given twice counts once."""
    assert watched(second(0, a=0.4), Tick(0), second(0, a=0.6), second(1, a=0.5)) == {"a": [0.4, 0.5]}


def test_a_share_is_spread() -> None:
    """Evenly."""
    assert spread(3.0, 3) == [1.0, 1.0, 1.0]
