"""Diagnosis by figures as runs have them: a fault comes with all that it drags along, and is ranked first all the same.

What was not measured stays "not looked at", whatever else is taken away.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.importers.bring import bring
from lab.model.sample import SeriesKey
from lab.model.verdict import Finding, Integrity, Validity
from reports.diagnosis.diagnose import RULES, diagnose
from reports.diagnosis.facts import Booked, Facts, Work
from reports.diagnosis.gathering import over
from reports.diagnosis.rule import apply
from reports.levels import levels
from tests import synthetic
from tests.stairs import climb, cpu, gauges

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hypothesis.strategies import DrawFn

    from reports.diagnosis.facts import Over
    from reports.diagnosis.rule import Diagnosis
    from reports.levels import Level

SECONDS: Final = 180
NAMES: Final = {rule.name for rule in RULES}
JTL: Final = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)
STATS: Final = (
    "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,"
    "Max Response Time,Requests/s"
)
SERVICES: Final = ("gateway", "auth", "flights", "booking", "reminder")


def beside(**changes: float) -> Mapping[SeriesKey, Over]:
    """Give what the probes see beside a load that the platform carries; `pool_waiting__booking=6` changes a figure."""
    values = {f"{metric}__{name}": 0.2 for metric in ("threads_busy", "pool_in_use") for name in SERVICES}
    values |= {f"pool_waiting__{name}": 0.0 for name in SERVICES}
    values |= {"cpu__gateway": 0.2, "cpu__auth": 0.12, "cpu__flights": 0.15, "cpu__booking": 0.2, "cpu__mariadb": 0.2}
    values |= {"cpu__load": 0.15, "queue_depth__notifications": 3.0, "queue_age__notifications": 0.2}
    values |= {"db_row_lock_waits__booking": 0.02, "db_slow_queries__booking": 0.0, "db_threads_running__booking": 1.4}
    tags = {"cpu": "process", "queue_depth": "queue", "queue_age": "queue"}
    found = {}
    for name, value in (values | changes).items():
        metric, _, of = name.partition("__")
        found[SeriesKey(metric, ((tags.get(metric, "service"), of),))] = over([value] * SECONDS)
    return found


def steps(
    *, rates: tuple[float, ...], medians: tuple[float, ...], busy: Mapping[str, float], pinned: int
) -> tuple[Level, ...]:
    """Give levels of 20, 50 and 100 users: the rate and median of each, what is busy, the gateway's most threads."""
    users = (20, 50, 100)
    run, ticks = climb(
        dict(zip(users, rates, strict=True)).__getitem__,
        users=users,
        noise=0.02,
        beside=lambda n: (
            cpu(**{name: min(share * n / 100, 0.99) for name, share in busy.items()})
            | gauges("threads_busy", "service", {"gateway": min(n * 0.3, pinned)})
            | gauges("pool_waiting", "service", {"booking": 0})
        ),
    )
    return tuple(
        replace(level, median=median, p95=3 * median) for level, median in zip(levels(run, ticks), medians, strict=True)
    )


def changed(**values: Any) -> Facts:
    """Change the run that the platform carries."""
    return replace(CARRIED, **values)


def work(**values: Work) -> Mapping[str, Work]:
    """Change some operations."""
    return {**CARRIED.operations, **values}


