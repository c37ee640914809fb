"""Scenarios as a person reads them: a table of all, or one with its load curve."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from lab.model.words import counted
from reports import units
from reports.curve import draw, drawn
from reports.loads import load_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.model.scenario import Scenario
    from lab.model.threshold import Threshold

WIDTH: Final = 88


def scenarios_table(found: Sequence[Scenario]) -> Table:
    """Give a table of scenarios: name, executor, most users, length, what it is."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading, side in (("scenario", "left"), ("load", "right"), ("length", "right"), ("what it is", "left")):
        table.add_column(heading, justify=side, no_wrap=heading == "scenario")  # type: ignore[arg-type]  # a literal
    for scenario in found:
        table.add_row(
            Text(scenario.name, style="bold"),
            _heaviest(scenario),
            units.clock(scenario.duration),
            Text(scenario.description),
        )
    return table


def scenario_text(scenario: Scenario) -> str:
    """Write one scenario: what it is, its load curve, its data and its thresholds; ends with a line break."""
    data = scenario.data
    facts = [
        *(fact for load in scenario.loads for fact in load_facts(load)),
        ("users file", scenario.users_file),
        ("data", f"{counted(data.flights, 'flight')} of {_seats(*data.seats)}, {counted(data.users, 'user')}"),
        ("graceful stop", units.clock(scenario.graceful_stop)),
        *(("warm-up", text) for text in _warmup(scenario)),
        *(("threshold", _threshold(threshold)) for threshold in scenario.thresholds),
        ("threshold", "each figure of the audit == 0"),
    ]
    lines = [f"{name:<14} {value}" for name, value in facts]
    about = textwrap.fill(scenario.description, WIDTH)
    return f"{scenario.name}\n{about}\n\n{drawn(scenario)}\n{draw(scenario)}\n" + "\n".join(lines) + "\n"


def _warmup(scenario: Scenario) -> Iterator[str]:
    if scenario.auto_warmup:
        yield "found after the run, by MSER-5"
    elif scenario.warmup:
        yield f"the first {units.clock(scenario.warmup)}"


def _threshold(threshold: Threshold) -> str:
    after = f" after {units.clock(threshold.delay)}" if threshold.delay else ""
    return f"{threshold} (ends the run{after})" if threshold.abort else str(threshold)


def _heaviest(scenario: Scenario) -> str:
    if len(scenario.loads) > 1:
        return f"{len(scenario.loads)} loads"
    load = scenario.loads[0]
    return load.amount(load.top)


def _seats(fewest: int, most: int) -> str:
    return counted(most, "seat") if fewest == most else f"{fewest}–{most} seats"
