"""A comparison says what its runs can carry: verdicts, refusals, gates, and the iterations of an optimization."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ConfigError, NotComparableError
from lab.model.verdict import Validity
from reports.compare import Options, compare
from reports.comparison.figures import RunFigures, Side
from reports.comparison.ledger import ledger
from reports.comparison.metrics import METRICS, chosen, with_margins
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.comparison.metrics import Key
    from reports.comparison.result import Comparison, Row

KEYS = (("booking", "p50"), ("booking", "p95"), ("booking", "throughput"), ("booking", "failures"), ("search", "p95"))
LEVELS = {"p50": 20_000.0, "p95": 60_000.0, "throughput": 80.0, "failures": 0.01}
SETTING = {"scenario": "load", "seed": "1", "data": "3f9a1c", "target": "the bundled platform", "machine": "lab-host"}


def side(label: str, ratios: Mapping[Key, float] | None = None, pairs: int = 8, place: int = 0, of: int = 2) -> Side:
    """Make up a side whose runs are interleaved with those of the others: its figures times `ratios`."""
    rng = np.random.default_rng([1, place])
    runs = []
    for pair in range(pairs):
        values: dict[Key, float | None] = {}
        for key in KEYS:
            moved = float(np.exp(rng.normal(0, 0.01))) if key[1] != "failures" else 1.0
            values[key] = LEVELS[key[1]] * moved * (ratios or {}).get(key, 1.0)
        when = pair * of + (place + pair) % of
        started = f"2026-11-23T{when // 60:02}:{when % 60:02}:00Z"
        runs.append(RunFigures(f"{label}-{pair}", label, started, values, pair=str(pair), setting=SETTING))
    return Side(label, tuple(runs))


def changed(one: Side, place: int, **fields: object) -> Side:
    """Change a run of a side."""
    runs = list(one.runs)
    runs[place] = replace(runs[place], **fields)  # type: ignore[arg-type]
    return replace(one, runs=tuple(runs))


def valued(one: Side, key: Key, values: Sequence[float | None]) -> Side:
    """Change a figure of the first runs of a side."""
    for place, value in enumerate(values):
        one = changed(one, place, values={**one.runs[place].values, key: value})
    return one


def row(found: Comparison, key: Key = ("booking", "p95")) -> Row:
    """Find the row of the last candidate."""
    return [one for one in found.rows if (one.operation, one.metric.name) == key][-1]


FASTER = {("booking", "p95"): 0.77}
BEFORE, AFTER = side("as-found"), side("safe", FASTER, place=1)


def test_a_faster_candidate_is_improved_and_the_rest_equivalent() -> None:
    """The ratio of geometric means with its interval, and the answer in a sentence."""
    found = compare(BEFORE, [AFTER])
    shown = row(found)
    assert shown.ruling.answer is Answer.IMPROVED
    assert shown.change == pytest.approx(0.77, rel=0.02)
    assert shown.change == pytest.approx((shown.after or 0) / (shown.before or 1))
    assert shown.interval is not None
    assert shown.interval[0] < 0.77 < shown.interval[1]
    assert shown.runs == 8
    assert {one.ruling.answer for one in found.rows if one is not shown} == {Answer.EQUIVALENT}
    assert found.headline.startswith("Booking p95 is 23 % lower [")
    assert "in `safe`; throughput, p50 and failures are equivalent." in found.headline


def test_the_good_direction_of_throughput_is_up() -> None:
    """23 % less work done is a regression."""
    found = compare(BEFORE, [side("safe", {("booking", "throughput"): 0.77}, place=1)])
    assert row(found, ("booking", "throughput")).ruling.answer is Answer.REGRESSED
    assert "throughput is 23 % lower" in found.headline


def test_a_regression_elsewhere_is_in_the_headline() -> None:
    """Nobody reads of the gain without reading of what it cost."""
    found = compare(BEFORE, [side("safe", {**FASTER, ("search", "p95"): 1.4}, place=1)])
    assert "but search p95 is 4" in found.headline


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.permutations(range(8)))
def test_units_order_and_names_of_sides_do_not_matter(factor: float, order: list[int]) -> None:
    """Times in another unit and runs in another order give the same row; swapped sides the inverse ratio."""
    how = Options(chosen(["p95"]), cross_check=False)
    plain = row(compare(BEFORE, [AFTER], how))

    def scaled(one: Side) -> Side:
        runs = (
            replace(run, values={key: (value or 0) * factor for key, value in run.values.items()}) for run in one.runs
        )
        mixed = list(runs)
        return replace(one, runs=tuple(mixed[place] for place in order))

    other = row(compare(scaled(BEFORE), [scaled(AFTER)], how))
    swapped = row(compare(AFTER, [BEFORE], how))
    assert other.change == pytest.approx(plain.change)
    assert other.q == pytest.approx(plain.q)
    assert other.ruling == plain.ruling
    assert swapped.change == pytest.approx(1 / (plain.change or 1))
    assert swapped.q == pytest.approx(plain.q)


def test_below_six_pairs_there_is_no_verdict() -> None:
    """Five pairs show an interval and claim nothing, however large the effect; one run each says so."""
    five = row(compare(side("a", pairs=5), [side("b", FASTER, pairs=5, place=1)]))
    assert (five.ruling.answer, five.ruling.runs_more, five.q) == (Answer.NO_VERDICT, 1, None)
    assert five.interval is not None
    single = compare(side("a", pairs=1), [side("b", FASTER, pairs=1, place=1)])
    assert single.single
    assert {one.ruling.reason for one in single.rows} == {"one run each: no verdict"}
    assert single.headline.startswith("One run each: no verdict.")


def test_a_single_run_beside_several_is_not_called_one_run_each() -> None:
    """Two runs against one have no verdict either, and the headline does not say that there is one of each."""
    found = compare(side("a", pairs=2), [side("b", FASTER, pairs=1, place=1)])
    assert not found.single
    assert found.headline.startswith("No verdict: there is one pair, or a single run of one side. Booking p95 was ")


def test_a_baseline_that_nobody_audited_is_not_said_to_fail_its_audit() -> None:
    """A run without an audit, such as one that was imported, failed none."""
    unseen = changed(BEFORE, 0, integrity_ok=None, integrity="the audit could not look")
    failed = changed(BEFORE, 0, integrity_ok=False, integrity="seats_oversold 3")
    assert any("was not audited: integrity in 1 of 8 runs" in text for text in compare(unseen, [AFTER]).warnings)
    assert any("fails its audit: integrity in 1 of 8 runs" in text for text in compare(failed, [AFTER]).warnings)


def test_a_headline_says_what_is_known_before_what_is_not() -> None:
    """An answer stands first, whatever the metric; metrics that share a reason are named together."""
    before, after = side("as-found"), side("safe", {("booking", "p50"): 0.77}, place=1)
    weak = {("booking", name): f"only 31 requests lie beyond {name}" for name in ("p95", "throughput")}
    after = replace(after, runs=tuple(replace(run, weak=weak) for run in after.runs))
    found = compare(before, [after])
    assert found.headline.startswith("Booking p50 is 23 % lower [")
    assert found.headline.endswith(
        "failures are equivalent; p95 and throughput are inconclusive: too few samples to judge by in 8 of 16 runs."
    )


def test_a_headline_without_figures_says_so() -> None:
    """It shows no dashes as if they were figures."""
    before, after = side("a", pairs=1), side("b", pairs=1, place=1)
    found = compare(valued(before, ("booking", "p95"), [None]), [valued(after, ("booking", "p95"), [None])])
    assert found.headline.startswith("One run each: no verdict. Booking p95 has no figure in the baseline and ")


def test_runs_that_differ_are_refused_naming_every_difference() -> None:
    """Scenario, seed, data, target and machine; forced, the differences go along and the figures are shown."""
    for name in SETTING:
        other = replace(
            AFTER, runs=tuple(replace(run, setting={**SETTING, name: "another", "seed": "2"}) for run in AFTER.runs)
        )
        with pytest.raises(NotComparableError, match=f"{name} differs: .* in as-found .8.; .* in safe .8.") as refused:
            compare(BEFORE, [other])
        assert "seed differs: 1 in as-found (8); 2 in safe (8)" in str(refused.value)
        assert refused.value.exit_code == 3
    found = compare(BEFORE, [other], Options(force=True))
    assert len(found.forced) == 2
    assert row(found).ruling.answer is Answer.IMPROVED
    assert dict(found.same) == {name: SETTING[name] for name in ("scenario", "data", "target")}


def test_a_side_that_is_at_odds_with_itself_is_refused_too() -> None:
    """One run of another seed among the baseline's."""
    with pytest.raises(NotComparableError, match=r"seed differs: 1 in as-found \(7\), safe \(8\); 9 in as-found \(1\)"):
        compare(changed(BEFORE, 3, setting={**SETTING, "seed": "9"}), [AFTER])


