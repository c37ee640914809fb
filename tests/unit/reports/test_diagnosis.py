"""Diagnosis: each fault, put into made-up facts, is ranked first; what was not measured is not called fine."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from cli import app
from lab.facts import Row
from lab.model.histogram import bin_of
from lab.model.sample import FAIL, NO_CLOCK, OK, SeriesKey, Tick, TrendKey
from lab.model.server_timing import SUMS
from lab.model.verdict import Finding, Integrity, Validity
from reports.diagnosis import text
from reports.diagnosis.diagnose import RULES, diagnose
from reports.diagnosis.facts import Booked, Facts, Work
from reports.diagnosis.gathering import facts, over
from reports.diagnosis.rule import Diagnosis, apply
from reports.levels import levels
from tests import synthetic
from tests.stairs import climb, cpu, gauges, law

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.model.run import Run
    from reports.diagnosis.facts import Over
    from reports.levels import Level

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "diagnosis.md"
SCHEMA: Final = DOCUMENT.with_name("diagnosis.schema.json")
BOOKING: Final = Work(6000, 0, 60.0, 9_000.0)
"""100 a second for a minute, one at a time."""
AUDITED: Final = Integrity(checked=True, flights_checked=50)


def steady(**values: float) -> Mapping[SeriesKey, Over]:
    """Make gauges that do not change: `cpu__auth=0.5` is cpu{process=auth}."""
    tags = {"cpu": "process", "queue_depth": "queue"}
    found = {}
    for name, value in values.items():
        metric, _, of = name.partition("__")
        found[SeriesKey(metric, ((tags.get(metric, "service"), of),))] = over([value] * 60)
    return found


WELL: Final = Facts(
    synthetic.run(integrity=AUDITED),
    60,
    10.0,
    {"booking": BOOKING},
    lag=500.0,
    gauges=steady(
        cpu__booking=0.4,
        cpu__load=0.1,
        pool_waiting__booking=0,
        threads_busy__booking=1.2,
        queue_depth__outbox=2,
        db_row_lock_waits__mariadb=0,
        db_slow_queries__mariadb=0,
        db_threads_running__mariadb=1,
    ),
    booked=Booked(6000, 6000, 0, 49.0),
    parts={"booking.own": 30.0, "booking.db": 20.0, "client.gap": 5.0},
)
"""A run that nothing held up, but for its load, which did not change."""


def audited(**changes: Any) -> Run:
    """Change what the audit of the run found."""
    return synthetic.run(integrity=replace(AUDITED, **changes))


def finding(gate: str, level: Validity) -> Mapping[str, Finding]:
    """Make a gate's finding."""
    return {gate: Finding(gate, level, f"what {gate} found")}


def gauged(**values: float) -> Mapping[SeriesKey, Over]:
    """Change gauges of the run that nothing held up."""
    return {**WELL.gauges, **steady(**values)}


def growing(metric: str, name: str, last: float) -> Mapping[SeriesKey, Over]:
    """Let a queue grow."""
    key = SeriesKey(metric, (("queue", name),))
    return {**WELL.gauges, key: over([last * second / 59 for second in range(60)])}


def climbed(rate: Callable[[int], float], **more: Any) -> tuple[Level, ...]:
    """Give the levels of a run whose load grew."""
    run, ticks = climb(rate, noise=0, **more)
    return levels(run, ticks)


