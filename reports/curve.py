"""Draw a scenario's load curve for the terminal."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from reports import units

if TYPE_CHECKING:
    from lab.model.scenario import Scenario

WIDTH: Final = 64
HEIGHT: Final = 10
EIGHTHS: Final = " ▁▂▃▄▅▆▇█"


def drawn(scenario: Scenario) -> str:
    """Say what the curve is of: users or, where all loads are open models, iterations a second."""
    return "iterations/s" if all(load.open for load in scenario.loads) else "users"


def draw(scenario: Scenario, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Draw what `drawn` names over time as a filled curve with both axes, ending with a line break."""
    length, peak = scenario.duration, _top(scenario)
    columns = [_level(scenario, (x + 0.5) * length / width) for x in range(width)]
    # Half of a small odd number stands between two whole users, and has no label.
    half = peak // 2 if peak % 2 == 0 or peak > height else ""
    gutter = len(str(peak))
    steps = len(EIGHTHS) - 1
    rows = []
    for row in range(height, 0, -1):
        cells = "".join(
            EIGHTHS[min(max(round(users / peak * height * steps) - (row - 1) * steps, 0), steps)] for users in columns
        )
        label = peak if row == height else half if row == height // 2 else ""
        rows.append(f"{label:>{gutter}} ┤{cells}".rstrip())
    rows.append(f"{0:>{gutter}} ┼{'─' * width}")
    end = units.clock(length)
    rows.append(f"{'':>{gutter}}  0s{end:>{width - 2}}")
    return "\n".join(rows) + "\n"


def _level(scenario: Scenario, elapsed: float) -> float:
    return scenario.rate_at(elapsed) if drawn(scenario) != "users" else scenario.users_at(elapsed)


def _top(scenario: Scenario) -> int:
    if drawn(scenario) == "users":
        return max(sum(load.top for load in scenario.loads if not load.open), 1)
    return max(ceil(sum(load.top / load.time_unit for load in scenario.loads)), 1)
