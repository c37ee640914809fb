"""A run: everything that `run.json` says about it. The samples stand beside it in `samples.parquet`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lab.model.sample import FAIL, OK, Tally
from lab.model.scenario import Scenario
from lab.model.target import Target
from lab.model.threshold import Selector, ThresholdResult
from lab.model.verdict import Breaking, Crossing, Integrity, Verdict

RUN_VERSION: Final = 2


class Status(StrEnum):
    """How far a run came: to its end, until the user stopped it, or a threshold with abortOnFail, or it crashed."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    ABORTED = "aborted"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """Which data a run used, without a token or a password in it."""

    digest: str
    flights: int
    users: int
    seats: int
    rng_seed: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the load came from."""

    system: str
    processor: str
    cores: int
    memory_gib: float
    python: str
    host: str


@dataclass(frozen=True, slots=True)
class Revision:
    """The git revision of the folder that the run was started in; `dirty` when it had uncommitted changes."""

    commit: str
    dirty: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Requests: sent = ok + failed + unfinished, or the run is INVALID. `seconds` is the recorded time."""

    sent: int = 0
    ok: int = 0
    failed: int = 0
    unfinished: int = 0
    iterations: int = 0
    iteration_errors: int = 0
    checks_passed: int = 0
    checks_failed: int = 0
    seconds: int = 0

    @classmethod
    def of(cls, tally: Tally) -> Totals:
        """Count what a tally holds."""
        requests = Selector("http_req_duration")
        hits, checks = tally.rate(Selector("checks"))
        return cls(
            sent=tally.counter("sent"),
            ok=tally.requests(requests, OK),
            failed=tally.requests(requests, FAIL),
            unfinished=round(tally.gauge(Selector("unfinished")) or 0),
            iterations=tally.counter("iterations"),
            iteration_errors=tally.counter("iteration_errors"),
            checks_passed=hits,
            checks_failed=checks - hits,
            seconds=tally.seconds,
        )


@dataclass(frozen=True, slots=True)
class ScriptTrace:
    """An exception that the user's own class raised: how often, and where."""

    count: int
    message: str
    trace: str


@dataclass(frozen=True, slots=True)
class SinkSummary:
    """What became of a run's points, sent to `url`: how many arrived, how many wait in the run folder, and why."""

    url: str
    sent: int = 0
    spooled: int = 0
    error: str = ""
    org: str = ""
    bucket: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an imported run was made from: the tool, what kind of file, and whether that holds single requests."""

    tool: str
    form: str
    samples: bool

    def __str__(self) -> str:
        """Write it for a person: `k6 (summary export), no samples`."""
        return f"{self.tool} ({self.form})" + ("" if self.samples else ", no samples")


@dataclass(frozen=True, slots=True)
class Pairing:
    """Where in an experiment a run stands: in which pair (from 1), and for which of its sides."""

    experiment: str
    pair: int
    side: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times are ISO 8601 in UTC; `ended` and `verdict` are empty while it runs or when it was killed.

    `load_started` is when its second 0 began; `sink` is None where no metrics were sent anywhere.
    `command` is the command line that started it, as it was typed; `pid` and `pid_started` (seconds since 1970) name
    the process that looks after it while its status is RUNNING. `workers` is the number of load processes.
    `source` says of a run that was imported what it was made from; it is None for one of this lab.
    `warmup` is how many seconds at the beginning are shown and judge nothing; `aborted` is the threshold that ended it,
    and `breaking` how high its arrival rate could be raised, where thresholds were to end it.
    `note` is what was changed and what it is hoped to give; `pairing` is None where it belongs to no experiment.
    """

    id: str
    scenario: Scenario
    target: Target
    seed: int
    started: str
    machine: Machine
    packages: dict[str, str]
    command: str = ""
    label: str = ""
    note: str = ""
    pairing: Pairing | None = None
    profile: str = ""
    backend: str = ""
    time_scale: float = 1.0
    workers: int = 1
    dataset: DatasetSummary | None = None
    revision: Revision | None = None
    load_started: str = ""
    ended: str = ""
    status: Status = Status.RUNNING
    pid: int = 0
    pid_started: float = 0.0
    totals: Totals = field(default_factory=Totals)
    warmup: int = 0
    aborted: Crossing | None = None
    breaking: Breaking | None = None
    thresholds: tuple[ThresholdResult, ...] = ()
    integrity: Integrity | None = None
    verdict: Verdict | None = None
    script_errors: tuple[ScriptTrace, ...] = ()
    sink: SinkSummary | None = None
    source: Origin | None = None
    version: int = RUN_VERSION
