"""A trend in words: what the terminal, the page and the JSON share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units
from reports.comparison import words
from reports.comparison.metrics import WHOLE
from reports.trend.changes import FEWEST, PENALTY, SHORTEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.comparison.metrics import Metric
    from reports.trend.result import Change, Point, Trend

EXPLORATORY: Final = "Exploratory: no verdict. What a change did, runs in pairs tell: airbourne-lab compare."
NAMED: Final = 3
_LONGEST: Final = 60
_TWICE: Final = 2
_PERCENT: Final = 100


def subject(trend: Trend) -> str:
    """Give what a trend is about: `booking p95`."""
    name = words.name(trend.metric)
    whole = trend.operation == WHOLE and trend.metric.name in words.LABELS
    return name if whole else f"{units.plain(trend.operation, _LONGEST)} {name}"


def headline(trend: Trend) -> str:
    """Say in a sentence what is shown, and whether it seems to have changed."""
    first, last = (trend.points[place].started[:10] for place in (0, -1))
    span = f"on {first}" if first == last else f"from {first} to {last}"
    shown = f"{words.capital(subject(trend))} in {counted(len(trend.points), 'run')} {span}"
    if not trend.changes:
        return f"{shown}: {'no change seen' if trend.searched else 'too few to look for changes'}."
    newest = change(trend.metric, trend.changes[-1])
    if len(trend.changes) == 1:
        return f"{shown}: it seems to have changed once, {newest}."
    times = "twice" if len(trend.changes) == _TWICE else f"{len(trend.changes)} times"
    return f"{shown}: it seems to have changed {times}, the last time {newest}."


def change(metric: Metric, found: Change) -> str:
    """Write a change: `76.1ms → 52.3ms (31 % lower)`."""
    before, after = (words.figure(metric, value) for value in (found.before, found.after))
    return f"{before} → {after} ({_movement(metric, found)})"


def _movement(metric: Metric, found: Change) -> str:
    by = (found.size(metric) - (0 if metric.absolute else 1)) * _PERCENT
    size = f"{abs(by):.2f} points" if metric.absolute else f"{abs(by):.0f} %"
    return f"{size} {'higher' if by >= 0 else 'lower'}"


def about(point: Point) -> str:
    """Name what a run was of: its label and its profile, each once."""
    return ", ".join(dict.fromkeys(units.plain(text, _LONGEST) for text in (point.label, point.profile) if text))


def notes(points: Sequence[Point]) -> tuple[str, ...]:
    """Say what a reader of these figures should know."""
    found = []
    profiles = dict.fromkeys(point.profile or "none" for point in points)
    if len(profiles) > 1:
        named = ", ".join(units.plain(profile, _LONGEST) for profile in list(profiles)[:NAMED])
        more = ", …" if len(profiles) > NAMED else ""
        found.append(f"runs of several profiles stand side by side ({named}{more}): choose one with --profile")
    for number, one, many in (
        (sum(point.value is None for point in points), "has no figure", "have no figure"),
        (sum(not point.believed for point in points), "cannot be believed", "cannot be believed"),
        (
            sum(bool(point.weak) and point.value is not None for point in points),
            "rests on few samples (~)",
            "rest on few samples (~)",
        ),
    ):
        if number:
            found.append(f"{counted(number, 'run')} {one if number == 1 else many}{_MEANING[one]}")
    return tuple(found)


_MEANING: Final = {
    "has no figure": ": not measured, or hidden, since too few samples lie beyond it",
    "cannot be believed": " (INVALID, or not judged): shown hollow, and no change is looked for by it",
    "rests on few samples (~)": ": fewer than 100 lie beyond the figure, which may be far off",
}


def method(trend: Trend) -> str:
    """Say how changes are looked for, with the figures to check it."""
    if not trend.searched:
        return f"Changes are looked for in {FEWEST} figures and more."
    scale = "plain figures" if trend.metric.absolute else "logarithms"
    return (
        f"Changes: PELT (ruptures) on the {scale} of {counted(trend.searched, 'figure')}, with a penalty of "
        f"{PENALTY:g} · s² · ln n for each (s: the spread from run to run, from neighbouring runs) and at least "
        f"{SHORTEST} runs between two. Where nothing changes, one is seen in at most one such chart of twenty."
    )