FAULTS: Final[dict[str, tuple[Facts, tuple[str, ...]]]] = {
    "generator-bound": (
        replace(WELL, findings=finding("generator CPU", Validity.INVALID)),
        ("what generator CPU found (INVALID)",),
    ),
    "password-hashing": (
        replace(WELL, operations={"booking": BOOKING, "signin": Work(3000, 0, 900.0, 290_000.0)}),
        ("took 94% of all service time", "3,000 of 9,000", "signin 290ms"),
    ),
    "seats-ran-out": (
        replace(
            WELL,
            run=audited(flights_sold_out=1, flights_checked=1),
            operations={"booking": replace(BOOKING, failed=4000)},
            booked=Booked(10_000, 6000, 4000, 40.0),
        ),
        ("1 of 1 flight sold out", "4,000 of 10,000 bookings were refused"),
    ),
    "failing": (
        replace(
            WELL,
            operations={"booking": replace(BOOKING, failed=3000)},
            reasons={("booking", "HTTP 503"): 2900, ("booking", "timed out"): 100},
        ),
        ("3,000 of 9,000 requests failed (33.3%)", "booking: HTTP 503 (2,900 times)"),
    ),
    "saturated": (
        replace(
            WELL,
            levels=climbed(
                lambda n: min(40.0 * n, 200.0),
                users=(2, 5, 25),
                beside=lambda n: cpu(auth=min(0.2 * n, 0.98), load=0.1),
            ),
        ),
        (
            "throughput flat from 5 to 25 users (200/s, then ",
            "full: one core of auth (0.98 in use)",
            "median grew 5.0-fold",
        ),
    ),
    "cores-full": (
        replace(WELL, gauges=gauged(cpu__booking=0.9, cpu__mariadb=0.95)),
        ("1.95 of 2 cores were in use (mariadb 0.95, booking 0.90, load 0.10)",),
    ),
    "few-rows": (
        replace(
            WELL,
            operations={"booking": replace(BOOKING, spent=1200.0)},
            booked=Booked(6000, 6000, 0, 1.0),
            gauges=gauged(db_row_lock_waits__mariadb=80),
        ),
        ("20.0 bookings at once on 1 flight,", "0.80 waits for a row a booking"),
    ),
    "pool-starved": (
        replace(WELL, gauges=gauged(pool_waiting__booking=6, pool_in_use__booking=5)),
        ("in 100% of the seconds somebody waited", "booking's pool (5 in use, 6 waiting on average, 6 at most)"),
    ),
    "threads-full": (
        replace(WELL, parts={**WELL.parts, "gateway.queue": 60.0}),
        ("52% of what clients waited was for a free thread or a core (gateway.queue 52%)",),
    ),
    "queue-behind": (
        replace(WELL, run=audited(drain_seconds=31.0), gauges=growing("queue_depth", "notifications", 2400)),
        ("the queue notifications grew from ", "more a second came", "of 100 booked", "31 s to drain"),
    ),
    "commit-bound": (
        replace(WELL, parts={"booking.own": 20.0, "booking.db": 50.0, "flights.db": 30.0}),
        ("80% of what clients waited was in databases (booking.db 50%, flights.db 30%)", "0.50 of 2 cores"),
    ),
    "slow-queries": (
        replace(WELL, gauges=gauged(db_slow_queries__mariadb=2)),
        ("2 slow queries a second",),
    ),
}


def look(seen: Facts) -> Diagnosis:
    """Hold all rules against facts."""
    return apply(RULES, seen)


def test_every_rule_has_a_fault_of_its_own() -> None:
    """A rule that nothing here trips is none."""
    assert set(FAULTS) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_is_ranked_first_with_its_figures(name: str) -> None:
    """And the remedy is no empty word."""
    seen, said = FAULTS[name]
    first = look(seen).found[0]

    assert first.rule == name
    assert [words for words in said if words not in first.evidence] == []
    assert len(first.remedy) > 20


def test_where_nothing_holds_a_run_up_nothing_is_found() -> None:
    """Every rule that could look is clear."""
    found = look(WELL)

    assert found.found == ()
    assert found.not_looked_at == (("saturated", "the load did not change enough to see what more of it brought"),)
    assert set(found.clear) == {rule.name for rule in RULES} - {"saturated"}
    assert "nothing was found" in text.headline(found)


def test_what_was_not_measured_was_not_looked_at() -> None:
    """A run without a single figure is clear of nothing."""
    found = look(Facts(synthetic.run(integrity=None), 0))

    assert (found.found, found.clear) == ((), ())
    assert {name for name, _ in found.not_looked_at} == {rule.name for rule in RULES}
    assert all(why for _, why in found.not_looked_at)


def test_a_late_generator_weighs_as_much_as_it_adds() -> None:
    """45 ms on answers of 50 ms is most of them; on answers of a second it is no finding, and 9 ms never are."""

    def score(lag_ms: float, median_ms: float) -> float:
        work = replace(BOOKING, median=median_ms * 1000)
        found = look(replace(WELL, lag=lag_ms * 1000, operations={"booking": work})).found
        return next((each.score for each in found if each.rule == "generator-bound"), 0.0)

    assert score(45, 50) == pytest.approx(0.9)
    assert score(45, 1000) == 0
    assert score(9, 10) == 0


def test_seats_that_are_meant_to_run_out_are_no_trouble() -> None:
    """`contention = true` says so; and refusals of sold-out flights are no failures."""
    seen, _ = FAULTS["seats-ran-out"]
    meant = replace(seen, run=replace(seen.run, scenario=replace(seen.run.scenario, contention=True)))

    assert [each.rule for each in look(meant).found] == []
    assert [each.rule for each in look(seen).found] == ["seats-ran-out"]


def test_a_database_that_tells_of_no_waits_for_rows_is_believed() -> None:
    """Twenty bookings at once on one flight wait for something else then; without a word from it they are suspected."""
    seen, _ = FAULTS["few-rows"]
    quiet = replace(seen, gauges=gauged(db_row_lock_waits__mariadb=0))
    unknown = replace(seen, gauges={})

    assert "few-rows" in look(quiet).clear
    assert look(unknown).found[0].rule == "few-rows"