GROWING: Final[tuple[Level, ...]] = steps(
    rates=(17.0, 42.0, 84.0), medians=(7000.0, 7400.0, 8900.0), busy={"gateway": 0.3, "booking": 0.3}, pinned=64
)
FULL_CORE: Final[tuple[Level, ...]] = steps(
    rates=(17.0, 33.0, 34.0), medians=(9000.0, 240_000.0, 1_500_000.0), busy={"gateway": 2.5, "load": 0.1}, pinned=16
)
HELD: Final = {
    name: Finding(name, Validity.VALID, f"{name} held")
    for name in ("generator CPU", "scheduling delay", "Little's law", "seats", "count")
}
CARRIED: Final = Facts(
    synthetic.run(integrity=Integrity(checked=True, flights_checked=100)),
    SECONDS,
    57.0,
    {
        "booking": Work(8600, 4, 70.0, 7400.0),
        "login": Work(430, 0, 32.0, 71_000.0),
        "setup": Work(430, 0, 3.0, 6200.0),
    },
    {("booking", "HTTP 503: flights did not answer in # s."): 4},
    HELD,
    2100.0,
    beside(),
    GROWING,
    Booked(8610, 8604, 2, 96.0),
    {
        "gateway.own": 9.0, "gateway.queue": 4.0, "booking.own": 16.0, "booking.db": 17.0, "booking.queue": 2.0,
        "flights.own": 9.0, "flights.db": 11.0, "auth.hash": 28.0, "auth.queue": 2.0, "auth.own": 1.0,
        "client.gap": 6.0,
    },
    {"auth.hash": 28.0, "auth.queue": 2.0, "auth.own": 1.0},
)  # fmt: skip
"""Three steps of travellers who sign in once in ten trips, as scenario `load` has them."""

FAULTS: Final[dict[str, Facts]] = {
    "generator-bound": changed(
        findings={
            **HELD,
            "generator CPU": Finding("generator CPU", Validity.INVALID, "used over 80% of a core for 40 s"),
        },
        lag=38_000.0,
        gauges=beside(cpu__load=0.98, cpu__gateway=0.5),
        parts={**CARRIED.parts, "client.gap": 190.0},
        operations=work(booking=Work(8600, 0, 240.0, 31_000.0)),
    ),
    # A run of `baseline` on as-found, as it was measured on a busy machine.
    "password-hashing": changed(
        run=synthetic.run(integrity=Integrity(checked=True, flights_checked=1, flights_sold_out=1)),
        seconds=60,
        operations={
            "signup": Work(600, 8, 420.0, 642_820.0),
            "signin": Work(590, 1, 350.0, 533_250.0),
            "booking": Work(106, 490, 7.0, 44_400.0),
        },
        reasons={("booking", "HTTP 409: Flight # has # seats left, fewer than #."): 481},
        gauges=beside(cpu__auth=1.31, threads_busy__auth=21.0, threads_busy__gateway=24.0),
        levels=(),
        booked=Booked(609, 106, 503, 1.0),
        parts={"auth.hash": 730.0, "auth.queue": 30.0, "gateway.queue": 5.0, "booking.db": 4.0, "client.gap": 3.0},
        of_auth={"auth.hash": 730.0, "auth.queue": 30.0, "gateway.queue": 4.0},
    ),
    "seats-ran-out": changed(
        run=synthetic.run(integrity=Integrity(checked=True, flights_checked=4, flights_sold_out=4)),
        operations=work(booking=Work(1900, 6700, 15.0, 7400.0)),
        reasons={("booking", "HTTP 409: Flight # has # seats left, fewer than #."): 6690, ("booking", "HTTP 503"): 10},
        booked=Booked(8600, 1900, 6690, 4.0),
    ),
    "failing": changed(
        operations=work(booking=Work(5200, 3400, 60.0, 7900.0)),
        reasons={("booking", "HTTP 503: flights did not answer in # s."): 3400},
        gauges=beside(threads_busy__booking=14.0),
        booked=Booked(8600, 5200, 0, 96.0),
    ),
    "saturated": changed(
        operations=work(booking=Work(5000, 20, 2900.0, 240_000.0)),
        gauges=beside(cpu__gateway=0.93, threads_busy__gateway=15.0, cpu__load=0.1),
        levels=FULL_CORE,
        parts={**CARRIED.parts, "gateway.queue": 60.0, "gateway.own": 40.0},
    ),
    "cores-full": changed(
        gauges=beside(cpu__gateway=0.5, cpu__booking=0.5, cpu__mariadb=0.5, cpu__load=0.3), levels=()
    ),
    "pool-starved": changed(
        operations=work(booking=Work(8600, 4, 700.0, 74_000.0)),
        gauges=beside(pool_waiting__booking=6.0, pool_in_use__booking=5.0, threads_busy__booking=12.0),
        parts={**CARRIED.parts, "booking.pool": 400.0, "booking.db": 90.0, "gateway.queue": 60.0},
    ),
    "threads-full": changed(
        operations=work(booking=Work(8600, 4, 700.0, 74_000.0)),
        gauges=beside(threads_busy__gateway=16.0),
        parts={**CARRIED.parts, "gateway.queue": 450.0},
    ),
    "queue-behind": changed(
        gauges={
            **beside(queue_age__notifications=41.0),
            SeriesKey("queue_depth", (("queue", "notifications"),)): over([12.0 * second for second in range(SECONDS)]),
        },
    ),
    "few-rows": changed(
        operations=work(booking=Work(8600, 30, 2900.0, 330_000.0)),
        gauges=beside(db_row_lock_waits__booking=44.0, db_threads_running__booking=15.0, threads_busy__flights=15.0),
        booked=Booked(8630, 8600, 0, 1.0),
        parts={**CARRIED.parts, "flights.db": 2700.0, "gateway.queue": 30.0},
    ),
    "commit-bound": changed(
        operations=work(booking=Work(8600, 4, 900.0, 100_000.0)),
        gauges=beside(db_threads_running__booking=9.0, cpu__mariadb=0.1, threads_busy__booking=5.0),
        parts={**CARRIED.parts, "booking.db": 420.0, "flights.db": 390.0},
    ),
    "slow-queries": changed(
        operations=work(setup=Work(430, 0, 900.0, 2_100_000.0)),
        gauges=beside(db_slow_queries__booking=2.2, cpu__mariadb=1.2, db_threads_running__booking=5.0),
        parts={**CARRIED.parts, "flights.db": 900.0},
    ),
}


