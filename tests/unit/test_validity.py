"""The gates, each on both sides of its limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.generator import THE_PROCESS, spread
from lab.model.histogram import bin_of
from lab.model.load import Load
from lab.model.run import Totals
from lab.model.sample import FAIL, OK, SeriesKey, Tags, Tally, Tick, TrendKey
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.threshold import parse_threshold
from lab.model.verdict import Finding, Validity
from lab.validity import Observed, gates, validity

VALID, SUSPECT, INVALID = Validity.VALID, Validity.SUSPECT, Validity.INVALID
HELD = (Stage(30, 10), Stage(60, 10), Stage(10, 0))
BOOKING: Tags = (("operation", "booking"),)


def scenario(*stages: Stage, start: int = 0, thresholds: tuple[tuple[str, str], ...] = ()) -> Scenario:
    """Make a scenario with these stages; without any, one with a ramp and a hold."""
    return Scenario(
        "s", (Load("ramping-vus", "U", stages or HELD, start),),
        thresholds=tuple(parse_threshold(*pair) for pair in thresholds),
    )  # fmt: skip


def tally(*trends: tuple[TrendKey, int, int]) -> Tally:
    """Sum a run of 100 s: (what, µs, how often); without any, 1,000 bookings of 20 ms and a punctual probe."""
    found = Tally()
    for key, value, count in trends or ((requests(), 20_000, 1000), (PROBE, 100, 1000)):
        found.add(Tick(99, {key: {bin_of(value): count}}))
    return found


def requests(operation: str = "booking", outcome: str = OK) -> TrendKey:
    """Name the requests of an operation."""
    return TrendKey("http_req_duration", "POST /", (("operation", operation),), outcome)


PROBE = TrendKey("generator_lag", "10 ms probe", ())


def observed(**changes: Any) -> Observed:
    """Make a run that no gate has anything against; `changes` are fields of Observed."""
    values: dict[str, Any] = {
        "scenario": scenario(),
        "tally": tally(),
        "totals": Totals(sent=1000, ok=1000, seconds=100),
        "cpu": {THE_PROCESS: [0.3] * 100},
        "attempts": {str(n): 20 for n in range(50)},
        "sold_out": 0,
    }
    return Observed(**{**values, **changes})


def level(run: Observed, gate: str) -> Validity:
    """Give the worst that a gate found; VALID when it had nothing to say."""
    return max((f.level for f in gates(run) if f.gate == gate), key=list(Validity).index, default=VALID)


def sentence(run: Observed, gate: str) -> str:
    """Give what a gate said."""
    return " ".join(f.sentence for f in gates(run) if f.gate == gate)


def test_a_sound_run_is_valid() -> None:
    """No gate objects, and each of them that was asked says its figures."""
    found = gates(observed())

    assert {f.level for f in found} == {VALID}, found
    assert [f.gate for f in found] == ["count", "generator CPU", "scheduling delay"]
    assert validity(found) is VALID
    assert "1,000 sent = 1,000 ok + 0 failed + 0 unfinished" in found[0].sentence


def test_the_worst_finding_is_the_runs_level() -> None:
    """INVALID outweighs SUSPECT, which outweighs VALID; where nothing was looked at, nothing can be believed."""
    findings = [Finding("a", VALID, ""), Finding("b", SUSPECT, ""), Finding("c", INVALID, "")]

    assert [validity(findings[:n]) for n in (1, 2, 3)] == [VALID, SUSPECT, INVALID]
    assert validity(findings[::-1]) is INVALID
    assert validity([]) is INVALID


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        (Totals(sent=10, ok=7, failed=2, unfinished=1), VALID),
        (Totals(sent=11, ok=7, failed=2, unfinished=1), INVALID),
        (Totals(sent=9, ok=7, failed=2, unfinished=1), INVALID),
        (Totals(sent=2, failed=2), VALID),
        (Totals(sent=2, unfinished=2), INVALID),
        (Totals(), INVALID),
    ],
)
def test_every_request_is_accounted_for(totals: Totals, expected: Validity) -> None:
    """Sent = ok + failed + unfinished, exactly, and something was answered."""
    assert level(observed(totals=totals), "count") is expected


def test_a_run_that_lost_records_is_invalid() -> None:
    """T16: with 5 % of the recorded answers gone the count does not match any more."""
    ticks = [
        Tick(n, {requests(): {bin_of(20_000): 19}, PROBE: {0: 9}}, counters={SeriesKey("sent"): 20 if n % 2 else 18})
        for n in range(100)
    ]
    whole, holed = Tally(), Tally()
    for number, tick in enumerate(ticks):
        whole.add(tick)
        holed.add(replace(tick, trends={PROBE: {0: 9}}) if number % 20 == 0 else tick)

    assert level(observed(tally=whole, totals=Totals.of(whole)), "count") is VALID
    assert level(observed(tally=holed, totals=Totals.of(holed)), "count") is INVALID


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ([0.81] * 5, INVALID),
        ([0.80] * 50, VALID),
        ([0.99] * 4 + [0.5] + [0.99] * 4, VALID),
        ([0.1] * 9 + [0.9] * 5 + [0.1], INVALID),
        ([], VALID),
    ],
)
def test_a_generator_that_was_busy_measured_itself(cpu: list[float], expected: Validity) -> None:
    """Over 80 % of a core for five seconds on end is too much."""
    assert level(observed(cpu={THE_PROCESS: cpu}), "generator CPU") is expected


def test_one_busy_process_among_many_is_named() -> None:
    """The gate looks at each load process: a mean of several would hide the one that measured itself."""
    run = observed(cpu={"worker 1": [0.1] * 9, "worker 2": [0.9] * 9, "worker 3": [0.1] * 9})

    assert level(run, "generator CPU") is INVALID
    assert "worker 2 used over 80 % of a core for 9 s" in sentence(run, "generator CPU").replace("80%", "80 %")
    calm = observed(cpu={"worker 1": [0.1] * 9, "worker 2": [0.5] * 9})
    assert "at most 50% of a core in any second (worker 2, the busiest)" in sentence(calm, "generator CPU")


def test_one_late_process_among_many_is_named() -> None:
    """A load process that is held up is not made good by three that are not."""
    probes = [
        (PROBE._replace(tags=(("process", f"worker {n}"),)), 50_000 if n == 3 else 100, 20 if n == 3 else 1_000_000)
        for n in range(1, 5)
    ]
    run = observed(tally=tally((requests(), 20_000, 1000), *probes))

    assert level(run, "scheduling delay") is INVALID
    assert "late at p99 in worker 3" in sentence(run, "scheduling delay")


def test_a_generator_too_busy_to_look_at_its_clock_was_busy() -> None:
    """Where one look covers six seconds, their CPU time belongs to each of them, and not to the last one alone."""
    assert spread(5.4, 6) == pytest.approx([0.9] * 6)
    assert level(observed(cpu={THE_PROCESS: [0.1, *spread(5.4, 6), 0.1]}), "generator CPU") is INVALID
    assert level(observed(cpu={THE_PROCESS: [0.1, *spread(5.4, 1), 0.1]}), "generator CPU") is VALID


@pytest.mark.parametrize(
    ("late", "median", "expected"),
    [
        (100, 20_000, VALID),
        (9_000, 200_000, VALID),
        (9_000, 20_000, SUSPECT),
        (11_000, 200_000, SUSPECT),
        (11_000, 20_000, INVALID),
        (500_000, 1_000_000, INVALID),
    ],
)
def test_a_late_generator_saw_answers_late(late: int, median: int, expected: Validity) -> None:
    """Late by more than 10 ms and by more than a tenth of what it measured: invalid; one of the two: suspect."""
    run = observed(tally=tally((requests(), median, 1000), (PROBE, late, 1000)))

    assert level(run, "scheduling delay") is expected
    assert "ms late at p99" in sentence(run, "scheduling delay")


def test_one_late_timer_in_a_thousand_is_none() -> None:
    """It is the 99th percentile that counts, and a run without the probe is suspect."""
    rarely = tally((requests(), 20_000, 1000), (PROBE, 100, 995), (PROBE, 900_000, 5))

    assert level(observed(tally=rarely), "scheduling delay") is VALID
    assert level(observed(tally=tally((requests(), 20_000, 1000))), "scheduling delay") is SUSPECT


@pytest.mark.parametrize(
    ("count", "expression", "expected"),
    [
        (199, "p(95)<9", SUSPECT),
        (200, "p(95)<9", VALID),
        (1000, "p(99)<9", VALID),
        (100, "p(90)<9", VALID),
        (990, "p(99)<9", SUSPECT),
        (5, "avg<9", VALID),
        (0, "p(95)<9", VALID),
    ],
)
def test_a_percentile_needs_samples_beyond_it(count: int, expression: str, expected: Validity) -> None:
    """A threshold on a percentile with fewer than ten samples beyond it is suspect; NO DATA speaks for itself."""
    samples = [(requests(), 20_000, count - count // 10), (requests(outcome=FAIL), 10, count // 10)] if count else []
    run = observed(
        scenario=scenario(thresholds=(("http_req_duration", expression),)), tally=tally(*samples, (PROBE, 1, 9))
    )

    assert level(run, "samples") is expected


def test_the_samples_of_a_tag_are_counted_alone() -> None:
    """A threshold on a rare operation rests on that operation's samples."""
    rare = scenario(thresholds=(("http_req_duration{operation:search}", "p(95)<9"),))
    mixed = tally((requests(), 20_000, 5000), (requests("search"), 20_000, 50))

    assert level(observed(scenario=rare, tally=mixed), "samples") is SUSPECT


