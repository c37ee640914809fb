"""Locust's CSV files: figures kept as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.errors import ConfigError, RunError
from lab.importers import figures
from lab.importers.bring import bring
from lab.model.verdict import Validity
from reports.comparison.reading import figures_of
from reports.html import write_html

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Requests/s,Failures/s,50%,99%"
STATS = (
    f'{HEAD}\nPOST,"/book, now",90,5,12,14.25,9.0,0.5,12,120\nGET,/never,0,0,0,0,0,0,N/A,N/A\n'
    ",Aggregated,100,5,11,13.5,10.0,0.5,11,120\n"
)
HISTORY = (
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,Total Request Count\n"
    "1790000000,0,,Aggregated,0.000000,0.000000,N/A,0\n1790000001,20,,Aggregated,9.5,0.0,11,50\n"
    "1790000012,25,,Aggregated,9.5,0.0,11,100\n"
)


def _written(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="\r\n")
    return path


def test_statistics_are_kept_as_they_are(tmp_path: Path) -> None:
    """Every cell of the file is in the run; time and users come from the history."""
    stats = _written(tmp_path, STATS, "load_stats.csv")
    folder = bring(stats, "locust", tmp_path / "runs", history=_written(tmp_path, HISTORY, "load_stats_history.csv"))
    run, kept = folder.load(), figures.load(folder)
    assert kept is not None
    (table,) = kept.tables
    assert table.columns == tuple(HEAD.split(","))
    assert table.rows == (
        ("POST", "/book, now", 90, 5, 12, 14.25, 9.0, 0.5, 12, 120),
        ("GET", "/never", 0, 0, 0, 0, 0, 0, None, None),
        ("", "Aggregated", 100, 5, 11, 13.5, 10.0, 0.5, 11, 120),
    )
    assert any(note.startswith("NO DATA") and "/never" in note for note in kept.notes)
    assert (run.totals.sent, run.totals.ok, run.totals.failed) == (100, 95, 5)
    assert (run.scenario.name, run.scenario.peak, run.scenario.duration) == ("load", 25, 12)
    assert run.started.startswith("2026-09-21T")
    assert run.verdict is not None
    assert run.verdict.validity is Validity.SUSPECT
    assert "13.5" in write_html(folder).read_text(encoding="utf-8")


def test_without_a_history_the_rate_says_how_long_it_took(tmp_path: Path) -> None:
    """The length is what Locust divided by; that nobody knows the users is said, and no comparison is made of it."""
    folder = bring(_written(tmp_path, STATS, "load_stats.csv"), "locust", tmp_path / "runs")
    run, kept = folder.load(), figures.load(folder)
    assert (run.scenario.duration, run.scenario.peak) == (10.0, 0)
    assert kept is not None
    assert any("_stats_history.csv" in note for note in kept.notes)
    with pytest.raises(RunError, match=r"cannot be compared: it was imported from Locust \(statistics\), no samples"):
        figures_of(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STATS.rsplit("\n", 2)[0] + "\n", 'expected a last row "Aggregated"; found 2 rows'),
        (STATS[:-20], "fields; found"),
        (STATS.replace("14.25", "much"), "line 2: expected a figure in Average Response Time; found much"),
        (STATS.replace("14.25", "nan"), "found nan"),
        (HISTORY, "give …_stats.csv first"),
    ],
)
def test_a_cut_off_or_foreign_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """One sentence says what was expected and what was found."""
    with pytest.raises(ConfigError) as error:
        bring(_written(tmp_path, text, "load_stats.csv"), "locust", tmp_path / "runs")
    assert said in str(error.value)


def test_a_history_that_is_none_is_refused(tmp_path: Path) -> None:
    """The second file is looked at as well as the first."""
    stats = _written(tmp_path, STATS, "load_stats.csv")
    with pytest.raises(ConfigError, match=r"expected Locust's …_stats_history\.csv; found Locust's …_stats\.csv"):
        bring(stats, "locust", tmp_path / "runs", history=stats)