def look(seen: Facts) -> Diagnosis:
    """Hold all rules against facts."""
    return apply(RULES, seen)


def test_a_load_that_the_platform_carries_has_no_finding_and_nothing_is_unseen() -> None:
    """Every rule looked, and none saw anything in a little of everything."""
    found = look(CARRIED)

    assert (found.found, found.not_looked_at) == ((), ())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_fault_is_first_among_all_that_it_drags_along(name: str) -> None:
    """Busy threads, full pools and long queries are its doing; what stands second is no better a guess."""
    found = look(FAULTS[name])

    assert found.found[0].rule == name
    assert all(each.score < found.found[0].score for each in found.found[1:])


def test_baseline_is_hashing_first_and_seats_second() -> None:
    """By the figures of such a run, with the part that hashing itself was."""
    found = look(FAULTS["password-hashing"]).found

    assert [each.rule for each in found[:2]] == ["password-hashing", "seats-ran-out"]
    assert found[0].evidence.startswith("auth.hash was 95% of what clients waited")


def test_a_throughput_that_broke_down_is_saturation_though_no_median_is_left() -> None:
    """28 a second with 50 users, 5 with 100; not where they are refused because all is sold."""
    low, middle, high = GROWING
    broken = (replace(low, rate=14.0), replace(middle, rate=28.0), replace(high, rate=5.0, median=None, failed=0.6))
    seen = changed(levels=broken)
    sold = synthetic.run(integrity=Integrity(checked=True, flights_checked=4, flights_sold_out=4))

    first = look(seen).found[0]
    assert first.rule == "saturated"
    assert first.evidence.startswith(
        "throughput fell from 50 to 100 users (28/s, then 5/s), so that there were too few"
    )
    assert look(changed(levels=(*broken[:2], replace(high, rate=0.0, median=None)))).found[0].rule == "saturated"
    assert "saturated" in look(replace(seen, run=sold)).clear


def test_hashing_is_seen_by_its_part_whatever_its_operation_is_called() -> None:
    """A user class of somebody's own calls it "enter"; without parts nobody can tell."""
    enter = changed(operations={"enter": Work(900, 0, 300.0, 330_000.0)}, parts={"auth.hash": 250.0, "auth.own": 40.0})

    assert look(enter).found[0].evidence.startswith("auth.hash was 86% of what clients waited; medians: enter 330ms")
    assert "password-hashing" in look(replace(enter, parts={})).clear


