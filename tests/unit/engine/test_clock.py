"""Clocks of other machines, with delays that the test makes up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.clock import ClockWatch, Offset, offset

trips = st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.2)), min_size=1, max_size=16)


@given(st.floats(-1e6, 1e6), trips)
def test_the_truth_is_within_the_doubt(apart: float, delays: list[tuple[float, float]]) -> None:
    """However long messages take there and back, the clocks are apart by the offset, give or take the doubt."""
    watch = ClockWatch()
    for number, (there, back) in enumerate(delays):
        sent = float(number)
        watch.add(offset(sent, sent + there + apart, sent + there + back))
    best = watch.best

    assert best is not None
    assert abs(best.seconds - apart) <= best.doubt + 1e-6
    assert best.doubt == pytest.approx(min(there + back for there, back in delays) / 2, abs=1e-9)


def test_a_quick_exchange_is_believed_before_slow_ones() -> None:
    """One exchange of 1 ms among slow ones keeps the clocks within half a millisecond."""
    watch = ClockWatch()
    for late in (0.3, 0.001, 0.3, 0.3):
        watch.add(offset(0.0, 50.0 + late / 2, late))
    watch.use()

    assert watch.worst == pytest.approx(0.0005)
    assert not watch.drifted


def test_a_clock_that_drifts_is_worth_a_correction() -> None:
    """Once the quick exchange is forgotten the drift shows, is corrected, and is remembered at its worst."""
    watch = ClockWatch()
    watch.add(Offset(50.0, 0.0005))
    assert watch.use() == 50.0
    for _ in range(15):
        watch.add(Offset(50.004, 0.001))
    assert not watch.drifted

    watch.add(Offset(50.004, 0.001))
    assert watch.drifted
    assert watch.use() == 50.004
    assert not watch.drifted
    assert watch.worst == pytest.approx(0.005)


def test_there_is_no_offset_before_the_first_exchange() -> None:
    """Nothing is made up."""
    watch = ClockWatch()

    assert watch.best is None
    assert not watch.drifted
    with pytest.raises(LookupError):
        watch.use()
