"""Gates on the generator: did it live, count right, have CPU left, and look at its answers in time?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.gates.limits import CPU_LIMIT, CPU_SECONDS, LATE_LIMIT_MS, LATE_SHARE, TIMER_MS
from lab.gates.observed import REQUESTS, finding
from lab.generator import PROCESS
from lab.model.histogram import Histogram
from lab.model.sample import OK, US_PER_MS, TrendKey
from lab.model.verdict import Finding, Validity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.gates.observed import Observed

LAG: Final = "generator_lag"


def alive(run: Observed) -> Iterator[Finding]:
    """The load process came to its own end."""
    if run.crash:
        yield finding("load process", f"{run.crash}; its last second is missing", Validity.INVALID)


def count(run: Observed) -> Iterator[Finding]:
    """Every request that was sent was recorded exactly once."""
    t = run.totals
    sentence = f"{t.sent:,} sent = {t.ok:,} ok + {t.failed:,} failed + {t.unfinished:,} unfinished"
    if t.sent != t.ok + t.failed + t.unfinished:
        yield finding("count", sentence.replace(" = ", " ≠ ", 1) + ": requests were lost", Validity.INVALID)
    elif t.ok + t.failed == 0:
        yield finding("count", "not one request was answered", Validity.INVALID)
    else:
        yield finding("count", sentence)


def cpu(run: Observed) -> Iterator[Finding]:
    """No load process was short of CPU."""
    for process, shares in run.cpu.items():
        longest = current = 0
        for share in shares:
            current = current + 1 if share > CPU_LIMIT else 0
            longest = max(longest, current)
        if longest >= CPU_SECONDS:
            yield finding(
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
    yield finding("generator CPU", f"at most {peak:.0%} of a core in any second{busiest}")


def late(run: Observed) -> Iterator[Finding]:
    """A timer fires in time, and so an answer is seen in time."""
    probes = {
        process: Histogram.merged(h for key, h in run.tally.trends.items() if _probes(key, process))
        for process in sorted({dict(key.tags).get(PROCESS, "") for key in run.tally.trends if key.metric == LAG})
    }
    if not any(probe.count for probe in probes.values()):
        yield finding("scheduling delay", "the 10 ms probe left no sample", Validity.SUSPECT)
        return
    median = run.tally.histogram(REQUESTS, OK).percentile(0.5) or 0
    # The latest of them: a load process that is held up is not made good by one that is not.
    process, delay = max(
        ((process, probe.percentile(0.99) or 0) for process, probe in probes.items()), key=lambda found: found[1]
    )
    text = f"a 10 ms timer fired {delay / US_PER_MS:.1f} ms late at p99" + (f" in {process}" if process else "")
    much = delay > LATE_LIMIT_MS * US_PER_MS
    # Both together: what is late by less than a tenth of what is measured does not change what is measured.
    weighty = delay > max(LATE_SHARE * median, TIMER_MS * US_PER_MS)
    share = f", {delay / median:.0%} of the median latency" if median else ""
    if much and weighty:
        sentence = f"{text}{share}: answers lay waiting before they were seen"
        yield finding("scheduling delay", sentence, Validity.INVALID)
    else:
        level = Validity.SUSPECT if much or weighty else Validity.VALID
        yield finding("scheduling delay", text + share, level)


def _probes(key: TrendKey, process: str) -> bool:
    return key.metric == LAG and dict(key.tags).get(PROCESS, "") == process
