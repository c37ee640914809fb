"""What a reader brings home from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.importers.figures import Table
from lab.model.run import Totals
from lab.model.threshold import ThresholdResult

if TYPE_CHECKING:
    from lab.importers.filling import Filling
    from lab.model.sample import Tally


@dataclass(frozen=True, slots=True)
class Found:
    """A run as a file tells it.

    Attributes:
        tool: who made it.
        form: what kind of file it is, in words.
        seconds: how long it took; 0 where the file does not say.
        peak: its most users; 0 where the file does not say.
        totals: its requests, iterations and checks.
        began: seconds since 1970; None where the file does not say.
        thresholds: how they ended.
        samples: whether the file holds single requests.
        tables: its figures, where it holds none.
        notes: what a reader has to know.
    """

    tool: str
    form: str
    seconds: float
    peak: int
    totals: Totals
    began: float | None = None
    thresholds: tuple[ThresholdResult, ...] = ()
    samples: bool = False
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


def of_samples(tool: str, form: str, filling: Filling, tally: Tally, notes: tuple[str, ...], **more: Any) -> Found:
    """Make what samples come to, and say which of them could not be kept apart."""
    said = list(notes)
    if filling.early:
        said.append(
            f"{filling.early:,} samples lie before the file's first two minutes: they stand in its first second"
        )
    if filling.other:
        said.append(f"{filling.other:,} samples have more different names and tags than can be kept apart: see (other)")
    return Found(
        tool,
        form,
        float(tally.seconds),
        round(filling.peak("vus")),
        Totals.of(tally),
        began=filling.began,
        samples=True,
        notes=tuple(said),
        **more,
    )
