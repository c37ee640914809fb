"""A comparison: numbers in base units, verdicts, warnings as data. Renderers take it and decide nothing."""

from __future__ import annotations

from dataclasses import dataclass

from lab.model.threshold import Outcome
from lab.model.verdict import Validity
from reports import units
from reports.attribution.difference import Difference
from reports.comparison.metrics import Metric
from reports.stats.effect import Effect
from reports.stats.ruling import Levels, Ruling

COMPARISON_VERSION = 1


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader of a row should know: a sentence that may hold for many rows, and this row's figures to it."""

    sentence: str
    figures: str = ""

    def __str__(self) -> str:
        """Write both on one line."""
        return f"{self.sentence}: {self.figures}" if self.figures else self.sentence


@dataclass(frozen=True, slots=True)
class Row:
    """One operation and metric of two sides.

    Attributes:
        operation: which operation; `all` for the whole run.
        metric: which metric, with its margin and direction.
        baseline: the label of the side that is compared with.
        candidate: the label of the side that is judged.
        before: the baseline's figure over its runs (geometric mean; arithmetic where `metric.absolute`), in base
            units; None was not measured, infinity is "no answer".
        after: the candidate's, as `before`.
        change: candidate / baseline, or candidate − baseline where `metric.absolute`; None where there is none.
        interval: the confidence interval of `change` at the row's level; None with fewer than two pairs.
        effect: the estimate that all of it comes from, on the scale of logarithms (or differences).
        p_flip: the p of the sign-flip test, the cross-check; None where runs are not paired.
        q: the p of the t-test, adjusted over the rows of the report; None where nothing may be concluded from it.
        detectable: the smallest change that these runs would find with a probability of 80 %, as a share of the
            baseline (or a difference where `metric.absolute`).
        runs: pairs, or runs of the smaller side where they are not paired.
        ruling: the verdict, why, and what is missing.
        before_band: a single run's figure within the run, low and high; None for more runs.
        after_band: as `before_band`.
        warnings: what a reader of this row should know.
    """

    operation: str
    metric: Metric
    baseline: str
    candidate: str
    before: float | None
    after: float | None
    change: float | None
    interval: tuple[float, float] | None
    effect: Effect | None
    p_flip: float | None
    q: float | None
    detectable: float | None
    runs: int
    ruling: Ruling
    before_band: tuple[float, float] | None = None
    after_band: tuple[float, float] | None = None
    warnings: tuple[Caution, ...] = ()

    @property
    def paired(self) -> bool:
        """Tell whether the row comes from pairs."""
        return self.effect is not None and self.effect.paired


@dataclass(frozen=True, slots=True)
class RunNote:
    """What is said of a single run beside the figures."""

    run_id: str
    started: str
    pair: str
    validity: Validity | None
    findings: tuple[str, ...]
    integrity_ok: bool | None
    integrity: str
    values: tuple[tuple[str, str, float | None], ...]
    thresholds: tuple[tuple[str, Outcome], ...]


@dataclass(frozen=True, slots=True)
class SideNote:
    """A side as a reader should know it: its name, its hypothesis, its revision, its runs."""

    label: str
    note: str
    revision: str
    runs: tuple[RunNote, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """What explains the difference of an operation's median or p95 between two sides, by what their target told."""

    baseline: str
    candidate: str
    operation: str
    difference: Difference

    def __str__(self) -> str:
        """Write it: `booking p95 −38 ms: auth −31, booking.db −9, gateway +2`."""
        return f"{units.plain(self.operation, 60)} {self.difference}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer.

    Attributes:
        headline: the answer in a sentence.
        baseline: the side that is compared with.
        candidates: the sides that are judged, in the order of the iterations.
        rows: each candidate against the baseline (of several candidates: the cumulative effect).
        steps: of several candidates, each but the first against the one before it.
        levels: how sure is sure.
        forced: what differs between the runs and was forced to be left out of account; empty when they are comparable.
        same: what was the same, by name.
        warnings: what a reader of all rows should know.
        because: what explains the differences: of each candidate from the baseline, and of each but the first from the
            one before it; the operation that the platform is there for comes first.
    """

    headline: str
    baseline: SideNote
    candidates: tuple[SideNote, ...]
    rows: tuple[Row, ...]
    steps: tuple[Row, ...]
    levels: Levels
    forced: tuple[str, ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    version: int = COMPARISON_VERSION
    because: tuple[Cause, ...] = ()

    @property
    def single(self) -> bool:
        """Tell whether it is two runs side by side, of which nothing can be concluded."""
        return all(len(side.runs) == 1 for side in (self.baseline, *self.candidates))

    def causes(self, candidate: str, *, step: bool = False) -> list[Cause]:
        """Give what explains a candidate's difference: from the baseline, or as a `step` from the one before it."""
        return [
            cause
            for cause in self.because
            if cause.candidate == candidate and (cause.baseline != self.baseline.label) == step
        ]