def test_refusals_are_those_of_the_judged_seconds_and_no_reason_of_failures() -> None:
    """The ledger has some from before the warm-up ended; those of the judged seconds are told by their reason."""
    sold = FAULTS["seats-ran-out"]
    refused, broken = ("booking", "HTTP 409: Flight # has # seats left."), ("signup", "HTTP 504: no answer")
    seen = replace(
        sold,
        operations={"booking": Work(400, 200, 3.0, 7000.0), "signup": Work(300, 100, 30.0, 60_000.0)},
        reasons={refused: 200, broken: 100},
        booked=Booked(690, 400, 290, 4.0),
    )
    failing = next(each for each in look(seen).found if each.rule == "failing")

    assert failing.evidence.startswith("100 of 1,000 requests failed (10.0%), most often signup: HTTP 504")
    assert (
        "failing"
        in look(replace(seen, operations={"booking": Work(400, 200, 3.0, 7000.0)}, reasons={refused: 200})).clear
    )


def test_a_generator_that_was_late_in_the_judged_part_alone_says_by_how_much() -> None:
    """Its gate, which looks at the whole run, held."""
    late = changed(lag=38_000.0, operations=work(booking=Work(8600, 0, 240.0, 31_000.0)))

    assert look(late).found[0].evidence == "its timer fired 38.0 ms late at p99, 123% of the median"


def test_a_timer_that_nobody_watched_is_no_generator_that_kept_up() -> None:
    """CPU alone does not tell whether answers lay waiting; a CPU that was full is enough to say the opposite."""
    unseen = changed(lag=None)

    assert "generator-bound" in dict(look(unseen).not_looked_at)
    assert look(replace(FAULTS["generator-bound"], lag=None)).found[0].rule == "generator-bound"


def without(facts: Facts, *names: str) -> Facts:
    """Take away fields, and gauges by their metric (`gauges.cpu`)."""
    metrics = {name.partition(".")[2] for name in names}
    kept = {key: value for key, value in facts.gauges.items() if key.metric not in metrics}
    run = replace(facts.run, integrity=None) if "integrity" in names else facts.run
    empty = Facts(run, facts.seconds)
    gone = {name: getattr(empty, name) for name in names if "." not in name and name != "integrity"}
    return replace(facts, run=run, gauges=kept, **gone)


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        ("generator-bound", ("lag", "findings")),
        ("password-hashing", ("operations",)),
        ("seats-ran-out", ("integrity",)),
        ("failing", ("operations",)),
        ("saturated", ("levels",)),
        ("cores-full", ("gauges.cpu",)),
        ("pool-starved", ("parts", "gauges.pool_waiting")),
        ("threads-full", ("parts", "levels")),
        ("queue-behind", ("gauges.queue_depth",)),
        ("few-rows", ("booked",)),
        ("few-rows", ("operations",)),
        ("commit-bound", ("gauges.cpu",)),
        ("commit-bound", ("parts", "gauges.db_threads_running")),
        ("slow-queries", ("gauges.db_slow_queries",)),
    ],
)
def test_without_the_figures_that_it_cannot_do_without_a_rule_says_that_it_did_not_look(
    rule: str, gone: tuple[str, ...]
) -> None:
    """With its fault in the run as without it: neither found nor called clear."""
    for seen in (CARRIED, FAULTS[rule]):
        found = look(without(seen, *gone))
        assert rule in dict(found.not_looked_at)


def test_threads_that_wait_while_the_runs_cores_are_idle_have_another_program_named() -> None:
    """On a machine that is full of the run itself it is not."""
    idle = look(FAULTS["threads-full"]).found[0]
    full = look(replace(FAULTS["threads-full"], gauges=beside(cpu__gateway=0.8, cpu__booking=0.5))).found[0]

    assert idle.evidence.endswith("the platform and its load used 1.02 of 2 cores")
    assert "another program on this machine" in idle.remedy
    assert "another program" not in full.remedy


