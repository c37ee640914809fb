"""From figures to a verdict: totals, outcomes, exit codes and sentences."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf
from typing import Any

import pytest

from lab import judge
from lab.model.histogram import bin_of
from lab.model.run import Status, Totals
from lab.model.sample import FAIL, SeriesKey, Tally, Tick, TrendKey
from lab.model.threshold import INTEGRITY_METRICS, Outcome, ThresholdResult, parse_threshold
from lab.model.threshold import judge as hold
from lab.model.verdict import Breaking, Crossing, Finding, Integrity, Validity, Verdict

PASSED = hold(parse_threshold("checks", "rate>0.5"), 1.0)
FAILED = hold(parse_threshold("checks", "rate>0.5"), 0.1)
NO_DATA = hold(parse_threshold("checks", "rate>0.5"), None)
SOUND = Integrity(
    checked=True, seats_oversold=0, seats_lost=0, bookings_missing=0, bookings_unexpected=0, notifications_missing=0,
    notifications_unexpected=0, seats_accepted=1234, bookings_accepted=456,
)  # fmt: skip
OVERSOLD = replace(SOUND, seats_oversold=345, seats_lost=357)
SOLD_WRONGLY = hold(parse_threshold("seats_oversold", "value==0"), 345.0)


def verdict(**changes: Any) -> Verdict:
    """Judge a run that is sound but for `changes` of Measured; `level` and `errors` are a finding and totals."""
    level = changes.pop("level", Validity.VALID)
    values: dict[str, Any] = {
        "name": "ramp",
        "status": Status.FINISHED,
        "findings": (Finding("shape", level, "the reason why"),),
        "thresholds": (PASSED,),
        "integrity": SOUND,
        "totals": Totals(sent=1000, ok=990, failed=10, seconds=120, iteration_errors=changes.pop("errors", 0)),
        "p95_us": 23_456.0,
    }
    return judge.verdict(judge.Measured(**{**values, **changes}))


def test_a_sound_run_passes() -> None:
    """It ends 0, and its sentence has the figures."""
    found = verdict()

    assert (found.validity, found.passed, found.exit_code) == (Validity.VALID, True, 0)
    assert found.sentence == (
        "ramp held: every threshold was met. 1,000 requests in 120 s, 1.00% failed, p95 23 ms. "
        "The audit is clean: 1,234 seats sold in 456 bookings, none oversold, none lost."
    )


WEIGHTS: list[tuple[int, dict[str, Any]]] = [
    (107, {"errors": 3}),
    (99, {"thresholds": (PASSED, SOLD_WRONGLY), "integrity": OVERSOLD}),
    (98, {"level": Validity.INVALID}),
    (99, {"thresholds": (FAILED, PASSED)}),
    (0, {}),
]


@pytest.mark.parametrize("mask", list(product([False, True], repeat=4)))
@pytest.mark.parametrize(("status", "code"), [(Status.STOPPED, 105), (Status.CRASHED, 1), (Status.FINISHED, None)])
def test_the_weightiest_cause_is_the_exit_code(status: Status, code: int | None, mask: tuple[bool, ...]) -> None:
    """105, 1, 107, 99 by the audit, 98, 99: in every combination the first that applies."""
    changes: dict[str, Any] = {"status": status}
    expected = code if code is not None else 0
    for (number, change), given in reversed(list(zip(WEIGHTS, mask, strict=False))):
        if given:
            both = (*changes.get("thresholds", ()), *change.get("thresholds", ()))
            changes |= change | ({"thresholds": both} if both else {})
            expected = code if code is not None else number

    found = verdict(**changes)

    assert found.exit_code == expected
    assert found.passed == (status is Status.FINISHED and not any(mask))


@pytest.mark.parametrize("result", [FAILED, NO_DATA])
def test_a_threshold_without_data_fails_like_one_that_was_not_met(result: ThresholdResult) -> None:
    """NO DATA is never a pass."""
    found = verdict(thresholds=(PASSED, result, PASSED))

    assert (found.exit_code, found.passed) == (99, False)
    assert found.sentence.startswith("ramp failed: 1 of 3 thresholds was not met.")
    assert verdict(thresholds=(result, result)).sentence.startswith("ramp failed: 2 of 2 thresholds were not met.")


def test_an_audit_without_data_does_not_hide_an_invalid_run() -> None:
    """Only what the audit found outweighs INVALID; that it found nothing out does not."""
    unread = hold(parse_threshold("seats_oversold", "value==0"), None)

    assert verdict(level=Validity.INVALID, thresholds=(unread,)).exit_code == 98


def test_a_suspect_run_may_pass() -> None:
    """SUSPECT is a warning."""
    found = verdict(level=Validity.SUSPECT)

    assert (found.validity, found.passed, found.exit_code) == (Validity.SUSPECT, True, 0)


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"level": Validity.INVALID}, "ramp: this run cannot be believed: the reason why."),
        ({"status": Status.STOPPED}, "ramp was stopped after 120 s."),
        ({"status": Status.CRASHED, "crash": "killed by 9"}, "ramp did not come to its end: killed by 9."),
        ({"errors": 3}, "ramp did not pass: its own script raised."),
        ({"thresholds": ()}, "ramp held: it had no threshold to meet."),
        ({"thresholds": (PASSED, SOLD_WRONGLY), "integrity": OVERSOLD}, "ramp failed: 345 seats were sold that did n"),
        ({"findings": ()}, "ramp: this run cannot be believed: nothing was measured."),
    ],
)
def test_the_sentence_begins_with_what_matters_most(changes: dict[str, Any], begins: str) -> None:
    """What a person reads first is why the exit code is what it is."""
    assert verdict(**changes).sentence.startswith(begins)


def test_a_script_that_raised_is_counted() -> None:
    """The number of iterations is said."""
    assert "The script raised in 1,234 iterations." in verdict(errors=1234).sentence


@pytest.mark.parametrize(
    ("p95", "words"), [(inf, "p95 no answer"), (1_500_000.0, "p95 1500 ms"), (None, "1.00% failed.")]
)
def test_a_percentile_among_the_failures_is_no_answer(p95: float | None, words: str) -> None:
    """The sentence never shows a p95 that failing fast has improved."""
    assert words in verdict(p95_us=p95).sentence


@pytest.mark.parametrize(
    ("integrity", "words"),
    [
        (None, "Nothing was audited."),
        (Integrity(checked=False), "The audit could check nothing: no flights."),
        (Integrity(checked=False, notes=("a", "b")), "The audit could check nothing: a; b."),
        (OVERSOLD, "The audit: 345 seats were sold that did not exist; 357 seats were lost from the count."),
        (replace(SOUND, bookings_missing=2), "The audit: 2 accepted bookings are not in the database."),
        (replace(SOUND, notifications_missing=None), "but notifications_missing could not be checked."),
        (replace(SOUND, notifications_missing=7), "7 booked travellers were not notified"),
    ],
)
def test_the_audits_words(integrity: Integrity | None, words: str) -> None:
    """What was found, what was not looked at, or that all is well: never one for the other."""
    found = verdict(integrity=integrity).sentence

    assert words in found
    assert ("The audit is clean" in found) == bool(integrity and integrity.checked and "The audit: " not in found)


def test_totals_are_the_tallys() -> None:
    """Requests, iterations and checks over all names and tags; unfinished is the last that was said."""
    tally = Tally()
    duration = "http_req_duration"
    for second in range(2):
        tally.add(
            Tick(
                second,
                {
                    TrendKey(duration, "a", (("operation", "x"),)): {1: 3},
                    TrendKey(duration, "b", ()): {bin_of(9000): 1},
                    TrendKey(duration, "a", (), FAIL): {1: 2},
                    TrendKey("other", "a", ()): {1: 99},
                },
                {SeriesKey("checks", (("check", "c"),)): (3, 4), SeriesKey("checks", (("check", "d"),)): (0, 1)},
                {SeriesKey("sent"): 7, SeriesKey("iterations"): 5, SeriesKey("iteration_errors"): 1},
                {SeriesKey("unfinished"): float(second)},
            )
        )

    assert Totals.of(tally) == Totals(14, 8, 4, 1, 10, 2, 6, 4, 2)
    assert Totals.of(Tally()) == Totals()


def test_the_audits_figures_become_metrics() -> None:
    """What was checked can be judged, zero included; what was not has no data."""
    tally = Tally()
    judge.add_integrity(tally, replace(SOUND, seats_lost=5, notifications_missing=None))
    thresholds = [parse_threshold(metric, "value==0") for metric in INTEGRITY_METRICS]

    outcomes = {result.metric: result.outcome for result in judge.judge_all(thresholds, tally)}

    assert outcomes.pop("seats_lost") is Outcome.FAIL
    assert outcomes.pop("notifications_missing") is Outcome.NO_DATA
    assert set(outcomes.values()) == {Outcome.PASS}


def test_no_answer_is_noted() -> None:
    """A percentile that fell among the failures fails its threshold and says why."""
    tally = Tally()
    tally.add(Tick(0, {TrendKey("http_req_duration", "a", (), FAIL): {1: 2}}))

    (found,) = judge.judge_all([parse_threshold("http_req_duration", "p(95)<2000")], tally)

    assert (found.outcome, found.actual, found.unit) == (Outcome.FAIL, inf, "ms")
    assert found.note == "no answer: too many requests failed or were dropped"


ENDED = Crossing("http_req_duration p(95)<1000", 1430.0, "ms", 203)
BROKE = Breaking(412.3, 420.0, 192, ENDED)


def test_a_run_that_a_threshold_ended_says_which_and_when() -> None:
    """It ends 99 even where all thresholds are met in the end, and says how far it came."""
    found = verdict(status=Status.ABORTED, aborted=ENDED, breaking=BROKE, name="breakpoint")

    assert (found.passed, found.exit_code) == (False, 99)
    assert found.sentence.startswith(
        "breakpoint was ended by a threshold at 3:23: http_req_duration p(95)<1000 was 1,430 ms. 1,000 requests in"
    )
    assert "The last rate that held: 412 iterations/s (planned 420) at 3:12; at 3:23 http_req" in found.sentence


@pytest.mark.parametrize(
    ("changes", "code", "first"),
    [
        ({"level": Validity.INVALID}, 98, "breakpoint: this run cannot be believed"),
        ({"integrity": OVERSOLD, "thresholds": (SOLD_WRONGLY,)}, 99, "breakpoint failed: 345 seats"),
        ({"errors": 3}, 107, "breakpoint did not pass: its own script raised"),
    ],
)
def test_what_outweighs_the_end_by_a_threshold(changes: dict[str, Any], code: int, first: str) -> None:
    """A generator that gave out, a seat that was sold twice and a script that raised are said first."""
    found = verdict(status=Status.ABORTED, aborted=ENDED, name="breakpoint", **changes)

    assert (found.passed, found.exit_code) == (False, code)
    assert found.sentence.startswith(first)
