"""From run folders to a trend: the runs that can be held side by side with the newest one, and why others cannot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, RunError, nearest
from lab.model.run import Status
from lab.model.words import counted
from reports import units
from reports.comparison.metrics import METRICS, NAMES
from reports.comparison.reading import figures_of, setting
from reports.trend import words
from reports.trend.changes import FEWEST, changes, usable
from reports.trend.result import Point, Trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lab.model.run import Run
    from lab.store import RunFolder
    from reports.comparison.figures import RunFigures
    from reports.comparison.metrics import Metric

Found = tuple["RunFolder", "Run"]
MOST_VALUES: Final = 3
SHOWN: Final = 60


def asked(text: str) -> tuple[str, Metric]:
    """Read `operation:metric`.

    Raises:
        ConfigError: it is of another form, or there is no such metric.
    """
    operation, colon, name = text.rpartition(":")
    if not colon or not operation:
        raise ConfigError(f'--metric "{text}": write OPERATION:METRIC, like booking:p95 or all:throughput')
    if name not in NAMES:
        raise ConfigError(f'--metric "{text}": there is no metric "{name}"{nearest(name, NAMES)}')
    return operation, next(metric for metric in METRICS if metric.name == name)


def trend(found: Iterable[Found], operation: str, metric: Metric, on_run: Callable[[int, int], None]) -> Trend:
    """Follow a metric over the runs that can be held side by side with the newest of those that were found.

    Args:
        found: runs, in any order.
        operation: which operation.
        metric: which metric.
        on_run: hears how many runs of how many have been read.

    Raises:
        RunError: there is no run that a figure can be taken from.
        ConfigError: none of these runs has such an operation, or not this figure of it.
    """
    ordered = sorted(found, key=lambda pair: (pair[1].started, pair[1].id))
    whole = [pair for pair in ordered if not _why_not(pair[1])]
    reasons = Counter(reason for _, run in ordered if (reason := _why_not(run)))
    left_out = [f"{counted(count, 'run')}: {reason}" for reason, count in reasons.items()]
    if not whole:
        told = f" ({'; '.join(left_out)})" if left_out else ""
        raise RunError(f"there is no run to show a trend of{told}; list them with: airbourne-lab runs")
    common = setting(whole[-1][1])
    alike = [pair for pair in whole if setting(pair[1]) == common]
    left_out += _differing(common, [setting(run) for _, run in whole])
    read, unreadable = _read(alike, on_run)
    left_out += unread(unreadable)
    if not read:
        raise RunError(f"no run can be read to show a trend of: {unreadable[0]}")
    _known(read, operation, metric)
    points = tuple(_point(run, figures, (operation, metric.name)) for run, figures in read)
    found_changes, searched = changes(metric, points), len(usable(metric, points))
    return Trend(
        operation,
        metric,
        points,
        found_changes,
        searched if searched >= FEWEST else 0,
        tuple(left_out),
        words.notes(points),
        tuple(common.items()),
    )


def unread(errors: Sequence[RunError]) -> list[str]:
    """Say that runs cannot be read, and what is wrong with the first of them."""
    return [f"{counted(len(errors), 'run')} that cannot be read: {units.plain(str(errors[0]), 200)}"] if errors else []


def _why_not(run: Run) -> str:
    if run.source and not run.source.samples:
        return "imported without samples"
    return "" if run.status is Status.FINISHED else "did not come to the end"


def _differing(common: Mapping[str, str], others: Iterable[Mapping[str, str]]) -> list[str]:
    """Say by what the runs that are not like the newest one differ from it: the first of it, for each."""
    values: dict[str, Counter[str]] = {}
    for other in others:
        names = dict.fromkeys((*common, *other))
        name = next((name for name in names if common.get(name) != other.get(name)), "")
        if name:
            values.setdefault(name, Counter())[other.get(name, "not known")] += 1
    said = []
    for name, counts in values.items():
        shown = [units.plain(value, SHOWN) for value in list(counts)[:MOST_VALUES]]
        more = ", …" if len(counts) > MOST_VALUES else ""
        newest = units.plain(common.get(name, "not known"), SHOWN)
        said.append(f"{counted(counts.total(), 'run')}: {name} {', '.join(shown)}{more} instead of {newest}")
    return said


def _read(
    found: Sequence[Found], on_run: Callable[[int, int], None]
) -> tuple[list[tuple[Run, RunFigures]], list[RunError]]:
    read, unreadable = [], []
    for number, (folder, run) in enumerate(found, 1):
        on_run(number, len(found))
        try:
            read.append((run, figures_of(folder)))
        except RunError as error:
            unreadable.append(error)
    return read, unreadable


def _known(read: Iterable[tuple[Run, RunFigures]], operation: str, metric: Metric) -> None:
    """Refuse a figure that none of the runs has, and name the nearest that there is."""
    keys = dict.fromkeys(key for _, figures in read for key in figures.values)
    if (operation, metric.name) in keys:
        return
    operations = dict.fromkeys(name for name, _ in keys)
    if operation not in operations:
        known = [units.plain(name, SHOWN) for name in operations]
        raise ConfigError(f'--metric: no run has an operation "{operation}"{nearest(operation, known)}')
    names = [name for of, name in keys if of == operation]
    others = [units.plain(of, SHOWN) for of, name in keys if name == metric.name]
    if others:
        raise ConfigError(f'--metric: no run has {metric.name} of "{operation}"; it is known of {", ".join(others)}')
    raise ConfigError(f'--metric: no run has {metric.name} of "{operation}"{nearest(metric.name, names)}')


def _point(run: Run, figures: RunFigures, key: tuple[str, str]) -> Point:
    return Point(
        run_id=run.id,
        started=run.started,
        label=run.label,
        profile=run.profile,
        revision=figures.revision,
        validity=figures.validity,
        value=figures.values.get(key),
        weak=figures.weak.get(key, ""),
    )
