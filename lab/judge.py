"""From what was measured to a verdict: thresholds, gates, one sentence and an exit code. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf
from typing import TYPE_CHECKING, Final

from lab import breaking
from lab.model.run import Status, Totals
from lab.model.sample import US_PER_MS, SeriesKey
from lab.model.threshold import INTEGRITY_METRICS, Outcome, Selector, ThresholdResult, judge
from lab.model.verdict import Breaking, Crossing, Exit, Finding, Integrity, Validity, Verdict
from lab.model.words import counted
from lab.validity import validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.model.sample import Tally
    from lab.model.threshold import Threshold

_ALL: Final = Selector("http_req_duration")


def add_integrity(tally: Tally, integrity: Integrity) -> None:
    """Make the audit's figures metrics, so that thresholds can judge them; what was not checked has no data."""
    for metric in INTEGRITY_METRICS:
        value = getattr(integrity, metric)
        if value is not None:
            tally.gauges[SeriesKey(metric)] = float(value)
    if integrity.notifications_missing is not None:
        tally.gauges[SeriesKey("drain_time")] = integrity.drain_seconds


def judge_all(thresholds: Iterable[Threshold], tally: Tally) -> tuple[ThresholdResult, ...]:
    """Hold every threshold against the tally."""
    results = []
    for threshold in thresholds:
        actual, unit = tally.measure(threshold)
        note = "no answer: too many requests failed or were dropped" if actual is not None and isinf(actual) else ""
        results.append(judge(threshold, actual, unit, note))
    return tuple(results)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a verdict is made of; `p95_us` is the 95th percentile of all requests, `inf` where it is no answer."""

    name: str
    status: Status
    findings: tuple[Finding, ...]
    thresholds: tuple[ThresholdResult, ...]
    integrity: Integrity | None
    totals: Totals
    p95_us: float | None
    crash: str = ""
    aborted: Crossing | None = None
    breaking: Breaking | None = None

    @property
    def failed(self) -> list[ThresholdResult]:
        """Give the thresholds that were not met, or had no data."""
        return [result for result in self.thresholds if result.outcome is not Outcome.PASS]

    @property
    def audit_failed(self) -> bool:
        """Tell whether the audit found what a threshold forbids."""
        return any(r.metric in INTEGRITY_METRICS and r.outcome is Outcome.FAIL for r in self.failed)


def verdict(run: Measured) -> Verdict:
    """Say what came of a run.

    Exit codes by weight: stopped by the user (105), crashed (1), the script raised (107), the audit found something
    (99: what was sold is counted and not timed, so that no gate takes it back), INVALID (98), a threshold, whether it
    ended the run or was not met at its end (99), 0.
    """
    level = validity(run.findings)
    if run.status is Status.STOPPED:
        code = Exit.SIGNAL
    elif run.status is Status.CRASHED:
        code = Exit.ERROR
    elif run.totals.iteration_errors:
        code = Exit.SCRIPT
    elif level is Validity.INVALID and not run.audit_failed:
        code = Exit.INVALID
    else:
        code = Exit.THRESHOLDS if run.failed or run.status is Status.ABORTED else Exit.PASSED
    passed = (
        run.status is Status.FINISHED
        and not run.failed
        and level is not Validity.INVALID
        and not run.totals.iteration_errors
    )
    return Verdict(level, passed, int(code), " ".join(_sentences(run, level)), run.findings)


def _sentences(run: Measured, level: Validity) -> Iterator[str]:
    totals = run.totals
    yield _first(run, level)
    speed = "" if run.p95_us is None else f", p95 {_milliseconds(run.p95_us)}"
    share = totals.failed / max(totals.ok + totals.failed, 1)
    yield f"{counted(totals.ok + totals.failed, 'request')} in {totals.seconds} s, {share:.2%} failed{speed}."
    if run.audit_failed and level is Validity.INVALID and run.status in {Status.FINISHED, Status.ABORTED}:
        yield f"Its timings cannot be believed: {_worst(run)}."
    if run.aborted and (run.audit_failed or level is Validity.INVALID):
        yield f"It was {_ended(run.aborted)}."
    if run.breaking:
        found = breaking.answer(run.breaking)
        yield f"{found[0].upper()}{found[1:]}."
    if run.audit_failed:
        yield f"{_unmet(run).capitalize()}."
    if totals.iteration_errors:
        yield f"The script raised in {counted(totals.iteration_errors, 'iteration')}."
    yield from _sold(run.integrity)


def _first(run: Measured, level: Validity) -> str:
    """Give the sentence that is read first."""
    name = run.name
    if run.status is Status.CRASHED:
        said = f"{name} did not come to its end: {run.crash}."
    elif run.status is Status.STOPPED:
        said = f"{name} was stopped after {run.totals.seconds} s."
    elif run.totals.iteration_errors:
        said = f"{name} did not pass: its own script raised."
    elif run.audit_failed and run.integrity and (wrong := _found(run.integrity)):
        said = f"{name} failed: {wrong[0]}."
    elif level is Validity.INVALID:
        said = f"{name}: this run cannot be believed: {_worst(run)}."
    elif run.aborted:
        said = f"{name} was {_ended(run.aborted)}."
    elif run.failed:
        said = f"{name} failed: {_unmet(run)}."
    else:
        said = f"{name} held: {'every threshold was met' if run.thresholds else 'it had no threshold to meet'}."
    return said


def _worst(run: Measured) -> str:
    return next((f.sentence for f in run.findings if f.level is Validity.INVALID), "nothing was measured")


def _unmet(run: Measured) -> str:
    return f"{len(run.failed)} of {len(run.thresholds)} thresholds {'was' if len(run.failed) == 1 else 'were'} not met"


def _ended(by: Crossing) -> str:
    return f"ended by a threshold at {breaking.clock(by.second)}: {breaking.said(by)}"


def _milliseconds(microseconds: float) -> str:
    return "no answer" if isinf(microseconds) else f"{microseconds / US_PER_MS:.0f} ms"


def _sold(integrity: Integrity | None) -> Iterator[str]:
    if integrity is None:
        yield "Nothing was audited."
        return
    if not integrity.checked:
        yield "The audit could check nothing: " + ("; ".join(integrity.notes) or "no flights") + "."
        return
    said = _found(integrity)
    if said:
        yield "The audit: " + "; ".join(said) + "."
    else:
        kept = f"{counted(integrity.seats_accepted, 'seat')} sold in {counted(integrity.bookings_accepted, 'booking')}"
        if integrity.bookings_withdrawn:
            kept += f" ({integrity.bookings_withdrawn:,} of them cancelled again)"
        skipped = [metric for metric in INTEGRITY_METRICS if getattr(integrity, metric) is None]
        rest = f", but {', '.join(skipped)} could not be checked" if skipped else ", none oversold, none lost"
        yield f"The audit is clean: {kept}{rest}."


def _found(integrity: Integrity) -> list[str]:
    """Say what is wrong with what was sold, the worst first."""
    figures = (
        (integrity.seats_oversold, "seat was sold that did not exist", "seats were sold that did not exist"),
        (integrity.seats_lost, "seat was lost from the count", "seats were lost from the count"),
        (
            integrity.bookings_missing,
            "accepted booking is not in the database",
            "accepted bookings are not in the database",
        ),
        (
            integrity.bookings_unexpected,
            "booking was never asked for like that",
            "bookings were never asked for like that",
        ),
        (
            integrity.notifications_missing,
            "booked traveller was not notified",
            "booked travellers were not notified",
        ),
        (
            integrity.notifications_unexpected,
            "notification was sent twice or to nobody's booking",
            "notifications were sent twice or to nobody's booking",
        ),
    )
    return [counted(number, one, many) for number, one, many in figures if number]
