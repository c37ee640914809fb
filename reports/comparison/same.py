"""Whether runs may be compared at all: the same test of the same thing on the same machine, in an order that tells.

What may differ is what the comparison is about: the platform's profile, its revision, its configuration.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, NotComparableError
from reports import units
from reports.stats.order import APART, separation
from reports.stats.ruling import FEWEST_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.comparison.figures import RunFigures, Side

_MOST_VALUES: Final = 4
_LONGEST: Final = 120


def differences(sides: Sequence[Side]) -> tuple[str, ...]:
    """Name all that differs between the runs of these sides and must not, each in a sentence."""
    runs = [(side.label, run) for side in sides for run in side.runs]
    names = dict.fromkeys(name for _, run in runs for name in run.setting)
    if len({run.setting.get("scenario") for _, run in runs}) > 1:
        # Of two scenarios every key may differ: that they are two says it all.
        names = {name: None for name in names if not name.startswith("scenario's ")}
    found = []
    for name in names:
        by_value: dict[str, list[str]] = {}
        for label, run in runs:
            by_value.setdefault(run.setting.get(name, "not known"), []).append(label)
        if len(by_value) > 1:
            found.append(_differs(name, by_value))
    return tuple(found)


def _differs(name: str, by_value: dict[str, list[str]]) -> str:
    """Say which side has which value, and of a side that is at odds with itself how many of its runs."""
    parts = []
    for value, labels in list(by_value.items())[:_MOST_VALUES]:
        where = ", ".join(f"{units.plain(label, 60)} ({count})" for label, count in Counter(labels).items())
        parts.append(f"{units.plain(value, _LONGEST)} in {where}")
    if len(by_value) > _MOST_VALUES:
        parts.append(f"and {len(by_value) - _MOST_VALUES} more")
    return f"{name} differs: {'; '.join(parts)}"


def out_of_order(baseline: Iterable[RunFigures], candidate: Iterable[RunFigures]) -> str:
    """Say why the order of two sides' runs forbids a verdict, or give an empty text."""
    sides = sorted([(run.started, run.run_id, False) for run in baseline])
    others = sorted([(run.started, run.run_id, True) for run in candidate])
    if min(len(sides), len(others)) < FEWEST_RUNS:
        return ""
    order = [is_candidate for *_, is_candidate in sorted([*sides, *others])]
    if separation(order) <= APART:
        return ""
    letters = "".join("B" if is_candidate else "A" for is_candidate in order)
    return (
        f"the runs were not interleaved ({units.plain(letters, 40)}), so that a drift of the machine cannot be told "
        "from an effect of the change; make them in pairs: airbourne-lab experiment"
    )


def check(sides: Sequence[Side], *, force: bool) -> tuple[str, ...]:
    """Refuse runs that are not comparable.

    Returns:
        What differs, for a comparison that is forced.

    Raises:
        NotComparableError: something differs that must not, or runs are not interleaved, and it is not forced.
        ConfigError: a side has no runs, two have one name, or a run stands on two sides.
    """
    _proper(sides)
    baseline, *candidates = sides
    found = [
        *differences(sides),
        *(
            f"{units.plain(side.label, 60)}: {why}"
            for side in candidates
            if (why := out_of_order(baseline.runs, side.runs))
        ),
    ]
    if found and not force:
        raise NotComparableError(
            f"these runs cannot be compared: {'; '.join(found)}. See the figures all the same with --force"
        )
    return tuple(found)


def _proper(sides: Sequence[Side]) -> None:
    for label, count in Counter(side.label for side in sides).items():
        if count > 1:
            raise ConfigError(f'"{units.plain(label, 60)}" is named twice; compare it with something else')
    for side in sides:
        if not side.runs:
            raise ConfigError(f'"{units.plain(side.label, 60)}" has no runs; list them with: airbourne-lab runs')
    for run_id, count in Counter(run.run_id for side in sides for run in side.runs).items():
        if count > 1:
            raise ConfigError(f"run {units.plain(run_id, 60)} stands on two sides, or twice on one; name it once")
