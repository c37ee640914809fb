"""A run's summary once more: its sums as they were when it ended, from what its folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import sample_rows, steady
from lab.model.run import Totals
from lab.model.sample import Tick
from lab.validity import recounted
from reports import digest_file

if TYPE_CHECKING:
    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.store import RunFolder


def summed(folder: RunFolder) -> tuple[Run, Tally]:
    """Read a run and sum what is judged of it; one whose records were changed since it ended is INVALID.

    A run that goes on or was killed is summed as far as it came. A folder with nothing but `run.json` has no sums.

    Raises:
        RunError: `run.json` or the samples cannot be read.
    """
    run = folder.load()
    sums = steady.Sums(run.scenario, run.warmup)
    found, series = digest_file.read(folder, run)
    # Of histograms only the sum counts, so that seconds need not be read one by one.
    for second, judged in ((0, False), (run.warmup, True)):
        if trends := found.trends(judged=judged):
            sums.add(Tick(second, trends))
    for tick in sample_rows.seconds(sample_rows.tables([])[0], series):
        sums.add(tick)
    answered = Totals.of(sums.whole)
    tally = sums.judged
    if run.totals.seconds:
        # Mails that come after the load make it no longer.
        tally.seconds = max(run.totals.seconds - run.warmup, 0)
    return recounted(run, answered.ok + answered.failed), tally
