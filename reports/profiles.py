"""The platform's profiles as a table, from the first rung of the ladder to the last, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rung(Protocol):
    """What is said of a profile: its name, what it changes, and what that should gain."""

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def changes(self) -> str: ...  # noqa: D102 - as above

    @property
    def gains(self) -> str: ...  # noqa: D102 - as above

    @property
    def needs(self) -> tuple[str, ...]: ...  # noqa: D102 - the changes without which it is none


def profiles_table(rungs: Sequence[Rung], default: str) -> Table:
    """Give a table of the ladder; the default is marked."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 1, 0))
    for heading in ("profile", "changes", "should gain"):
        table.add_column(heading, no_wrap=heading == "profile")
    for rung in rungs:
        mark = "\n(default)" if rung.name == default else ""
        needs = f"\nneeds {', '.join(rung.needs)}" if rung.needs else ""
        table.add_row(Text(rung.name + mark + needs, style="bold"), rung.changes, rung.gains)
    return table


def profiles_json(rungs: Sequence[Rung], default: str) -> str:
    """Write the ladder as a JSON list, from the first rung to the last."""
    told = [
        {
            "name": rung.name,
            "changes": rung.changes,
            "gains": rung.gains,
            "needs": list(rung.needs),
            "default": rung.name == default,
        }
        for rung in rungs
    ]
    return json.dumps(told, indent=1)