@pytest.mark.parametrize(
    ("plan", "expected", "words"),
    [
        (scenario(*HELD), VALID, ""),
        (scenario(Stage(9, 50), Stage(91, 50)), SUSPECT, "all 50 users came within 9 s: there was no ramp"),
        (scenario(Stage(10, 50), Stage(90, 50)), VALID, ""),
        (scenario(Stage(50, 50), Stage(50, 0)), SUSPECT, "no hold at the peak of 50"),
        (scenario(Stage(50, 50), Stage(50, 49)), SUSPECT, "no hold"),
        (scenario(Stage(60, 25), start=25), SUSPECT, "all 25 users came within 0 s"),
        (scenario(Stage(0, 25), Stage(60, 25)), SUSPECT, "came within 0 s"),
        (scenario(Stage(10, 1), start=1), VALID, ""),
        (scenario(Stage(50, 50), Stage(1, 0), Stage(1, 50), Stage(9, 50)), VALID, ""),
    ],
)
def test_the_shape_of_the_load(plan: Scenario, expected: Validity, words: str) -> None:
    """Full load in less than a tenth of the run, or no hold at the peak, is suspect."""
    run = observed(scenario=plan)

    assert level(run, "shape") is expected
    assert words in sentence(run, "shape")


@pytest.mark.parametrize(
    ("flights", "busy_us", "expected"),
    [(1, 20_000, SUSPECT), (2, 19_900, VALID), (50, 498_000, VALID), (49, 500_000, SUSPECT)],
)
def test_few_rows_make_a_contention_test(flights: int, busy_us: int, expected: Validity) -> None:
    """Fewer effective flights than ten for each request that was under way at once: the label says so."""
    # 1,000 requests of 20 ms in 100 s are 0.2 at once: they need two flights.
    run = observed(
        tally=tally((requests(), busy_us, 1000), (PROBE, 1, 9)),
        attempts={str(n): 10 for n in range(flights)},
    )

    assert level(run, "rows under test") is expected


