"""One run, from a folder on disk to a verdict: load, follow, audit, judge."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from lab import afterwards, notification, samples_file, store, surroundings
from lab.afterwards import Followed
from lab.audit import Auditor
from lab.beside import Beside
from lab.breaking import crossing, said
from lab.errors import LabError
from lab.generator import CpuWatch
from lab.load import LoadProcess
from lab.model.crew import Crew
from lab.model.dataset import Dataset
from lab.model.run import DatasetSummary, Pairing, Run, Status
from lab.model.sample import Tick
from lab.model.scenario import Scenario
from lab.model.target import Target
from lab.platform import Client
from lab.probes import Probes
from lab.sinks.config import Sink
from lab.steady import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.model.sample import Tally
    from lab.store import RunFolder

POLL_S: Final = 0.1
KILL_AFTER_S: Final = 15.0
CHANGING: Final = "Changing the load"
"""What a stage begins with that is over at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, against what, and where to keep it.

    `processes` are the main processes of the platform's parts, where they run on this machine; `sink` hears of every
    second; `steering` may change the load while it goes on; `enough` sees every second, and ends a load that has shown
    what it was to show.
    """

    scenario: Scenario
    target: Target
    dataset: Dataset
    dataset_file: Path
    out: Path
    seed: int = 1
    command: str = ""
    label: str = ""
    note: str = ""
    pairing: Pairing | None = None
    profile: str = ""
    backend: str = ""
    time_scale: float = 1.0
    audit: bool = True
    mail_file: Path | None = None
    crew: Crew = field(default_factory=Crew)
    processes: Mapping[str, int] = field(default_factory=dict)
    sink: Sink | None = None
    steering: Steering | None = None
    enough: Callable[[Tick], bool] | None = None


class Observer(Protocol):
    """Watches a run: a live view, or nothing."""

    def stage(self, words: str) -> None:
        """Hear what begins now."""

    def second(self, tally: Tally, tick: Tick | None) -> None:
        """See the run so far; called several times a second, with the newest tick when there is a new one."""


class Steering(Protocol):
    """Who steers a run while it goes on, beside the one at the terminal: the web page, or nobody."""

    def begun(self, folder: RunFolder) -> None:
        """Hear where the run is written, before its load begins."""

    def edits(self) -> list[int]:
        """Give what was asked for since the last call: users, or in an open model iterations per time unit."""


class Interrupts:
    """Counts Ctrl-C (and SIGTERM) instead of raising: the first lets users finish, the second stops at once."""

    def __init__(self) -> None:
        self.count = 0
        self.twice = threading.Event()

    def __call__(self, *_: object) -> None:
        """Note one."""
        self.count += 1
        if self.count > 1:
            self.twice.set()


@contextmanager
def catching_interrupts() -> Iterator[Interrupts]:
    """Count interrupts within the block; the handlers from before come back at its end."""
    found = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before = {number: signal.signal(number, found) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def execute(plan: Plan, observer: Observer, interrupts: Interrupts) -> tuple[RunFolder, Run, Tally]:
    """Run a plan to its verdict.

    Args:
        plan: what to run.
        observer: watches.
        interrupts: how often the user asked to stop; see `catching_interrupts`.

    Returns:
        the run's folder, the run, and the sum of those of its samples that are judged.

    Raises:
        ScenarioError, ScriptError: the user class is missing, or its file raised.
        CallError: the target cannot be read before the load begins.
        RunError: the run folder cannot be written, or the load process could not start.
    """
    scenario = plan.scenario.with_integrity_thresholds() if plan.audit else plan.scenario
    client = Client(plan.target, connections=4)
    client.token = plan.dataset.users[0].token if plan.dataset.users else ""
    auditor = Auditor(client, plan.dataset.flights, interrupts.twice, plan.mail_file) if plan.audit else None
    observer.stage("Reading how many seats are left before the run")
    snapshot = auditor.before() if auditor else None
    folder = store.create(plan.out, scenario.name)
    run = _begun(replace(plan, scenario=scenario), folder)
    folder.save(run)
    if plan.steering is not None:
        plan.steering.begun(folder)
    try:
        load = _follow(run, folder, plan, observer, interrupts)
    except LabError:
        # As it was saved last: with the time at which its load began.
        folder.save(replace(folder.load(), status=Status.CRASHED, ended=_now()))
        raise
    much = samples_file.much(folder)
    if much:
        observer.stage("Adding up what was recorded")
    figures = afterwards.judged(scenario, folder, load)
    run = afterwards.ended(run, load, figures)
    folder.save(run)
    integrity, delays = None, []
    if auditor and snapshot and not interrupts.twice.is_set():
        observer.stage("Auditing: what was sold against what there is")
        integrity = auditor.after(snapshot, folder.ledger)
        began = datetime.fromisoformat(run.load_started or run.started).timestamp()
        delays = notification.ticks(auditor.deliveries, began)
    client.close()
    for tick in delays:
        samples_file.note(folder, tick)
    figures.add(delays)
    run = replace(afterwards.verdict(run, folder, load, figures, integrity), ended=_now())
    if much:
        observer.stage("Writing what was recorded into the run's folder")
    samples_file.close(folder)
    folder.save(run)
    if plan.sink is not None:
        observer.stage("Sending the last points to InfluxDB")
        run = replace(run, sink=plan.sink.end(run, folder, delays))
        folder.save(run)
    return folder, run, figures.tally


def _begun(plan: Plan, folder: RunFolder) -> Run:
    from lab.dataset_file import digest  # noqa: PLC0415 - hashing is not for `--help`

    data = plan.dataset
    return Run(
        id=folder.path.name,
        scenario=plan.scenario,
        target=plan.target,
        seed=plan.seed,
        started=_now(),
        machine=surroundings.machine(),
        packages=surroundings.packages(),
        command=plan.command,
        label=plan.label,
        note=plan.note,
        pairing=plan.pairing,
        profile=plan.profile,
        backend=plan.backend,
        time_scale=plan.time_scale,
        dataset=DatasetSummary(digest(data), len(data.flights), len(data.users), data.seats, data.plan.rng_seed),
        revision=surroundings.revision(),
        workers=plan.crew.size,
        pid=os.getpid(),
        pid_started=surroundings.started(os.getpid()),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _follow(run: Run, folder: RunFolder, plan: Plan, observer: Observer, interrupts: Interrupts) -> Followed:
    """Start the load process and add up what it records until it ends."""
    sums, asked, killed_at = Sums(run.scenario, run.scenario.warmup), 0, 0.0
    cpu, missed, enough = CpuWatch(), None, False
    observer.stage("Starting the load process" if plan.crew.alone else "Starting the master and its workers")
    with (
        LoadProcess(folder, plan.dataset_file, plan.crew) as load,
        Beside(run, folder, Probes({**plan.processes, "load": load.pid}, plan.target), plan.sink) as beside,
    ):
        running = True
        while running:
            running = not load.wait(POLL_S)
            for words in [*load.said(), *filter(None, [beside.news()])]:
                observer.stage(words)
            for recorded in load.ticks():
                tick = beside.second(recorded)
                sums.add(tick)
                cpu.add(tick)
                observer.second(sums.whole, tick)
                enough = enough or (plan.enough is not None and plan.enough(tick))
                if not asked and missed is None:
                    missed = crossing(run.scenario.thresholds, sums.judged, tick.second + 1)
            observer.second(sums.whole, None)
            for number in plan.steering.edits() if plan.steering is not None else ():
                observer.stage(f"{CHANGING}: {number} from now on")
                load.edit(number)
            for _ in range(min(interrupts.count + bool(missed or enough), 2) - asked):
                asked += 1
                killed_at = time.monotonic() + KILL_AFTER_S if asked > 1 else 0.0
                why = f" since {said(missed)} (abortOnFail)" if missed else ", it has shown enough" if enough else ""
                observer.stage("Stopping at once" if asked > 1 else f"Stopping{why}: users finish what they began")
                load.stop()
            if killed_at and time.monotonic() > killed_at:
                break
        return Followed(sums, cpu.shares, load.end(), beside.run.load_started, missed, enough and not interrupts.count)
