"""How an experiment's runs are made: in order, again where one failed, written down, and resumable."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from lab import runner
from lab.errors import RunError, StackError, StoppedError
from lab.experiment import conduct as conducting
from lab.experiment.conduct import Kit, conduct
from lab.experiment.folder import ExperimentFolder
from lab.experiment.prepare import Places
from lab.model.dataset import Dataset, SeedPlan
from lab.model.experiment import Arm, Experiment, Kind, Making, State
from lab.model.run import Status
from lab.model.target import local_target
from lab.model.verdict import Finding, Validity, Verdict
from tests import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.model.experiment import Attempt, Turn

VALID = Verdict(Validity.VALID, passed=True, exit_code=0, sentence="")
INVALID = Verdict(
    Validity.INVALID,
    passed=False,
    exit_code=98,
    sentence="",
    findings=(Finding("count", Validity.INVALID, "9 requests are missing"),),
)


@dataclass
class World:
    """Makes runs without load, and hears what the experiment tells."""

    outcomes: list[Any] = field(default_factory=list)
    plans: list[runner.Plan] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    enough: int = 99

    def execute(self, plan: runner.Plan, _observer: object, _interrupts: object) -> tuple[Any, Any, Any]:
        """Give the next outcome: a verdict, or an error that is raised."""
        self.plans.append(plan)
        outcome = self.outcomes.pop(0) if self.outcomes else VALID
        if isinstance(outcome, Exception):
            raise outcome
        run = replace(synthetic.run(), id=f"run{len(self.plans)}", status=Status.FINISHED, verdict=outcome)
        return None, run, None

    def stage(self, words: str) -> None:
        """Hear a stage."""

    def second(self, tally: object, tick: object) -> None:
        """Hear a second."""

    def turn(self, turn: Turn, number: int, again: bool) -> None:  # noqa: FBT001 - as the protocol has it
        """Hear which run begins."""
        self.told.append(f"{number}: {turn.pair} {turn.label}{' again' if again else ''}")

    def made(self, attempt: Attempt, _folder: object) -> None:
        """See a run."""
        if attempt.failure:
            self.told.append(attempt.failure)

    def pair(self, experiment: Experiment) -> bool:
        """Say whether there are enough pairs."""
        return experiment.complete >= self.enough


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Put made-up runs and platforms in the place of real ones."""
    found = World()

    @contextmanager
    def prepared(_arm: Arm, _places: Places, _stage: object) -> Iterator[tuple[Any, None]]:
        yield local_target(), None

    monkeypatch.setattr(conducting, "prepared", prepared)
    monkeypatch.setattr(runner, "execute", found.execute)
    return found


@pytest.fixture
def go(tmp_path: Path, world: World) -> Callable[..., Experiment]:
    """Conduct an experiment of two pairs, or go on with it."""
    folder = ExperimentFolder(tmp_path)
    arms = (Arm("a", Kind.PROFILE, "as-found"), Arm("b", Kind.PROFILE, "safe", note="seats by one statement"))
    first = Experiment("x", "2026-11-23T12:00:00+00:00", arms, 2, 7, Making("smoke"), until_settled=True)
    interrupts = runner.Interrupts()

    def conducted(*, resume: bool = False, interrupt: bool = False) -> Experiment:
        interrupts.count = int(interrupt)
        places = Places(tmp_path, None, {}, tmp_path / "commands.log", lambda _: interrupts.count > 0)
        kit = Kit(
            synthetic.scenario(),
            tmp_path,
            places,
            lambda *_: (Dataset("x", SeedPlan(), (), ()), tmp_path / "data.json"),
        )
        return conduct(folder.load() if resume else first, folder, kit, world, interrupts)

    return conducted


def test_every_run_is_made_once_in_the_drawn_order(go: Callable[..., Experiment], world: World) -> None:
    """Both sides of each pair, with the experiment's seed, their label, their note and their place in it."""
    found = go()
    order = [turn for pair in (1, 2) for turn in found.order(pair)]
    assert [(plan.pairing.pair, plan.pairing.side) for plan in world.plans if plan.pairing] == [
        (turn.pair, turn.label) for turn in order
    ]
    assert {plan.seed for plan in world.plans} == {7}
    assert {(plan.label, plan.note) for plan in world.plans} == {("a", ""), ("b", "seats by one statement")}
    assert (found.complete, found.state) == (2, State.DONE)


