"""Scenarios as a person reads them: a table of all, or one with its load curve."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from lab.model.words import counted
from reports import units
from reports.curve import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.scenario import Scenario

WIDTH: Final = 88


def scenarios_table(found: Sequence[Scenario]) -> Table:
    """Give a table of scenarios: name, executor, most users, length, what it is."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading, side in (("scenario", "left"), ("users", "right"), ("length", "right"), ("what it is", "left")):
        table.add_column(heading, justify=side, no_wrap=heading == "scenario")  # type: ignore[arg-type]  # a literal
    for scenario in found:
        table.add_row(
            Text(scenario.name, style="bold"),
            str(scenario.peak),
            units.clock(scenario.duration),
            Text(scenario.description),
        )
    return table


def scenario_text(scenario: Scenario) -> str:
    """Write one scenario: what it is, its load curve, its data and its thresholds; ends with a line break."""
    data = scenario.data
    facts = [
        ("executor", scenario.executor),
        ("stages", ", ".join(f"{units.clock(s.duration)} → {s.target}" for s in scenario.stages)),
        ("user class", f"{scenario.user_class} of {scenario.users_file}"),
        ("data", f"{counted(data.flights, 'flight')} of {_seats(*data.seats)}, {counted(data.users, 'user')}"),
        ("graceful stop", units.clock(scenario.graceful_stop)),
        *(("threshold", str(threshold)) for threshold in scenario.thresholds),
        ("threshold", "each figure of the audit == 0"),
    ]
    lines = [f"{name:<14} {value}" for name, value in facts]
    about = textwrap.fill(scenario.description, WIDTH)
    return f"{scenario.name}\n{about}\n\nusers\n{draw(scenario)}\n" + "\n".join(lines) + "\n"


def _seats(fewest: int, most: int) -> str:
    return counted(most, "seat") if fewest == most else f"{fewest}–{most} seats"
