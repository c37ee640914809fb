"""CPU per booking: what the probes saw of the platform, by what was booked meanwhile, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lab.model.run import Totals
from lab.model.sample import FAIL, OK, SeriesKey, Tick, TrendKey
from reports import frame, html
from reports.comparison.reading import figures_of
from reports.spent import cpu_per_booking
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from lab.store import RunFolder

SECONDS = 40
PARTS = {"gateway": 0.5, "booking": 0.25, "load": 0.9, "mail": 0.1}
"""Cores in use."""


def tick(second: int, cores: dict[str, float], booked: int = 25) -> Tick:
    """Make a second in which so much was booked, five bookings failed, and parts used so many cores."""
    tags = (("operation", "booking"),)
    return Tick(
        second,
        {
            TrendKey("http_req_duration", "POST /bookings", tags, OK): {1000: booked},
            TrendKey("http_req_duration", "POST /bookings", tags, FAIL): {1000: 5},
        },
        gauges={SeriesKey("cpu", (("process", part),)): value for part, value in cores.items()},
    )


def made(path: Path, seconds: list[Tick], **changes: Any) -> RunFolder:
    """Write a run of these seconds, which nobody audited unless that is said."""
    run = synthetic.run(**{"integrity": None, "totals": Totals(), **changes})
    return synthetic.folder(path, run, seconds)


def test_what_the_platform_used_is_shared_by_what_was_booked(tmp_path: Path) -> None:
    """Three quarters of a core and 25 bookings a second: 30 ms each; load and mail sink are the lab's."""
    folder = made(tmp_path, [tick(second, PARTS) for second in range(SECONDS)])
    assert cpu_per_booking(frame.load(folder)) == pytest.approx(30_000)
    assert figures_of(folder).values["all", "cpu_per_booking"] == pytest.approx(30_000)
    assert "30ms" in html.render(frame.load(folder))


def test_the_warm_up_costs_nothing(tmp_path: Path) -> None:
    """Only seconds that are judged count, of the CPU as of the bookings."""
    seconds = [tick(second, {"booking": 2.0 if second < 10 else 0.5}) for second in range(SECONDS)]
    folder = made(tmp_path, seconds, warmup=10)
    assert cpu_per_booking(frame.load(folder)) == pytest.approx(20_000)
    assert figures_of(folder, since=0).values["all", "cpu_per_booking"] == pytest.approx(0.875e6 / 25)


def test_a_second_without_a_look_is_as_the_others(tmp_path: Path) -> None:
    """Probes keep no time with the load: one look more or less changes nothing."""
    seconds = [tick(second, {} if second % 9 == 0 else {"booking": 0.5}) for second in range(SECONDS)]
    assert cpu_per_booking(frame.load(made(tmp_path, seconds))) == pytest.approx(20_000)


def test_refusals_that_were_right_are_no_bookings(tmp_path: Path) -> None:
    """Where the audit found fewer accepted than succeeded, a booking costs more."""
    half = replace(synthetic.SOUND, bookings_accepted=25 * SECONDS // 2)
    folder = made(tmp_path, [tick(second, {"booking": 0.5}) for second in range(SECONDS)], integrity=half)
    assert cpu_per_booking(frame.load(folder)) == pytest.approx(40_000)


@pytest.mark.parametrize("seen", [{}, {"load": 0.9, "mail": 0.1}])
def test_a_platform_that_is_elsewhere_has_no_figure(tmp_path: Path, seen: dict[str, float]) -> None:
    """Without a probe on the platform there is none, and no row in a comparison."""
    folder = made(tmp_path, [tick(second, seen) for second in range(SECONDS)])
    assert cpu_per_booking(frame.load(folder)) is None
    assert ("all", "cpu_per_booking") not in figures_of(folder).values


def test_a_part_that_was_lost_from_sight_gives_no_figure(tmp_path: Path) -> None:
    """Of a part that died on the way nobody knows what it used, and what is left of the others would look cheap."""
    parts = ({"gateway": 0.5, "booking": 0.5}, {"gateway": 0.5})
    folder = made(tmp_path, [tick(second, parts[second > SECONDS // 2]) for second in range(SECONDS)])
    assert cpu_per_booking(frame.load(folder)) is None


def test_nothing_booked_costs_nothing_that_can_be_told(tmp_path: Path) -> None:
    """Neither a run without the operation nor one in which none succeeded divides by zero."""
    assert cpu_per_booking(frame.load(made(tmp_path / "none", [tick(0, PARTS, booked=0)]))) is None
    other = Tick(0, {TrendKey("http_req_duration", "GET /", ()): {5: 3}}, gauges=tick(0, PARTS).gauges)
    assert cpu_per_booking(frame.load(made(tmp_path / "other", [other]))) is None
