"""Rules on how the platform took the load: where throughput stopped growing, and what was full then."""

from __future__ import annotations

from math import inf, isfinite, log
from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units
from reports.attribution.operation import KINDS
from reports.diagnosis.rule import Rule, most
from reports.full import CORE, LOAD, MACHINE, full
from reports.levels import APART, NEARLY, busiest

if TYPE_CHECKING:
    from reports.diagnosis.facts import Facts
    from reports.full import Full
    from reports.levels import Level

FLAT: Final = 0.2
"""A rate that grows by less than this power of the load does not grow: twice the load, 15 % more."""
SLOWER: Final = 1.3
"""A median that grew by less than this factor did not grow."""


def flat_part(facts: Facts) -> tuple[Level, Level] | None:
    """Give the lowest level with about the highest throughput, and the highest level of the load.

    None where throughput grew all the way, or answers took no longer.
    """
    if len(facts.levels) < 2:  # noqa: PLR2004 - one level is no change
        return None
    first, last = facts.levels[busiest(facts.levels)[0]], facts.levels[-1]
    flat = last.offered >= APART * first.offered and _growth(first, last) < FLAT
    integrity = facts.run.integrity
    if last.median is None and integrity is not None and integrity.flights_sold_out:
        return None  # what is sold out is refused, and not slow
    return (first, last) if flat and _slower(first, last) >= SLOWER else None


def _was_full(facts: Facts) -> tuple[Full, ...]:
    """Give what was full where throughput was about the highest: beyond that something else may hold it up."""
    return full(facts.levels[: busiest(facts.levels)[1] + 1], facts.run.machine.cores)


def _growth(level: Level, last: Level) -> float:
    """Give how much of the load's growth the rate followed: 1, all of it; 0, none."""
    if not level.rate:
        return 1.0
    return log(max(last.rate, 1e-9) / level.rate) / log(last.offered / level.offered)


def _slower(level: Level, last: Level) -> float:
    """Give how much longer answers took; where too few came for a median, how much longer each was waited for."""
    if level.median and last.median:
        return last.median / level.median
    if last.median is None and last.rate < NEARLY * level.rate:
        return inf if not last.rate else level.rate * last.offered / (last.rate * level.offered)
    return 1.0


def _levels_missing(facts: Facts) -> str:
    return "" if facts.levels else "the load did not change enough to see what more of it brought"


def _saturated(facts: Facts) -> float:
    found = flat_part(facts)
    if found is None:
        return 0.0
    kept = 1 - min(max(_growth(*found), 0.0), 1.0)
    return kept * (0.5 + 0.5 * (1 - 1 / _slower(*found)))


def _saturated_evidence(facts: Facts) -> str:
    found = flat_part(facts)
    if found is None:
        return ""
    level, last = found
    unit = "arrivals/s" if facts.run.scenario.open else "users"
    went = "fell" if last.rate < NEARLY * level.rate else "flat"
    text = (
        f"throughput {went} from {level.offered:,.0f} to {last.offered:,.0f} {unit} "
        f"({level.rate:,.3g}/s, then {last.rate:,.3g}/s), "
    )
    if last.median is None:
        text += "so that there were too few answers for a median"
    else:
        text += f"while the median grew {_slower(level, last):.1f}-fold "
        text += f"({units.duration(level.median)} to {units.duration(last.median)})"
    if last.p95 is not None and not isfinite(last.p95):
        text += ", and p95 is no answer"
    was = _was_full(facts)
    if was:
        return f"{text}; full: {'; '.join(each.what for each in was)}"
    waited = most(facts.share(*KINDS))
    return f"{text}; nothing measured was full" + (f", and clients waited most for {waited}" if waited else "")


def _saturated_remedy(facts: Facts) -> str:
    was = _was_full(facts)
    if not was:
        return "find what it waits for: Server-Timing by part in the report, a profiler on the busiest service"
    first = was[0].what
    if "pool" in first:
        return "a larger pool (rate × seconds that a connection is held), or connections held more briefly"
    if first.startswith("the threads"):
        return "find what these threads wait for before there are more of them"
    if first.startswith("one core"):
        return "less work a request in that service, or several processes of it (profile scaled)"
    if first.startswith("the queue"):
        return "more consumers, or mails sent in batches"
    return "less work a request, or more cores; the load generator on a machine of its own"


SATURATED: Final = Rule(
    "saturated",
    "more load brought no more throughput",
    0.85,
    _levels_missing,
    _saturated,
    _saturated_evidence,
    _saturated_remedy,
)


def _cores_missing(facts: Facts) -> str:
    seen = [process for process in facts.over("cpu", "process") if process != LOAD]
    return "" if seen else "the platform's CPU was not measured: it runs elsewhere, or the run was imported"


def _cores(facts: Facts) -> float:
    if flat_part(facts) is not None:  # said there, with what it did to the throughput
        return 0.0
    used = {process: cpu.mean for process, cpu in facts.over("cpu", "process").items()}
    one = max((share for process, share in used.items() if process != LOAD and share <= 1 + (1 - CORE)), default=0.0)
    whole = sum(used.values()) / facts.run.machine.cores
    return max(one if one >= CORE else 0.0, whole if whole >= MACHINE else 0.0)


def _cores_evidence(facts: Facts) -> str:
    used = sorted(facts.over("cpu", "process").items(), key=lambda item: -item[1].mean)
    whole = sum(cpu.mean for _, cpu in used)
    named = ", ".join(f"{units.plain(process, 40)} {cpu.mean:.2f}" for process, cpu in used[:4])
    return (
        f"over the whole run {whole:.2f} of {counted(facts.run.machine.cores, 'core')} were in use ({named}): "
        "there is no room above this load"
    )


CORES: Final = Rule(
    "cores-full",
    "the processors were busy all the time",
    0.5,
    _cores_missing,
    _cores,
    _cores_evidence,
    lambda _: "less work a request, or more cores; see where it ends with: airbourne-lab capacity",
)

RULES: Final = (SATURATED, CORES)
