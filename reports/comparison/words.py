"""A comparison's figures and verdicts in words: what the text, the Markdown, the JUnit file and the headline share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.verdict import Validity
from lab.model.words import counted
from reports import units
from reports.comparison.metrics import WHOLE, Unit
from reports.stats.ruling import Answer
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.comparison.metrics import Metric
    from reports.comparison.result import Cause, Comparison, Row, SideNote

MARKS: Final = {
    Answer.IMPROVED: Mark.GOOD,
    Answer.REGRESSED: Mark.BAD,
    Answer.EQUIVALENT: Mark.GOOD,
    Answer.INCONCLUSIVE: Mark.WARN,
    Answer.NO_VERDICT: Mark.NONE,
}
LABELS: Final = {"notification_delay": "notification delay p95", "cpu_per_booking": "CPU per booking"}
HEADINGS: Final = ("", "baseline", "candidate", "ratio [95 %]", "q", "MDE", "pairs", "verdict")
WHERE: Final = "where the difference comes from"
TOGETHER: Final = "all successful requests of a side together: no verdict"
_PERCENT: Final = 100
_SMALL: Final = 0.001
_FINE: Final = 10
_FAR: Final = 100
"""Beyond this many times as much nobody needs to know how much."""


def name(metric: Metric) -> str:
    """Give a metric's name as a person reads it."""
    return LABELS.get(metric.name, metric.name)


def subject(row: Row) -> str:
    """Give what a row is about: `booking p95`."""
    operation = "" if row.operation == WHOLE and row.metric.name in LABELS else f"{units.plain(row.operation, 60)} "
    return f"{operation}{name(row.metric)}"


def capital(text: str) -> str:
    """Write the first letter as a capital one, and leave the others."""
    return text[:1].upper() + text[1:]


def figure(metric: Metric, value: float | None) -> str:
    """Write a figure with its unit."""
    if value is None:
        return units.NO_FIGURE
    if value == float("inf"):
        return units.NO_ANSWER
    if metric.unit in {Unit.TIME, Unit.CPU}:
        return units.duration(value)
    if metric.unit is Unit.SHARE:
        return units.percent(value)
    return f"{value:,.1f}/s" if value >= _FINE else f"{value:.2f}/s"


def change(row: Row) -> str:
    """Write the change and its interval: `0.770 [0.720, 0.820]`, or for a difference `+0.12 [+0.03, +0.21] pt`."""
    if row.change is None:
        return units.NO_FIGURE
    if row.metric.absolute:
        texts = [f"{value * _PERCENT:+.2f}" for value in (row.change, *(row.interval or ()))]
        return f"{_with(texts)} pt"
    return _with([_ratio(value) for value in (row.change, *(row.interval or ()))])


def _ratio(value: float) -> str:
    """Write a ratio; of one that is out of all proportion only that it is, as two pairs' intervals often are."""
    if value > _FAR:
        return f">{_FAR}"
    return f"{value:.3f}" if value >= 1 / _FAR else f"<{1 / _FAR:g}"


