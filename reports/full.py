"""What was full at a level of the load: cores, pools, threads, queues, as far as the probes saw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.model.sample import SeriesKey
    from reports.levels import Level

CORE: Final = 0.9
"""A part that uses more than this of one core is held up where one interpreter does all of its work."""
MACHINE: Final = 0.9
"""The same of all cores of the machine together."""
WAITING: Final = 0.5
"""So many callers on average wait for a connection of a pool that is too small."""
BEHIND_S: Final = 1.0
"""A queue that holds more than the work of so many seconds falls behind."""
PINNED: Final = 1.05
"""What grows by less than this while the load grows by half has reached its limit."""
STEADY: Final = 0.95
"""Threads that are all busy are so in nearly every second."""
FEWEST_THREADS: Final = 4
LOAD: Final = "load"
"""The name of the load processes among the machine's."""
_GROWN: Final = 1.5
_MOST_NAMED: Final = 4


class Full(NamedTuple):
    """Something that was full: in words with figures, and how full, as a share of what there is."""

    what: str
    share: float


def by_tag(gauges: Mapping[SeriesKey, float], metric: str, tag: str) -> dict[str, float]:
    """Give a gauge's values by one of its tags."""
    return {dict(key.tags).get(tag, ""): value for key, value in gauges.items() if key.metric == metric}


def full(levels: tuple[Level, ...], cores: int) -> tuple[Full, ...]:
    """Give what was full at the last of some levels, what holds up the most first.

    Args:
        levels: from the lowest to the one that is looked at; those before it tell what still grew.
        cores: of the machine that the load and, where it was measured, the platform ran on; 0 where nobody knows.
    """
    at = levels[-1]
    found = [*_pools(at), *threads(levels), *_cores(at, cores), *_queues(at)]
    return tuple(found)


def unseen(gauges: Mapping[SeriesKey, float]) -> tuple[str, ...]:
    """Name what no probe looked at."""
    parts = {process for process in by_tag(gauges, "cpu", "process") if process != LOAD}
    have = {key.metric for key in gauges}
    looked = {
        "the platform's CPU": bool(parts),
        "its connection pools": "pool_waiting" in have,
        "its threads": "threads_busy" in have,
        "its queues": "queue_depth" in have,
    }
    return tuple(name for name, seen in looked.items() if not seen)


def _pools(at: Level) -> Iterator[Full]:
    used = by_tag(at.gauges, "pool_in_use", "service")
    for service, waiting in by_tag(at.gauges, "pool_waiting", "service").items():
        if waiting >= WAITING:
            held = used.get(service, 0.0)
            text = f"the connection pool of {service} ({held:.3g} in use, {waiting:.3g} waiting for one on average)"
            yield Full(text, (held + waiting) / max(held, 1.0))


def threads(levels: tuple[Level, ...]) -> Iterator[Full]:
    """Give the services whose threads were all busy: as many in every second, and no more than with less load."""
    at = levels[-1]
    before = [each for each in levels if each.offered > 0 and at.offered >= _GROWN * each.offered]
    if not before:
        return
    earlier = by_tag(before[-1].peaks, "threads_busy", "service")
    most = by_tag(at.peaks, "threads_busy", "service")
    for service, busy in by_tag(at.gauges, "threads_busy", "service").items():
        limit = most.get(service, 0.0)
        # A number that goes up and down is what there is to do, and no limit.
        if limit >= FEWEST_THREADS and busy >= STEADY * limit and earlier.get(service, 0.0) * PINNED > limit:
            load = before[-1].offered
            yield Full(
                f"the threads of {service} (all {limit:.3g} busy, and no more than with a load of {load:.3g})", 1.0
            )


def _cores(at: Level, cores: int) -> Iterator[Full]:
    used = by_tag(at.gauges, "cpu", "process")
    ordered = sorted(used.items(), key=lambda item: -item[1])
    whole = sum(used.values())
    machine = cores > 0 and whole / cores >= MACHINE
    for process, share in ordered:
        # What uses several cores is held up by none of them; that the machine is full is said of all together.
        if process != LOAD and CORE <= share <= 1 + (1 - CORE):
            yield Full(f"one core of {process} ({share:.2f} in use)", share)
    if machine:
        named = ", ".join(f"{process} {share:.2f}" for process, share in ordered[:_MOST_NAMED])
        yield Full(f"the machine: {whole:.2f} of {counted(cores, 'core')} in use ({named})", whole / cores)


def _queues(at: Level) -> Iterator[Full]:
    for queue, depth in by_tag(at.gauges, "queue_depth", "queue").items():
        if at.rate and depth / at.rate >= BEHIND_S:
            yield Full(f"the queue {queue} ({depth:,.0f} waiting, {depth / at.rate:.1f} s of work)", depth / at.rate)
