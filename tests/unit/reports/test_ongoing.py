"""An experiment's comparison: its own sides, the levels of its looks, and the noise of two identical sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lab import store
from lab.errors import ConfigError, NotComparableError, RunError
from lab.experiment.folder import ExperimentFolder
from lab.model.experiment import Arm, Attempt, Experiment, Kind, Making, State
from lab.model.run import Pairing, Status
from lab.store import RunFolder
from reports.comparison import files
from reports.comparison.experiments import arms, levels
from reports.comparison.metrics import METRICS
from reports.comparison.ongoing import Ongoing, settled
from reports.comparison.sides import sides
from reports.stats.ruling import Levels
from reports.stats.sequential import looks
from tests import synthetic

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(out: Path, pairs: int, labels: tuple[str, str] = ("as-found", "safe"), **changes: object) -> Experiment:
    """Write an experiment whose runs differ by their seconds only, and its folder."""
    names = [label.partition(" ")[0] for label in labels]
    sides_of = tuple(Arm(label, Kind.PROFILE, name) for label, name in zip(labels, names, strict=True))
    folder = store.create(out, "experiment-ramp").path
    found = Experiment(folder.name, BEGAN.isoformat(), sides_of, max(pairs, 6), 1, Making("ramp"))
    found = replace(found, **changes)  # type: ignore[arg-type]  # by name
    for pair in range(1, pairs + 1):
        for turn in found.order(pair):
            number = len(found.attempts)
            run = store.create(out, f"r{number}")
            told = replace(
                synthetic.run(),
                id=run.path.name,
                label=turn.label,
                status=Status.FINISHED,
                started=(BEGAN + timedelta(minutes=number)).isoformat(),
                pairing=Pairing(found.id, pair, turn.label),
            )
            run.save(told)
            seconds = synthetic.ticks(8, number)
            run.ticks.write_text("".join(tick.to_json() + "\n" for tick in seconds), encoding="utf-8")
            found = found.with_attempt(Attempt(turn, run.path.name, "", counts=True, seconds=1.0))
    ExperimentFolder(folder).save(found)
    return found


def test_an_experiment_is_compared_by_its_name(tmp_path: Path) -> None:
    """Its own sides, pair by pair; the same as what it saw while it went on."""
    experiment = made(tmp_path, 6)
    found = files.compared([experiment.id], tmp_path, METRICS, 0.05, force=False)
    assert (found.baseline.label, [side.label for side in found.candidates]) == ("as-found", ["safe"])
    assert {row.runs for row in found.rows} == {6}
    assert all(row.paired for row in found.rows if row.effect)
    assert Ongoing(tmp_path).comparison(experiment) == found


def test_a_pair_that_is_not_whole_is_nobodys(tmp_path: Path) -> None:
    """A run whose other half is missing is left out of both sides."""
    experiment = made(tmp_path, 3)
    cut = replace(experiment, attempts=experiment.attempts[:-1])
    assert [len(side.runs) for side in arms(cut, tmp_path)] == [2, 2]
    none = replace(experiment, attempts=experiment.attempts[:1])
    with pytest.raises(RunError, match="no whole pair"):
        Ongoing(tmp_path).comparison(none)


def test_one_side_of_an_experiment_can_be_named(tmp_path: Path) -> None:
    """Beside something else an experiment stands for its candidate, and EXPERIMENT:LABEL for that side."""
    one, two = made(tmp_path, 1), made(tmp_path, 1)
    found = sides([f"{one.id}:as-found", two.id], tmp_path)
    assert [side.label for side in found] == ["as-found", "safe"]
    assert found[1].runs[0].pair == f"{two.id} 1"
    with pytest.raises(ConfigError, match='has no side "saf"; did you mean "safe"'):
        sides([f"{one.id}:saf", two.id], tmp_path)


def test_a_look_after_each_pair_is_held_to_its_own_level(tmp_path: Path) -> None:
    """Only an experiment that may stop early pays for its looks."""
    plain = replace(made(tmp_path, 7), pairs=9)
    looking = replace(plain, until_settled=True)
    assert levels(plain, Levels()) == Levels()
    assert levels(looking, Levels()) == looks(9)[1].levels
    assert Ongoing(tmp_path).comparison(looking).levels.alpha < 0.05


def test_two_identical_sides_tell_the_noise(tmp_path: Path) -> None:
    """An A/A experiment says from which size on a change would be seen, and no side is better."""
    experiment = made(tmp_path, 6, ("safe A", "safe B"))
    found = Ongoing(tmp_path).comparison(experiment)
    assert found.headline.startswith("Both sides are the same: what they differ by is noise. With 6 pairs")
    assert "throughput" in found.headline


def test_it_is_settled_when_no_row_waits_for_more_pairs(tmp_path: Path) -> None:
    """Before the sixth pair nothing is settled; a row with a gate in its way waits for nothing."""
    few = Ongoing(tmp_path).comparison(made(tmp_path, 2))
    assert not settled(few)
    gated = replace(few, rows=tuple(replace(row, ruling=replace(row.ruling, open=False)) for row in few.rows))
    assert settled(gated)


def test_it_is_shown_again_as_it_was_held(tmp_path: Path) -> None:
    """By its own alpha unless another is named, and at its look's level whichever way its two sides are named."""
    experiment = made(tmp_path, 7, alpha=0.01, until_settled=True)
    held = Ongoing(tmp_path).comparison(experiment).levels
    for references in ([experiment.id], [f"{experiment.id}:as-found", f"{experiment.id}:safe"]):
        assert files.compared(references, tmp_path, METRICS, None, force=False).levels == held
    assert files.compared([experiment.id], tmp_path, METRICS, 0.05, force=False).levels != held