@st.composite
def poorer(draw: DrawFn) -> tuple[Facts, Facts]:
    """Give facts and the same with figures taken away: whole kinds of them, and some of a kind."""
    seen = draw(st.sampled_from([CARRIED, *FAULTS.values()]))
    empty = Facts(seen.run, 0)

    def less(facts: Facts) -> Facts:
        gone = draw(st.sets(st.sampled_from([each.name for each in fields(Facts) if each.name != "run"])))
        kept: dict[str, Any] = {name: getattr(empty, name) for name in gone}
        for name in ("gauges", "parts", "operations", "reasons", "findings"):
            if name not in gone and getattr(facts, name):
                out = draw(st.sets(st.sampled_from(sorted(getattr(facts, name), key=str))))
                kept[name] = {key: value for key, value in getattr(facts, name).items() if key not in out}
        if draw(st.booleans()):
            kept["run"] = replace(facts.run, integrity=None, verdict=None)
        return replace(facts, **kept)

    first = less(seen)
    return first, less(first)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(poorer())
def test_a_figure_that_is_taken_away_makes_no_finding_of_what_was_not_looked_at(seen: tuple[Facts, Facts]) -> None:
    """Nor a "not found" of it, nor silence: every rule is in one list, once, and says what it saw or what it lacks."""
    before, after = (look(each) for each in seen)

    for found in (before, after):
        named = [*(each.rule for each in found.found), *found.clear, *(name for name, _ in found.not_looked_at)]
        assert sorted(named) == sorted(NAMES)
        assert all(each.evidence and each.remedy and 0 < each.score <= 1 for each in found.found)
    assert dict(before.not_looked_at).keys() <= dict(after.not_looked_at).keys()


def test_an_imported_run_is_diagnosed_by_what_its_file_holds(tmp_path: Path) -> None:
    """A .jtl whose latency grows with its threads and whose rate does not; and figures without a single sample."""
    begin = 1_700_000_000_000
    rows = [
        f"{begin + second * 1000 + number * 12},{users * 10},Book,200,,t,text,true,,9,9,{users},{users},u,5,0,0"
        for second in range(60)
        for users in ((5, 10, 20, 40)[second // 15],)
        for number in range(80)
    ]
    jtl = tmp_path / "load.jtl"
    jtl.write_text("\n".join([JTL, *rows]) + "\n", encoding="utf-8")
    stats = tmp_path / "load_stats.csv"
    stats.write_text(f"{STATS}\nPOST,/book,90,1,9,25,3,40,2\n,Aggregated,90,1,9,25,3,40,2\n", encoding="utf-8")
    sampled = diagnose(bring(jtl, "jmeter", tmp_path / "runs"))
    summed = diagnose(bring(stats, "locust", tmp_path / "runs"))

    assert [each.rule for each in sampled.found] == ["saturated"]
    assert "nothing measured was full" in sampled.found[0].evidence
    assert {name for name, _ in summed.not_looked_at} == NAMES
    assert dict(summed.not_looked_at)["failing"] == "the file that was imported holds no samples"


def test_a_folder_that_lacks_files_is_diagnosed_by_what_is_left(tmp_path: Path) -> None:
    """Of its seconds, its ledger, its audit and its verdict any may be gone; no rule becomes silent for it."""
    seconds = synthetic.ticks(40)
    row = json.dumps(["accepted", 1, 1, "a@b", 1, 7, 90.0, "key"])
    blind = {}
    for number, (ticks, ledger, audit, verdict) in enumerate(product((True, False), repeat=4)):
        run = synthetic.run(synthetic.tally(seconds))
        run = replace(run, integrity=run.integrity if audit else None, verdict=run.verdict if verdict else None)
        folder = synthetic.folder(tmp_path / str(number), run, seconds, closed=False)
        if ledger:
            folder.ledger.write_text(row + "\n", encoding="utf-8")
        if not ticks:
            folder.ticks.unlink()
        found = diagnose(folder)
        named = [*(each.rule for each in found.found), *found.clear, *(name for name, _ in found.not_looked_at)]
        assert sorted(named) == sorted(NAMES)
        blind[ticks, ledger, audit, verdict] = {name for name, _ in found.not_looked_at}
    assert {"failing", "password-hashing", "saturated"} <= blind[False, True, True, True]
    assert all(blind[True, True, True, True] <= each for each in blind.values())
    assert "seats-ran-out" in blind[True, True, False, True]
    assert "few-rows" in blind[True, False, True, True]
    assert "few-rows" not in blind[True, True, True, True]
