"""The gates: is this run to be believed? Asked before any figure is shown (measurement.md §3). Pure.

Every gate answers with a sentence that carries its figures, whether it passed or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lab.generator import PROCESS
from lab.model.histogram import Histogram
from lab.model.run import Totals
from lab.model.sample import FAIL, OK, US_PER_MS, Tally, TrendKey
from lab.model.scenario import Scenario
from lab.model.threshold import METRICS, MetricKind, Selector
from lab.model.verdict import Finding, Validity
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator


CPU_LIMIT: Final = 0.80
CPU_SECONDS: Final = 5
LATE_LIMIT_MS: Final = 10.0
LATE_SHARE: Final = 0.1
TIMER_MS: Final = 2.0
"""What the probe's timer is good to: the event loop's clock has whole milliseconds, and rounds up."""
FEWEST_BEYOND: Final = 10
AUTH_OPERATIONS: Final = ("signup", "signin", "login")
LAG: Final = "generator_lag"
AUTH_SHARE: Final = 0.5
RAMP_SHARE: Final = 0.1
ROWS_PER_USER: Final = 10.0
_REQUESTS: Final = Selector("http_req_duration")


@dataclass(frozen=True, slots=True)
class Observed:
    """What the gates look at: the run's sum, its load processes' CPU by second, and what the ledger tried where.

    `crash` says how the load process died, when it did.
    """

    scenario: Scenario
    tally: Tally
    totals: Totals
    cpu: Mapping[str, Sequence[float]]
    attempts: Mapping[str, int]
    sold_out: int
    crash: str = ""


def gates(run: Observed) -> tuple[Finding, ...]:
    """Look at every gate, in the order in which they should be read."""
    every = (_alive, _count, _cpu, _late, _samples, _shape, _rows, _seats, _auth)
    return tuple(finding for gate in every for finding in gate(run))


def validity(findings: Sequence[Finding]) -> Validity:
    """Give the worst level among the findings."""
    order = list(Validity)
    return max((finding.level for finding in findings), key=order.index, default=Validity.INVALID)


def _finding(gate: str, sentence: str, level: Validity = Validity.VALID) -> Finding:
    return Finding(gate, level, sentence)


def _alive(run: Observed) -> Iterator[Finding]:
    if run.crash:
        yield _finding("load process", f"{run.crash}; its last second is missing", Validity.INVALID)


def _count(run: Observed) -> Iterator[Finding]:
    t = run.totals
    sentence = f"{t.sent:,} sent = {t.ok:,} ok + {t.failed:,} failed + {t.unfinished:,} unfinished"
    if t.sent != t.ok + t.failed + t.unfinished:
        yield _finding("count", sentence.replace(" = ", " ≠ ", 1) + ": requests were lost", Validity.INVALID)
    elif t.ok + t.failed == 0:
        yield _finding("count", "not one request was answered", Validity.INVALID)
    else:
        yield _finding("count", sentence)


def _cpu(run: Observed) -> Iterator[Finding]:
    for process, shares in run.cpu.items():
        longest = current = 0
        for share in shares:
            current = current + 1 if share > CPU_LIMIT else 0
            longest = max(longest, current)
        if longest >= CPU_SECONDS:
            yield _finding(
                "generator CPU",
                f"{process} used over {CPU_LIMIT:.0%} of a core for {longest} s: it measured itself",
                Validity.INVALID,
            )
            return
    process, peak = max(
        ((process, max(shares, default=0.0)) for process, shares in run.cpu.items()),
        key=lambda found: found[1],
        default=("", 0.0),
    )
    busiest = f" ({process}, the busiest)" if len(run.cpu) > 1 else ""
    yield _finding("generator CPU", f"at most {peak:.0%} of a core in any second{busiest}")


def _late(run: Observed) -> Iterator[Finding]:
    probes = {
        process: Histogram.merged(h for key, h in run.tally.trends.items() if _probes(key, process))
        for process in sorted({dict(key.tags).get(PROCESS, "") for key in run.tally.trends if key.metric == LAG})
    }
    if not any(probe.count for probe in probes.values()):
        yield _finding("scheduling delay", "the 10 ms probe left no sample", Validity.SUSPECT)
        return
    median = run.tally.histogram(_REQUESTS, OK).percentile(0.5) or 0
    # The latest of them: a load process that is held up is not made good by one that is not.
    process, late = max(
        ((process, probe.percentile(0.99) or 0) for process, probe in probes.items()), key=lambda found: found[1]
    )
    text = f"a 10 ms timer fired {late / US_PER_MS:.1f} ms late at p99" + (f" in {process}" if process else "")
    much = late > LATE_LIMIT_MS * US_PER_MS
    # Both together: what is late by less than a tenth of what is measured does not change what is measured.
    weighty = late > max(LATE_SHARE * median, TIMER_MS * US_PER_MS)
    share = f", {late / median:.0%} of the median latency" if median else ""
    if much and weighty:
        yield _finding(
            "scheduling delay", f"{text}{share}: answers lay waiting before they were seen", Validity.INVALID
        )
    else:
        level = Validity.SUSPECT if much or weighty else Validity.VALID
        yield _finding("scheduling delay", text + share, level)


def _probes(key: TrendKey, process: str) -> bool:
    return key.metric == LAG and dict(key.tags).get(PROCESS, "") == process


def _samples(run: Observed) -> Iterator[Finding]:
    for threshold in run.scenario.thresholds:
        if METRICS.get(threshold.selector.metric) is not MetricKind.TREND or threshold.argument is None:
            continue
        count = sum(run.tally.histogram(threshold.selector, outcome).count for outcome in (OK, FAIL))
        # Rounded, since 100 × (1 − 0.9) is a hair less than 10.
        beyond = round(count * (1 - threshold.argument / 100), 6)
        if count > 0 and beyond < FEWEST_BEYOND:
            yield _finding(
                "samples",
                f"{threshold.selector} p({threshold.argument:g}) rests on {beyond:.1f} of {count:,} samples "
                f"(at least {FEWEST_BEYOND} are needed)",
                Validity.SUSPECT,
            )


def _shape(run: Observed) -> Iterator[Finding]:
    for load in run.scenario.loads:
        if load.bounded:
            continue
        if load.top > 1 and load.full_after < RAMP_SHARE * load.length:
            yield _finding(
                "shape",
                f"all {load.amount(load.top)} came within {load.full_after:g} s: there was no ramp",
                Validity.SUSPECT,
            )
        if not load.held:
            yield _finding(
                "shape",
                f"no hold at the peak of {load.amount(load.top)}: the percentiles mix every load on the way there",
                Validity.SUSPECT,
            )


def _rows(run: Observed) -> Iterator[Finding]:
    tried = sum(run.attempts.values())
    busy = run.tally.histogram(_REQUESTS, OK)
    if not tried or not busy.count:
        return
    flights = 1 / sum((count / tried) ** 2 for count in run.attempts.values())
    concurrency = busy.count * busy.mean / 1e6 / max(run.totals.seconds, 1)
    spread = f"{flights:.3g} flight{'s' * (len(run.attempts) != 1)}"
    if flights < ROWS_PER_USER * concurrency:
        yield _finding(
            "rows under test",
            f"a contention test: {concurrency:.1f} requests at once on {spread} "
            f"(an even load needs at least {ROWS_PER_USER * concurrency:.0f})"
            + (", as it is meant to be" if run.scenario.contention else ""),
            _unless_meant(run),
        )


def _seats(run: Observed) -> Iterator[Finding]:
    if run.sold_out:
        yield _finding(
            "seats",
            f"{counted(run.sold_out, 'flight')} ran out of seats: from then on refusals were measured, not bookings"
            + (", as it is meant to be" if run.scenario.contention else ""),
            _unless_meant(run),
        )


def _unless_meant(run: Observed) -> Validity:
    return Validity.VALID if run.scenario.contention else Validity.SUSPECT


def _auth(run: Observed) -> Iterator[Finding]:
    whole = run.tally.histogram(_REQUESTS, OK)
    spent = whole.count * whole.mean
    parts = [run.tally.histogram(Selector("http_req_duration", (("operation", op),)), OK) for op in AUTH_OPERATIONS]
    hashing = sum(part.count * part.mean for part in parts)
    if spent and hashing / spent > AUTH_SHARE:
        yield _finding(
            "auth-bound",
            f"sign-up and sign-in took {hashing / spent:.0%} of all service time: this measures password hashing",
            Validity.SUSPECT,
        )