def test_one_side_after_the_other_is_refused_and_never_judged() -> None:
    """AAAA…BBBB: forced, it shows its figures and no verdict."""
    later = replace(
        AFTER, runs=tuple(replace(run, started=run.started.replace("11-23", "11-24")) for run in AFTER.runs)
    )
    with pytest.raises(NotComparableError, match="AAAAAAAABBBBBBBB"):
        compare(BEFORE, [later])
    found = compare(BEFORE, [later], Options(force=True))
    assert {one.ruling.answer for one in found.rows} == {Answer.INCONCLUSIVE}
    assert "not interleaved" in found.headline


def test_what_makes_no_sides_is_said() -> None:
    """An empty side, a label twice, a run twice."""
    for sides, why in (
        ((BEFORE, replace(AFTER, runs=())), "has no runs"),
        ((BEFORE, replace(AFTER, label="as-found")), "named twice"),
        ((BEFORE, replace(BEFORE, label="safe")), "stands on two sides"),
    ):
        with pytest.raises(ConfigError, match=why):
            compare(sides[0], [sides[1]])


@pytest.mark.parametrize("validity", [Validity.INVALID, None])
def test_a_run_that_cannot_be_believed_settles_nothing(validity: Validity | None) -> None:
    """A failed gate in one run of sixteen: INCONCLUSIVE throughout, naming the run and the gate."""
    found = compare(BEFORE, [changed(AFTER, 2, validity=validity, findings=("the load process used 97 % of a core",))])
    assert {one.ruling.answer for one in found.rows} == {Answer.INCONCLUSIVE}
    assert "safe-2" in row(found).ruling.reason
    assert "97 % of a core" in found.headline


