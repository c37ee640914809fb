"""The HTML report of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.importers import figures as kept
from lab.model.histogram import Histogram
from reports import audit, charts, frame, notified, offline, sampled, spent, tables, words
from reports.attribution import charts as attribution
from reports.attribution import reading
from reports.attribution.reading import Attribution
from reports.attribution.shares import shares
from reports.tables import SHARES

if TYPE_CHECKING:
    from pathlib import Path

    from lab.importers.figures import Figures
    from lab.store import RunFolder
    from reports.frame import RunData


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run's target told beside its answers: where the time went, and how long mails took."""

    times: Attribution = field(default_factory=Attribution)
    delays: Histogram = field(default_factory=Histogram)


def write_html(folder: RunFolder) -> Path:
    """Write a run's report into its folder.

    Args:
        folder: a run that is closed, goes on, or was killed.

    Returns:
        The path of the file.

    Raises:
        RunError: the run cannot be read, or the file not be written.
    """
    data = frame.load(folder)
    offline.write(folder.report, render(data, kept.load(folder), beside(folder, data.run.warmup)))
    return folder.report


def beside(folder: RunFolder, warmup: int) -> Beside:
    """Read what a run's target told beside its answers; the first seconds, as many as `warmup`, are not judged.

    Raises:
        RunError: the samples cannot be read.
    """
    return Beside(reading.load(folder, warmup), sampled.delays(folder, warmup))


def render(data: RunData, figures: Figures | None = None, told: Beside | None = None) -> str:
    """Give the whole page.

    Args:
        data: the run and its figures.
        figures: of the file that it was imported from.
        told: what its target told beside its answers.
    """
    told, run = told or Beside(), data.run
    drawn = [*charts.charts(data), *attribution.charts(told.times, data.seconds)]
    return offline.page(
        "run.html.j2",
        {chart.id: chart.figure for chart in drawn if chart.figure},
        run=run,
        imported=figures,
        data=data,
        head=words.headline(run),
        lines=audit.lines(run.integrity),
        reasons=words.failed_reasons(run),
        charts=drawn,
        shares=shares(told.times.operations),
        operations=tables.operations(data),
        share_names=[tables.share_name(share) for share in SHARES],
        dropped=tables.dropped(data),
        failures=tables.failures(data),
        checks=tables.checks(data),
        custom=tables.custom_metrics(data),
        generator=tables.generator(data),
        platform=spent.facts(data),
        notified=notified.sentence(run, told.delays),
        words=words,
    )