def test_a_run_that_failed_is_made_once_more(go: Callable[..., Experiment], world: World) -> None:
    """An error or an INVALID run does not count, and the second try does."""
    world.outcomes = [StackError("no port is free"), VALID, INVALID, VALID]
    found = go()
    assert [one.counts for one in found.attempts] == [False, True, False, True, True, True]
    assert found.complete == 2
    assert "no port is free" in world.told
    assert "it is INVALID: 9 requests are missing" in world.told


def test_a_run_that_is_invalid_twice_counts_and_is_named(go: Callable[..., Experiment], world: World) -> None:
    """Its figures are there, and the comparison says that nothing follows from them."""
    world.outcomes = [VALID, VALID, INVALID, INVALID]
    found = go()
    assert found.complete == 2
    assert [one.failure for one in found.attempts if one.counts and one.failure] == [
        "it is INVALID: 9 requests are missing"
    ]


def test_a_pair_whose_run_cannot_be_made_is_given_up(go: Callable[..., Experiment], world: World) -> None:
    """The other pairs are made all the same."""
    world.outcomes = [VALID, VALID, VALID, StackError("gone"), StackError("gone")]
    found = go()
    assert (found.complete, found.state) == (1, State.DONE)


def test_where_the_very_first_run_cannot_be_made_nothing_is(go: Callable[..., Experiment], world: World) -> None:
    """The error is the experiment's own, after the second try."""
    world.outcomes = [StackError("no MariaDB"), StackError("no MariaDB")]
    with pytest.raises(StackError, match="no MariaDB"):
        go()
    assert len(world.plans) == 2


def test_it_goes_on_where_it_was_stopped(go: Callable[..., Experiment], world: World) -> None:
    """A half-made pair is made again, and what was made before stays."""
    world.outcomes = [VALID, VALID, VALID, StoppedError("stopped")]
    with pytest.raises(StoppedError):
        go()
    found = go(resume=True)
    assert found.complete == 2
    assert sorted(found.runs_of("a") + found.runs_of("b")) == ["run1", "run2", "run5", "run6"]


def test_an_interrupt_makes_no_further_run(go: Callable[..., Experiment], world: World) -> None:
    """The run that goes on is not counted."""
    with pytest.raises(StoppedError):
        go(interrupt=True)
    assert go(resume=True).complete == 2
    assert len([one for one in world.told if one.startswith("1: ")]) == 2


def test_a_side_that_can_never_be_made_ends_it(go: Callable[..., Experiment], world: World) -> None:
    """Where one side works and the other does not, nobody waits for all the pairs to fail."""
    world.outcomes = [VALID, StackError("no such branch"), StackError("no such branch")]
    with pytest.raises(StackError, match="no such branch"):
        go()
    assert len(world.plans) == 3


def test_nobody_goes_on_with_what_goes_on(go: Callable[..., Experiment], tmp_path: Path) -> None:
    """Two terminals with one experiment would write over each other."""
    with ExperimentFolder(tmp_path).alone(), pytest.raises(RunError, match="goes on in another terminal"):
        go()
    assert go().complete == 2


def test_it_ends_when_the_answer_is_there(go: Callable[..., Experiment], world: World) -> None:
    """No further pair is made than is needed."""
    world.enough = 1
    found = go()
    assert (found.complete, found.state, len(world.plans)) == (1, State.SETTLED, 2)


def test_an_answer_that_is_there_is_not_looked_for_again(
    go: Callable[..., Experiment], world: World, tmp_path: Path
) -> None:
    """A settled experiment that is taken up makes no run; nor one that was killed before it wrote that it is."""
    world.enough = 1
    found = go()
    assert go(resume=True) == found
    ExperimentFolder(tmp_path).save(replace(found, state=State.OPEN))
    assert go(resume=True).state is State.SETTLED
    assert len(world.plans) == 2


def test_what_stopped_the_very_first_run_costs_no_pair(go: Callable[..., Experiment], world: World) -> None:
    """Once it is put right, all pairs are made."""
    world.outcomes = [StackError("no MariaDB"), StackError("no MariaDB")]
    with pytest.raises(StackError, match="no MariaDB"):
        go()
    assert go(resume=True).complete == 2