def test_a_suspect_run_is_told_and_judged() -> None:
    """SUSPECT is a warning, not a gate."""
    found = compare(BEFORE, [changed(AFTER, 2, validity=Validity.SUSPECT, findings=("password hashing",))])
    assert row(found).ruling.answer is Answer.IMPROVED
    assert any("safe-2 is SUSPECT: password hashing" in warning for warning in found.warnings)


def test_what_makes_many_runs_suspect_is_told_once() -> None:
    """The same finding of several runs is one warning, also where its figures are a run's own."""
    suspect = AFTER
    for place in range(3):
        late = ("no ramp", f"a timer fired {place + 10}.5 ms late")
        suspect = changed(suspect, place, validity=Validity.SUSPECT, findings=late[: 1 + place])
    told = [warning for warning in compare(BEFORE, [suspect]).warnings if "SUSPECT" in warning]
    assert told == [
        "3 of 16 runs are SUSPECT: no ramp",
        "2 of 16 runs are SUSPECT: a timer fired 11.5 ms late (figures of the first)",
    ]


@pytest.mark.parametrize("audit", ["violated", "not made"])
def test_an_integrity_violation_takes_the_improvement_away(audit: str) -> None:
    """A candidate that sells seats twice, or that nobody audited, is not better; a regression stays one."""
    sound = False if audit == "violated" else None
    both = {("booking", "p95"): 0.77, ("search", "p95"): 1.4}
    candidate = changed(side("safe", both, place=1), 0, integrity_ok=sound, integrity="seats_lost 37")
    found = compare(BEFORE, [candidate])
    assert row(found).ruling.answer is Answer.INCONCLUSIVE
    assert "seats_lost 37" in row(found).ruling.reason
    assert row(found, ("search", "p95")).ruling.answer is Answer.REGRESSED
    assert row(found, ("booking", "p50")).ruling.answer is Answer.EQUIVALENT
    baseline = compare(changed(BEFORE, 0, integrity_ok=sound, integrity="seats_lost 37"), [AFTER])
    assert row(baseline).ruling.answer is Answer.IMPROVED
    told = "fails its audit" if sound is False else "was not audited"
    assert any(told in warning for warning in baseline.warnings)


def test_t12_no_answer_is_never_an_improvement() -> None:
    """20 % instant 503s: p95 has no answer, and nothing of that operation is IMPROVED, however fast the rest is."""
    failing = side("safe", {("booking", "p50"): 0.5, ("booking", "throughput"): 1.5, ("search", "p95"): 0.7}, place=1)
    found = compare(BEFORE, [valued(failing, ("booking", "p95"), [inf] * 8)])
    assert row(found).ruling.answer is Answer.INCONCLUSIVE
    assert "no answer in 8 of 8 runs of safe" in row(found).ruling.reason
    assert (row(found).after, row(found).change) == (inf, None)
    for metric in ("p50", "throughput"):
        ruling = row(found, ("booking", metric)).ruling
        assert (ruling.answer, "p95 has no answer" in ruling.reason) == (Answer.INCONCLUSIVE, True)
    assert row(found, ("search", "p95")).ruling.answer is Answer.IMPROVED


def test_failing_fast_is_no_improvement_either_where_only_throughput_is_asked_for() -> None:
    """The percentile that has no answer takes it away, whether or not it has a row of its own."""
    failing = side("safe", {("booking", "throughput"): 1.5}, place=1)
    failing = valued(failing, ("booking", "p95"), [inf] * 8)
    found = compare(BEFORE, [failing], Options(metrics=chosen(["throughput"])))
    assert [one.metric.name for one in found.rows] == ["throughput"]
    assert found.rows[0].ruling.answer is Answer.INCONCLUSIVE
    assert "p95 has no answer" in found.rows[0].ruling.reason


