"""A run's summary once more: its sums as they were when it ended, from what its folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab import samples_file, steady
from lab.model.run import Totals
from lab.validity import recounted

if TYPE_CHECKING:
    import pyarrow as pa

    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.store import RunFolder

_KINDS: Final = ("metric", "name", "tags", "outcome", "clock", "bin")


def summed(folder: RunFolder) -> tuple[Run, Tally]:
    """Read a run and sum what is judged of it; one whose records were changed since it ended is INVALID.

    A run that goes on or was killed is summed as far as it came. A folder with nothing but `run.json` has no sums.

    Raises:
        RunError: `run.json` or the samples cannot be read.
    """
    run = folder.load()
    sums = steady.Sums(run.scenario, run.warmup)
    if folder.ticks.exists() or folder.samples.exists():
        samples, series = samples_file.read(folder)
        late = samples["second"].to_numpy() >= run.warmup
        # Of histograms only the sum counts, so that seconds need not be read one by one.
        for second, part in ((0, samples.filter(~late)), (run.warmup, samples.filter(late))):
            for tick in samples_file.seconds(_as_one(part, second), series.slice(0, 0)):
                sums.add(tick)
        for tick in samples_file.seconds(samples.slice(0, 0), series):
            sums.add(tick)
    answered = Totals.of(sums.whole)
    tally = sums.judged
    if run.totals.seconds:
        # Mails that come after the load make it no longer.
        tally.seconds = max(run.totals.seconds - run.warmup, 0)
    return recounted(run, answered.ok + answered.failed), tally


def _as_one(samples: pa.Table, second: int) -> pa.Table:
    """Sum histograms over time, as if all of them were of one second."""
    import pyarrow as pa  # noqa: PLC0415 - heavy, and not every command needs it

    found = samples.group_by(list(_KINDS), use_threads=False).aggregate([("count", "sum")])
    found = found.rename_columns([*_KINDS, "count"])
    found = found.add_column(0, "second", pa.repeat(pa.scalar(second, pa.int32()), len(found)))
    return found.select(list(samples_file.SAMPLE_COLUMNS))
