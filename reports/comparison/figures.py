"""What a run brings to a comparison: one number per operation and metric, and all that may forbid to judge by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.model.threshold import Outcome
from lab.model.verdict import Validity
from reports.comparison.metrics import Key


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run of a comparison.

    Attributes:
        run_id: its id, the same for no two runs.
        label: the label that it was run with.
        started: when it was started, ISO 8601 in UTC: the order of runs is by this.
        values: by operation and metric, in base units; None was not measured (or is hidden: too few samples), and
            infinity is "no answer": so many requests failed that the percentile falls among the failures.
        pair: names the pair that it belongs to, the same for its other half; empty where runs are not paired.
        side: what it was in its experiment: `baseline` or `candidate`; empty outside of one.
        validity: whether it can be believed; None when nobody judged it (it was stopped, or goes on).
        findings: the sentences of the gates that did not hold.
        integrity_ok: whether the audit found nothing; None when it could not look.
        integrity: the audit's finding, in a sentence.
        weak: numbers that may be shown and not be judged by, and why.
        bands: the interval of a number within the run, where it was asked for.
        setting: what must be the same for runs to be comparable: a name, and a text to show.
        thresholds: each threshold and what came of it.
        note: what the person noted about it (the hypothesis).
        revision: the git revision that it was made at.
    """

    run_id: str
    label: str
    started: str
    values: Mapping[Key, float | None]
    pair: str = ""
    side: str = ""
    validity: Validity | None = Validity.VALID
    findings: tuple[str, ...] = ()
    integrity_ok: bool | None = True
    integrity: str = ""
    weak: Mapping[Key, str] = field(default_factory=dict)
    bands: Mapping[Key, tuple[float, float]] = field(default_factory=dict)
    setting: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, Outcome] = field(default_factory=dict)
    note: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a name that a person knows it by, and its runs."""

    label: str
    runs: tuple[RunFigures, ...]
    note: str = ""
    revision: str = ""