def test_requests_that_pile_up_after_it_broke_make_no_contention_test() -> None:
    """Where a threshold ended the run, what was at once before it broke counts."""
    piled, before = (tally((requests(), us, 1000), (PROBE, 1, 9)) for us in (900_000, 20_000))
    run = observed(tally=piled, attempts={str(n): 10 for n in range(9)})

    assert level(run, "rows under test") is SUSPECT
    assert level(replace(run, arrivals=before), "rows under test") is VALID


def test_an_uneven_spread_has_fewer_rows() -> None:
    """Fifty flights of which one gets nearly every booking are hardly more than one."""
    even, uneven = ({str(n): 10 for n in range(50)}, {"0": 10_000} | {str(n): 1 for n in range(1, 50)})
    busy = tally((requests(), 200_000, 1000), (PROBE, 1, 9))

    assert level(observed(tally=busy, attempts=even), "rows under test") is VALID
    assert level(observed(tally=busy, attempts=uneven), "rows under test") is SUSPECT
    assert level(observed(tally=busy, attempts={}), "rows under test") is VALID


def test_flights_that_ran_out_are_said() -> None:
    """From then on refusals were measured, and the number of flights is in the sentence."""
    assert level(observed(sold_out=0), "seats") is VALID
    assert level(observed(sold_out=1), "seats") is SUSPECT
    assert "1 flight ran out" in sentence(observed(sold_out=1), "seats")
    assert "3 flights ran out" in sentence(observed(sold_out=3), "seats")


@pytest.mark.parametrize(("signups", "expected"), [(0, VALID), (50, VALID), (51, SUSPECT)])
def test_password_hashing_is_recognised(signups: int, expected: Validity) -> None:
    """Sign-up and sign-in that take more than half of all service time are what was measured."""
    spent = tally((requests(), 1000, 100), (requests("signup"), 1000, signups), (requests("signin"), 1000, signups))

    assert level(observed(tally=spent), "auth-bound") is expected


def test_what_is_meant_to_be_contention_is_not_held_against_it() -> None:
    """One hot flight and seats that run out make a run suspect, but not one whose scenario says contention."""
    crowd = {"attempts": {"1": 1000}, "sold_out": 1, "tally": tally((requests(), 900_000, 1000), (PROBE, 100, 1000))}
    chance, meant = observed(**crowd), observed(**crowd, scenario=replace(scenario(), contention=True))
    gate = {"rows under test", "seats"}

    assert {f.gate: f.level for f in gates(chance) if f.gate in gate} == dict.fromkeys(gate, SUSPECT)
    assert {f.gate: f.level for f in gates(meant) if f.gate in gate} == dict.fromkeys(gate, VALID)
    assert all("as it is meant to be" in f.sentence for f in gates(meant) if f.gate in gate)