def test_a_flat_throughput_without_a_slower_answer_is_no_saturation() -> None:
    """Users who think more than they ask for are no load; nor does a rate that follows the load saturate."""

    def found(rate: Callable[[int], float], users: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(each.rule for each in look(replace(WELL, levels=climbed(rate, users=users))).found)

    assert found(law(50, 0.0, 0.0), (1, 2, 4, 8)) == ()
    assert found(lambda _: 100.0, (5, 25)) == ("saturated",)
    idle = tuple(replace(level, median=9000.0) for level in climbed(lambda _: 100.0, users=(5, 25)))
    assert look(replace(WELL, levels=idle)).found == ()


def test_a_throughput_that_falls_is_told_from_where_it_was_highest() -> None:
    """It rose up to 8 users, and fell; what was full is what was full there."""
    held = climbed(
        lambda n: 50.0 * n if n <= 8 else 120.0,
        users=(1, 2, 4, 8, 16, 32),
        beside=lambda n: cpu(booking=0.97 if n == 8 else 0.3, load=0.1),
    )
    first = look(replace(WELL, levels=held)).found[0]

    assert first.rule == "saturated"
    assert first.evidence.startswith("throughput fell from 8 to 32 users (400/s, then 120/s)")
    assert first.evidence.endswith("full: one core of booking (0.97 in use)")


def test_threads_that_stop_growing_with_the_load_are_told() -> None:
    """All 32 of them with 40 users and with 80; not where they still grow, nor two that are rarely all busy."""

    def score(most: int) -> float:
        held = climbed(
            lambda n: 10.0 * n,
            users=(20, 40, 80),
            beside=lambda n: gauges("threads_busy", "service", {"gateway": min(n, most)}),
        )
        found = look(replace(WELL, parts={}, levels=held, gauges=gauged(threads_busy__gateway=32))).found
        return next((each.score for each in found if each.rule == "threads-full"), 0.0)

    assert score(32) == pytest.approx(0.45)
    assert score(200) == 0
    assert score(2) == 0


def test_what_sign_ins_wait_for_is_their_own_doing() -> None:
    """Where hashing is most of the load, the wait for a thread of auth is no finding of its own."""
    seen, _ = FAULTS["password-hashing"]
    parts = {"auth.hash": 300.0, "auth.queue": 600.0, "booking.own": 60.0}
    hashing = replace(seen, parts=parts, of_auth={"auth.hash": 300.0, "auth.queue": 600.0})
    found = look(hashing)

    assert [each.rule for each in found.found] == ["password-hashing"]
    assert found.found[0].evidence.startswith(
        "auth.hash was 31% of what clients waited (and the wait for it: auth.queue 62%)"
    )
    assert "threads-full" in found.clear
    without = replace(hashing, operations={"booking": BOOKING})
    assert look(without).found[0].rule == "threads-full"


def test_facts_are_gathered_from_seconds_and_ledger() -> None:
    """Operations, failures by reason, parts, gauges and bookings; not what was before the warm-up or after the load."""
    bins = {bin_of(20_000): 50}
    booking, tags = (
        TrendKey("http_req_duration", "b", (("operation", "booking"),), OK),
        (("hop", "auth"), ("kind", "db")),
    )
    second = Tick(
        0,
        {
            booking: bins,
            booking._replace(outcome=FAIL): {bin_of(5): 2},
            TrendKey(SUMS, "", (*tags, ("operation", "booking")), OK, NO_CLOCK): {40: 300_000, 41: 200_000},
            TrendKey("generator_lag", "", ()): {bin_of(700): 9},
        },
        counters={SeriesKey("failures", (("operation", "booking"), ("reason", "HTTP 500"))): 2},
        gauges=cpu(auth=0.5) | {SeriesKey("vus"): 4.0},
    )
    run = replace(synthetic.run(), warmup=10)
    ticks = [replace(second, second=number) for number in (0, 9, 10, 11, 119, 120, 130)]
    rows = [
        Row(outcome, 1, 1, "a@b", 1, None, None, "k") for outcome in ("accepted", "accepted", "refused", "withdrawn")
    ]
    seen = facts(run, ticks, [*rows, rows[0]._replace(flight=2)])

    assert seen.seconds == 3
    work = seen.operations["booking"]
    assert (work.ok, work.failed) == (150, 6)
    assert (work.spent, work.median) == pytest.approx((3.0, 20_000), rel=0.01)
    assert seen.reasons == {("booking", "HTTP 500"): 6}
    assert seen.parts == {"auth.db": pytest.approx(1.5)}
    assert seen.of_auth == {}
    assert seen.booked is not None
    assert (seen.booked.tried, seen.booked.accepted, seen.booked.refused) == (4, 3, 1)
    assert seen.booked.rows == pytest.approx(1.6)
    assert (seen.users, seen.lag) == pytest.approx((4.0, 700), rel=0.01)
    assert seen.over("cpu", "process")["auth"].mean == pytest.approx(0.5)


def test_a_load_that_is_a_ramp_has_levels_too() -> None:
    """Its seconds are gathered by their users; a load that stays the same has none."""
    ramp = synthetic.run()
    seconds = synthetic.ticks()
    found = levels(ramp, seconds)

    assert 2 <= len(found) <= 6
    assert [level.offered for level in found] == sorted(level.offered for level in found)
    assert found[-1].rate > 3 * found[0].rate
    same = [replace(tick, gauges={**tick.gauges, SeriesKey("vus"): 20.0}) for tick in seconds]
    assert levels(ramp, same) == ()


def test_a_folder_is_diagnosed_whether_its_run_ended_or_was_killed(tmp_path: Path) -> None:
    """One with its live log, and one that holds nothing but what was to be run."""
    killed = synthetic.folder(
        tmp_path / "killed", replace(synthetic.run(), verdict=None), synthetic.ticks(30), closed=False
    )
    empty = synthetic.folder(tmp_path / "empty", synthetic.run(), closed=False)
    empty.ticks.unlink()

    assert diagnose(killed).facts.requests > 100
    assert "no verdict" in text.believed(diagnose(killed))
    assert diagnose(empty).facts.requests == 0


def test_the_text_and_the_json_hold_all_of_it() -> None:
    """At 80 columns; findings in their order; a hostile reason stays on its line."""
    seen, _ = FAULTS["failing"]
    found = look(replace(seen, reasons={("booking", "\x1b[31mred\nline"): 3000}, findings=finding("x", Validity.VALID)))
    shown, values = text.summary(found, 80), json.loads(text.as_json(found))

    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown
    assert "  1. failing  0.57  many requests failed" in shown
    assert [each["rule"] for each in values["findings"]] == ["failing"]
    assert set(values["not_looked_at"]) == {"saturated"}
    assert "commit-bound" in values["not_found"]


def test_the_json_keeps_to_its_schema() -> None:
    """Every finding's, a run's without figures, and an invalid run's; the schema names the rules that there are."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    checker = jsonschema_rs.validator_for(schema)
    blind = Facts(synthetic.run(integrity=None, verdict=None), 0)
    for seen in (
        WELL,
        blind,
        replace(WELL, run=synthetic.run(verdict=synthetic.INVALID)),
        *(f for f, _ in FAULTS.values()),
    ):
        values = json.loads(text.as_json(look(seen)))
        checker.validate(values)
    assert schema["$defs"]["rule"]["enum"] == [rule.name for rule in RULES]
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**values, "not_found": ["gremlins"]})
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**values, "not_looked_at": {"saturated": ""}})


def test_an_invalid_run_is_said_to_be_one() -> None:
    """Before its findings, which may be the generator's."""
    run = synthetic.run(verdict=synthetic.INVALID)

    shown = text.summary(look(replace(WELL, run=run)))
    assert "The run is INVALID (generator CPU): its timings" in shown
    assert "The audit found" not in shown


def test_what_the_audit_found_is_said_before_what_slows() -> None:
    """A platform that sells what it does not have needs no speed; a clean audit is no word."""
    shown = text.summary(look(replace(WELL, run=synthetic.run(integrity=synthetic.OVERSOLD))), 120)

    assert "! The audit found that what was sold is not true: seats_oversold 345, " in shown
    assert text.audited(look(WELL)) == ""


def test_the_document_lists_every_rule_as_the_code_has_it() -> None:
    """Its name, its weight, and what it finds; and no other."""
    cells = re.findall(r"^\| `([a-z-]+)` \| ([\d.]+) \| ([^|]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert [(name, float(weight), about) for name, weight, about in cells] == [
        (rule.name, rule.weight, rule.about) for rule in RULES
    ]


def test_the_command_shows_a_run_and_speaks_json(tmp_path: Path) -> None:
    """A run by its id; one that is not there is an error."""
    synthetic.folder(tmp_path / "runs" / "one", synthetic.run(id="one"), synthetic.ticks(40))
    runner, out = CliRunner(), ["--out", str(tmp_path / "runs")]

    shown = runner.invoke(app, ["diagnose", "one", *out])
    assert shown.exit_code == 0
    assert shown.output.lstrip().startswith("one: ")
    assert json.loads(runner.invoke(app, ["diagnose", "latest", *out, "--json"]).output)["run"] == "one"
    assert getattr(runner.invoke(app, ["diagnose", "two", *out]).exception, "exit_code", None) == 1