def _with(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def movement(row: Row) -> str:
    """Write a change as a person says it: `23 % lower [18, 28]`, `0.3 points higher [0.1, 0.5]`."""
    if row.change is None:
        return "not known"
    neutral = 0.0 if row.metric.absolute else 1.0
    up = row.change >= neutral
    values = [(value - neutral) * _PERCENT * (1 if up else -1) for value in (row.change, *(row.interval or ()))]
    ends = sorted(values[1:])
    # An interval that would be written as one number is written more exactly.
    coarse = min(abs(value) for value in values) >= 1 and len({f"{value:.0f}" for value in values}) > 1
    digits = 2 if row.metric.absolute else 0 if coarse or not ends else 1
    texts = [f"{value:.{digits}f}" for value in (values[0], *ends)]
    unit = "points" if row.metric.absolute else "%"
    return f"{texts[0]} {unit} {'higher' if up else 'lower'}{f' [{texts[1]}, {texts[2]}]' if ends else ''}"


def probability(value: float | None) -> str:
    """Write a p or a q."""
    if value is None:
        return units.NO_FIGURE
    return "<0.001" if value < _SMALL else f"{value:.3f}"


def detectable(row: Row) -> str:
    """Write the smallest effect that the runs would have found: `6 %`, `0.05 pt`."""
    if row.detectable is None:
        return units.NO_FIGURE
    value = row.detectable * _PERCENT
    return f"{value:.2f} pt" if row.metric.absolute else f"{value:.1f} %" if value < _FINE else f"{value:.0f} %"


def runs(row: Row) -> str:
    """Write on how many pairs a row rests."""
    return str(row.runs) if row.paired or row.effect is None else f"{row.runs} (unpaired)"


def verdict(row: Row, letters: Mapping[str, str] | None = None) -> str:
    """Write the verdict with what it lacks: `INCONCLUSIVE (14 pairs more)`; `letters` stand for reasons told below."""
    ruling = row.ruling
    if letter := (letters or {}).get(ruling.reason):
        return f"{ruling.answer} ({letter})"
    if row.runs == 1:
        return str(ruling.answer)
    if ruling.runs_more is not None:
        return f"{ruling.answer} ({more(row)})"
    return f"{ruling.answer} ({units.plain(ruling.reason, 200)})" if ruling.reason else str(ruling.answer)


def more(row: Row) -> str:
    """Write how many pairs are missing: `14 pairs more`."""
    noun = "run" if row.effect is not None and not row.paired else "pair"
    each = " a side" if noun == "run" else ""
    return f"{counted(row.ruling.runs_more or 0, noun)} more{each}"


def margin(metric: Metric) -> str:
    """Write what counts as equivalent: `±10 %`, `±0.1 points`."""
    return f"±{metric.margin * _PERCENT:g} {'points' if metric.absolute else '%'}"


def cells(row: Row, letters: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Give a row's cells, by HEADINGS; `letters` as for `verdict`."""
    return (
        subject(row),
        figure(row.metric, row.before),
        figure(row.metric, row.after),
        change(row),
        probability(row.q),
        detectable(row),
        runs(row),
        verdict(row, letters),
    )


def headings(found: Comparison) -> tuple[str, ...]:
    """Give the headings of `cells`, with the level of the intervals."""
    return tuple(heading.replace("95 %", level(found)) for heading in HEADINGS)


def level(found: Comparison) -> str:
    """Write the level of the intervals: `95 %`."""
    return f"{(1 - found.levels.alpha) * _PERCENT:.4g} %"


def health(side: SideNote) -> str:
    """Say how many of a side's runs are VALID, and whether the audit found something."""
    levels = [run.validity for run in side.runs]
    parts = [f"{levels.count(level)} {level}" for level in Validity if level in levels]
    if None in levels:
        parts.append(f"{levels.count(None)} not judged")
    sound = sum(bool(run.integrity_ok) for run in side.runs)
    audit = "audit clean" if sound == len(side.runs) else f"audit clean in {sound or 'none'} of {len(side.runs)}"
    return f"{counted(len(side.runs), 'run')}: {', '.join(parts)}; {audit}"


def main_causes(causes: Sequence[Cause]) -> list[Cause]:
    """Give what is said of the first operation, which is the one that a reader asks about first."""
    return [cause for cause in causes if cause.operation == causes[0].operation]


def stepped(cause: Cause) -> str:
    """Write what explains an iteration's step: `against safe: booking p95 −3 ms: auth −3`."""
    return f"against {units.plain(cause.baseline, 40)}: {cause}"


def method(found: Comparison) -> str:
    """Say what was done, in plain words."""
    if found.single:
        return (
            "One run each: no verdict. Runs of one and the same system differ too, and by how much cannot be seen from "
            "one of each; bands tell of the seconds within a run (circular block bootstrap)."
        )
    metrics = list(dict.fromkeys(row.metric for row in found.rows))
    margins = ", ".join(f"{name(metric)} {margin(metric)}" for metric in metrics)
    paired = any(row.paired for row in found.rows)
    test = "paired t-test, cross-checked by sign flips" if paired else "Welch's t-test"
    return (
        f"One number per run; ratios from logarithms; {test}; q is p after Benjamini–Hochberg over "
        f"{counted(len(found.rows) + len(found.steps), 'row')}; a difference counts from q ≤ {found.levels.alpha:.3g}; "
        f"EQUIVALENT when two one-sided tests at {found.levels.equivalence:.3g} place it within {margins}; "
        "MDE is the smallest effect that these runs find in 80 % of the cases."
    )