def test_an_experiment_is_found_with_its_runs_by_its_path(tmp_path: Path) -> None:
    """Wherever the command is run."""
    experiment = made(tmp_path / "there", 1)
    found = sides([str(tmp_path / "there" / experiment.id)], tmp_path / "here")
    assert [len(side.runs) for side in found] == [1, 1]


def test_a_side_that_moved_meanwhile_is_refused(tmp_path: Path) -> None:
    """Where the sides are is what is compared only where each of them stays in its place."""
    experiment = made(tmp_path, 2)
    moved = RunFolder(tmp_path / experiment.runs_of("safe")[1])
    moved.save(replace(moved.load(), backend="services"))
    with pytest.raises(NotComparableError, match="target differs"):
        files.compared([experiment.id], tmp_path, METRICS, None, force=False)


def test_two_deployments_are_compared_within_their_experiment_only(tmp_path: Path) -> None:
    """Beside another experiment, where a side stands is a difference again."""
    there = (Arm("as-found", Kind.TARGET, "one.toml"), Arm("safe", Kind.TARGET, "two.toml"))
    one, two = (made(tmp_path, 1, arms=there) for _ in range(2))
    for label, experiment in ((label, each) for label in ("as-found", "safe") for each in (one, two)):
        run = RunFolder(tmp_path / experiment.runs_of(label)[0])
        told = run.load()
        run.save(replace(told, backend="", target=replace(told.target, name=label)))
    assert files.compared([one.id], tmp_path, METRICS, None, force=False).forced == ()
    with pytest.raises(NotComparableError, match="target differs"):
        files.compared([f"{one.id}:as-found", f"{two.id}:safe"], tmp_path, METRICS, None, force=False)


def test_what_nothing_could_fail_on_is_said_before_runs_are_made() -> None:
    """A mistyped word is not found out after hours."""
    files.check_fail_on("")
    with pytest.raises(ConfigError, match='--fail-on "regresed"; did you mean "regressed"'):
        files.check_fail_on("regresed")


def test_who_reads_it_before_its_end_is_warned(tmp_path: Path) -> None:
    """Stopping when the answer pleases is no test; a finished experiment says nothing of the kind."""
    experiment = replace(made(tmp_path, 6), pairs=10)
    folder = ExperimentFolder(tmp_path / experiment.id)
    folder.save(experiment)
    early = files.compared([experiment.id], tmp_path, METRICS, 0.05, force=False)
    assert early.warnings[0].startswith("6 of 10 pairs are made: whoever looks before the end")
    folder.save(replace(experiment, state=State.DONE))
    assert "pairs are made" not in str(files.compared([experiment.id], tmp_path, METRICS, 0.05, force=False).warnings)


def test_an_operation_that_is_gone_fails_what_may_not_regress(tmp_path: Path) -> None:
    """A candidate that does nothing at all any more has no figures, and passes nothing."""
    found = Ongoing(tmp_path).comparison(made(tmp_path, 6))
    assert files.exit_code(found, "regressed") == 0
    rows = tuple(replace(row, after=None) if row.metric.name == "throughput" else row for row in found.rows)
    assert files.exit_code(replace(found, rows=rows), "regressed") == 1
