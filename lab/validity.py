"""The gates: is this run to be believed? Asked before any figure is shown (measurement.md §3). Pure.

Every gate answers with a sentence that carries its figures, whether it passed or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lab.gates import design, generator, users_time
from lab.gates.limits import AUTH_OPERATIONS, AUTH_SHARE, FEWEST_BEYOND, RAMP_SHARE, ROWS_PER_USER, sets_up
from lab.gates.observed import Observed
from lab.model.verdict import Exit, Finding, Validity, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.run import Run

__all__ = [
    "AUTH_OPERATIONS",
    "AUTH_SHARE",
    "FEWEST_BEYOND",
    "RAMP_SHARE",
    "ROWS_PER_USER",
    "Observed",
    "gates",
    "recounted",
    "sets_up",
    "validity",
]

GATES: Final = (
    generator.alive,
    generator.count,
    generator.cpu,
    generator.late,
    users_time.little,
    design.dropped,
    design.set_up,
    users_time.stalls,
    design.samples,
    design.shape,
    design.rows,
    design.seats,
    design.auth,
)
"""Every gate, in the order in which they should be read."""


def gates(run: Observed) -> tuple[Finding, ...]:
    """Look at every gate."""
    return tuple(found for gate in GATES for found in gate(run))


def validity(findings: Sequence[Finding]) -> Validity:
    """Give the worst level among the findings."""
    order = list(Validity)
    return max((found.level for found in findings), key=order.index, default=Validity.INVALID)


def recounted(run: Run, answered: int) -> Run:
    """Hold a run that is read again against its folder: one whose records are not all there is INVALID from then on.

    Args:
        run: as `run.json` has it.
        answered: how many answered requests its records hold.
    """
    expected = run.totals.ok + run.totals.failed
    without = run.source is not None and not run.source.samples
    if run.verdict is None or answered == expected or without:
        return run
    sentence = (
        f"its folder holds {answered:,} answered requests, and the run counted {expected:,}: records were changed"
    )
    missing = Finding("records", Validity.INVALID, sentence)
    said = f"{run.scenario.name}: this run cannot be believed: {sentence}."
    findings = (missing, *run.verdict.findings)
    return replace(
        run,
        verdict=Verdict(Validity.INVALID, passed=False, exit_code=int(Exit.INVALID), sentence=said, findings=findings),
    )
