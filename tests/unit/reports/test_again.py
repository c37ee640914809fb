"""The summary of a run can be had again from its folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab import samples_file
from lab.model.sample import SeriesKey, Tally, Tick, TrendKey
from lab.steady import Sums
from reports import again, text
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = synthetic.ticks(60, hostile=synthetic.HOSTILE[:2])
TALLY = synthetic.tally(SECONDS)


def test_it_is_what_stood_at_the_end(tmp_path: Path) -> None:
    """With and without a warm-up the summary from the folder is that of the sums which the run had."""
    for warmup in (0, 20):
        sums = Sums(synthetic.scenario(), warmup)
        for tick in SECONDS:
            sums.add(tick)
        run = replace(synthetic.run(sums.whole), warmup=warmup)
        found, tally = again.summed(synthetic.folder(tmp_path / str(warmup), run, SECONDS))
        assert found == run
        assert text.summary(found, tally, 100) == text.summary(run, sums.judged, 100)


def test_mails_that_come_late_make_the_load_no_longer(tmp_path: Path) -> None:
    """Rates are by the seconds of the load, however long the queue took to drain."""
    run = synthetic.run(TALLY)
    folder = synthetic.folder(tmp_path, run, SECONDS, closed=False)
    late = Tick(95, {TrendKey("notification_delay", "mail", ()): {900: 3}}, gauges={SeriesKey("queue"): 0.0})
    samples_file.note(folder, late)
    samples_file.close(folder)
    _, tally = again.summed(folder)
    assert tally.seconds == len(SECONDS)
    assert sum(h.count for key, h in tally.trends.items() if key.metric == "notification_delay") == 3


def test_a_killed_run_is_summed_as_far_as_it_came(tmp_path: Path) -> None:
    """From its live log, with the seconds that stand there."""
    run = synthetic.run(verdict=None, integrity=None)
    _, tally = again.summed(synthetic.folder(tmp_path, run, SECONDS[:7], closed=False))
    assert text.summary(run, tally) == text.summary(run, synthetic.tally(SECONDS[:7]))
    assert tally.seconds == 7


def test_a_folder_without_samples_has_no_sums(tmp_path: Path) -> None:
    """Only run.json is there: a summary without figures, and no error."""
    folder = synthetic.folder(tmp_path, synthetic.run(verdict=None, integrity=None), closed=False)
    folder.ticks.unlink()
    assert again.summed(folder)[1] == Tally()


def test_records_that_were_changed_make_it_invalid(tmp_path: Path) -> None:
    """A run whose folder holds fewer answers than it counted is not believed."""
    run = synthetic.run(TALLY)
    found, _ = again.summed(synthetic.folder(tmp_path, run, SECONDS[20:]))
    assert found.verdict is not None
    assert found.verdict.validity == "INVALID"
    assert "records were changed" in found.verdict.sentence
