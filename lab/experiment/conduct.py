"""Make an experiment's runs, pair by pair: what is left of it, in its order, written down after every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from lab import runner
from lab.errors import LabError, StoppedError
from lab.experiment.prepare import Places, prepared
from lab.model.crew import Crew
from lab.model.dataset import Dataset
from lab.model.experiment import TRIES, Attempt, Experiment, State, Turn
from lab.model.run import Pairing, Status
from lab.model.scenario import Scenario
from lab.model.target import Target
from lab.model.verdict import Exit, Validity
from lab.sinks.config import Sink
from lab.stack.state import StackState

if TYPE_CHECKING:
    from lab.experiment.folder import ExperimentFolder
    from lab.model.run import Run
    from lab.store import RunFolder


class Watching(runner.Observer, Protocol):
    """Watches an experiment: what a run's observer hears, and what becomes of its runs and pairs."""

    def turn(self, turn: Turn, number: int, again: bool) -> None:  # noqa: FBT001 - a fact, no switch
        """Hear which run begins, the how many-th it is, and whether it is tried again."""

    def made(self, attempt: Attempt, folder: RunFolder | None) -> None:
        """See a run that was tried."""

    def pair(self, experiment: Experiment) -> bool:
        """See the experiment after a pair; gives whether the answer is there, so that no more runs are needed."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What runs are made with.

    Attributes:
        scenario: the same in all of them.
        out: where their folders are made.
        places: what the sides stand on.
        choose: gives the data for a target; a platform of the lab's own is filled first.
        crew: who makes the load.
        time_scale: what the scenario's time was multiplied by.
        audit: whether it is checked what was sold.
        sink: gives who hears of a run's seconds, a new one for each run; None for nobody.
    """

    scenario: Scenario
    out: Path
    places: Places
    choose: Callable[[Target, StackState | None], tuple[Dataset, Path]]
    crew: Crew = field(default_factory=Crew)
    time_scale: float = 1.0
    audit: bool = True
    sink: Callable[[], Sink | None] = lambda: None


def conduct(
    experiment: Experiment, folder: ExperimentFolder, kit: Kit, watching: Watching, interrupts: runner.Interrupts
) -> Experiment:
    """Make the runs that are left.

    Returns:
        the experiment when its pairs are made, or its answer is there.

    Raises:
        StoppedError: the user asked to stop; what was made is written down.
        LabError: the first run of a side failed as often as it was tried: nothing will come of the others.
        RunError: somebody else is at it.
    """
    with folder.alone():
        return _conducted(experiment, folder, kit, watching, interrupts)


def _conducted(
    experiment: Experiment, folder: ExperimentFolder, kit: Kit, watching: Watching, interrupts: runner.Interrupts
) -> Experiment:
    experiment = experiment.taken_up()
    # An answer that is there stays: a look more, after more pairs, would be another experiment.
    if experiment.state is State.SETTLED:
        return experiment
    if experiment.until_settled and experiment.complete and watching.pair(experiment):
        # Killed between the last pair and writing down that it settled it.
        experiment = replace(experiment, state=State.SETTLED)
        folder.save(experiment)
        return experiment
    experiment = replace(experiment, state=State.OPEN)
    folder.save(experiment)
    while (pair := experiment.next_pair) <= experiment.pairs:
        for turn in experiment.order(pair):
            experiment = _tried(experiment, turn, folder, kit, watching, interrupts)
            if experiment.over(pair):
                break
        if watching.pair(experiment):
            experiment = replace(experiment, state=State.SETTLED)
            break
    experiment = experiment if experiment.state is State.SETTLED else replace(experiment, state=State.DONE)
    folder.save(experiment)
    return experiment


def _tried(  # noqa: PLR0913, PLR0917 - one run needs all that the experiment has
    experiment: Experiment,
    turn: Turn,
    folder: ExperimentFolder,
    kit: Kit,
    watching: Watching,
    interrupts: runner.Interrupts,
) -> Experiment:
    """Make one run, and once more if it failed."""
    for number in range(TRIES):
        again = number > 0
        watching.turn(turn, sum(one.counts for one in experiment.attempts) + 1, again)
        began = monotonic()
        made, run, error = None, None, None
        try:
            made, run = _run(experiment, turn, kit, watching, interrupts)
        except StoppedError:
            raise
        except LabError as caught:
            error = caught
        if interrupts.count:
            raise StoppedError("")
        failure = str(error) if error else _failure(run)
        counts = not failure or (number == TRIES - 1 and error is None and _comparable(run))
        attempt = Attempt(turn, run.id if run else "", failure, counts, monotonic() - began)
        experiment = experiment.with_attempt(attempt)
        folder.save(experiment)
        watching.made(attempt, made)
        if kit.places.pause(experiment.cool_down):
            raise StoppedError("")
        if counts:
            break
        if number == TRIES - 1 and error is not None and not experiment.ever_made(turn.label):
            raise error
    return experiment


def _run(
    experiment: Experiment, turn: Turn, kit: Kit, watching: Watching, interrupts: runner.Interrupts
) -> tuple[RunFolder, Run]:
    arm = experiment.arm(turn.label)
    with prepared(arm, kit.places, watching.stage) as (target, state):
        watching.stage("Filling it with the data")
        data, file = kit.choose(target, state)
        if interrupts.count:
            raise StoppedError("")
        folder, run, _ = runner.execute(
            runner.Plan(
                kit.scenario,
                target,
                data,
                file,
                kit.out,
                seed=experiment.seed,
                command=experiment.command,
                label=arm.label,
                note=arm.note,
                pairing=Pairing(experiment.id, turn.pair, arm.label),
                profile=state.profile if state else "",
                backend=state.backend if state else "",
                time_scale=kit.time_scale,
                audit=kit.audit,
                mail_file=state.mail_path if state else None,
                crew=kit.crew,
                processes=state.processes if state else {},
                sink=kit.sink(),
            ),
            watching,
            interrupts,
        )
        return folder, run


def _failure(run: Run | None) -> str:
    """Say why a run is tried again; empty when there is no need."""
    if run is None:
        return "it was not made"
    if run.status is not Status.FINISHED:
        return f"it {run.status}"
    if run.verdict is None:
        return "it was not judged"
    if run.verdict.exit_code == Exit.SCRIPT:
        return f"its script raised: {run.script_errors[0].message}" if run.script_errors else "its script raised"
    if run.verdict.validity is Validity.INVALID:
        bad = [found.sentence for found in run.verdict.findings if found.level is Validity.INVALID]
        return f"it is INVALID: {'; '.join(bad)}"
    return ""


def _comparable(run: Run | None) -> bool:
    """Tell whether a run that failed again still has figures; the comparison says why nothing follows from them."""
    return run is not None and run.status is Status.FINISHED