def test_what_was_not_measured_or_is_weak_is_not_judged() -> None:
    """A missing number, a zero, and too few samples: each INCONCLUSIVE, and each says why."""
    key = ("booking", "p95")
    for values, why in (([None], "not measured in 1 of 8 runs of safe"), ([0.0], "zero in 1 of 8 runs of safe")):
        found = row(compare(BEFORE, [valued(AFTER, key, values)]))
        assert (found.ruling.answer, found.ruling.reason) == (Answer.INCONCLUSIVE, why)
    weak = row(compare(BEFORE, [changed(AFTER, 0, weak={key: "31 requests lie beyond p95"})]))
    assert (weak.ruling.answer, "31 requests" in weak.ruling.reason) == (Answer.INCONCLUSIVE, True)
    assert weak.change is not None


def test_half_a_pair_is_left_out_and_told() -> None:
    """Seven whole pairs of eight."""
    found = compare(BEFORE, [replace(AFTER, runs=AFTER.runs[:7])])
    assert row(found).runs == 7
    assert any("1 run without the other half" in warning for warning in found.warnings)


def test_without_pairs_it_is_welch() -> None:
    """Interleaved runs that nobody paired are judged, by the test that fits, and the reader is told."""
    loose = [replace(one, runs=tuple(replace(run, pair="") for run in one.runs)) for one in (BEFORE, AFTER)]
    found = compare(loose[0], [loose[1]])
    assert (row(found).paired, row(found).ruling.answer, row(found).p_flip) == (False, Answer.IMPROVED, None)
    assert any("Welch" in warning for warning in found.warnings)


def test_one_wild_pair_makes_the_two_tests_differ() -> None:
    """The t-test loses what the sign-flip test still sees, and the row says so."""
    wild = valued(AFTER, ("booking", "p95"), [60_000 * 0.01])
    found = row(compare(BEFORE, [wild]))
    assert found.p_flip is not None
    assert any("sign-flip test" in str(warning) for warning in found.warnings)


def test_a_drift_is_told_on_its_row() -> None:
    """2 % a run, whichever side: the pairs take it out, and the reader hears of it."""

    def drifting(one: Side) -> Side:
        for place, run in enumerate(one.runs):
            minute = int(run.started[14:16])
            moved = {key: (value or 0) * 1.02**minute for key, value in run.values.items()}
            one = changed(one, place, values=moved)
        return one

    found = row(compare(drifting(BEFORE), [drifting(AFTER)]))
    assert found.ruling.answer is Answer.IMPROVED
    assert any(
        f"drifts whichever side it is, since the machine or the data changes: +{by} % a run" in str(warning)
        for warning in found.warnings
        for by in (2, 1.9)
    )


def test_several_candidates_make_a_ledger() -> None:
    """Each iteration with its own step and with what all did so far; one family of rows for q."""
    sides = [
        side("as-found", of=3),
        replace(side("pool", {("booking", "p95"): 0.8}, place=1, of=3), note="a larger pool", revision="abc"),
        side("index", {("booking", "p95"): 0.4}, place=2, of=3),
    ]
    found = compare(sides[0], sides[1:])
    entries = list(ledger(found, "booking", "p95"))
    assert [(entry.candidate, entry.note, entry.revision) for entry in entries] == [
        ("pool", "a larger pool", "abc"),
        ("index", "", ""),
    ]
    assert [entry.step.change for entry in entries] == pytest.approx([0.8, 0.5], rel=0.02)
    assert [entry.cumulative.change for entry in entries] == pytest.approx([0.8, 0.4], rel=0.02)
    assert all(entry.step.interval and entry.cumulative.interval for entry in entries)
    assert len(found.rows) == 2 * len(KEYS)
    assert len(found.steps) == len(KEYS)
    assert not list(ledger(compare(sides[0], sides[1:2])))


def test_margins_and_metrics_are_read_from_texts() -> None:
    """`p95=20%` makes 15 % equivalent; failures are in points; what is no margin is refused with a hint."""
    slower = side("safe", {("booking", "p95"): 1.15}, place=1)
    lax = Options(with_margins(chosen(["p95"]), ["p95=20%"]))
    assert row(compare(BEFORE, [slower])).ruling.answer is Answer.REGRESSED
    assert row(compare(BEFORE, [slower], lax)).ruling.answer is Answer.EQUIVALENT
    points = {metric.name: metric.margin for metric in with_margins(METRICS, ["failures=0.2%"])}
    assert points["failures"] == pytest.approx(0.002)
    for text in ("p95", "p95=0%", "p95=1.2.3%", "p59=5%", "p95=900%"):
        with pytest.raises(ConfigError, match="--margin"):
            with_margins(METRICS, [text])
    with pytest.raises(ConfigError, match='did you mean "p95"'):
        chosen(["p955"])
