"""What an A/A experiment tells: how much two identical sides differ here, and so what could be seen at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.model.words import counted
from reports.comparison import words
from reports.comparison.headline import main_operation
from reports.stats.ruling import FEWEST_RUNS, Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.comparison.result import Row


def noise_floor(rows: Sequence[Row]) -> str:
    """Say in a sentence from which size on a change would be found on this machine with so many pairs.

    Args:
        rows: those of two sides that are one and the same.
    """
    operation = main_operation(rows)
    mine = [row for row in rows if row.operation == operation]
    parts = [f"{words.name(row.metric)} {words.detectable(row)}" for row in mine if row.detectable is not None]
    if not parts or mine[0].runs < FEWEST_RUNS:
        return f"Both sides are the same, and too little was measured to tell the noise: it takes {FEWEST_RUNS} pairs."
    found = (
        f"Both sides are the same: what they differ by is noise. With {counted(mine[0].runs, 'pair')} a change of "
        f"{operation} is found on this machine from: {', '.join(parts)}"
    )
    wrong = [row for row in rows if row.ruling.answer in {Answer.IMPROVED, Answer.REGRESSED}]
    if not wrong:
        return f"{found}."
    named = ", ".join(words.subject(row) for row in wrong)
    return f"{found}. And yet {named} seems to differ: by chance, or something changed between the runs."
