"""A load in words: who comes when, and what becomes of those that find nobody free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.model.load import Load

MOST_STAGES: Final = 60


def load_facts(load: Load) -> Iterator[tuple[str, str]]:
    """Give what a load is, fact by fact."""
    if load.name:
        yield "scenario", load.name + (f", from {units.clock(load.start_time)} on" if load.start_time else "")
    yield "executor", load.executor
    if load.bounded:
        each = "each" if load.executor == "per-vu-iterations" else "together"
        yield "iterations", f"{load.iterations:,} {each}, by {load.amount(load.top)}, within {units.clock(load.length)}"
    else:
        if load.start:
            yield "starts with", load.amount(load.start)
        yield "stages", _stages(load)
    if load.open:
        kind, busy = "at random" if load.poisson else "evenly", "wait" if load.waits else "are dropped"
        yield "arrivals", f"{kind}; {load.pre_allocated}–{load.max_vus} users; those that find none free {busy}"
    yield "user class", load.user_class
    for key, value in load.tags:
        yield f"tag {key}", value


def _stages(load: Load) -> str:
    shown = [f"{units.clock(stage.duration)} → {load.amount(stage.target)}" for stage in load.stages[:MOST_STAGES]]
    rest = len(load.stages) - MOST_STAGES
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")
