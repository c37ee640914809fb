"""What a run shows: the facts that the rules of diagnosis look at. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lab.gates.limits import AUTH_OPERATIONS, AUTH_SHARE
from lab.model.run import Run
from lab.model.sample import SeriesKey
from lab.model.verdict import Finding
from reports.full import LOAD
from reports.levels import Level

HASH: Final = "hash"
BOOKING: Final = "booking"
IDLE: Final = 0.7
"""With less than this share of the machine in use, the run did not fill its cores."""
_CONFLICT: Final = "HTTP 409"


@dataclass(frozen=True, slots=True)
class Work:
    """What became of an operation: requests, the seconds that the successful ones took, and their median in µs."""

    ok: int
    failed: int
    spent: float
    median: float | None


@dataclass(frozen=True, slots=True)
class Over:
    """A gauge over the run: its mean, its peak, its mean at the begin and at the end, its share of seconds above 0."""

    mean: float
    peak: float
    first: float
    last: float
    above: float


@dataclass(frozen=True, slots=True)
class Booked:
    """What the ledger says: bookings that were tried, accepted and refused, and on how many flights, evenly counted."""

    tried: int
    accepted: int
    refused: int
    rows: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run shows; what is None or empty was not measured.

    Attributes:
        run: the run.
        seconds: how long it was judged.
        users: on average.
        operations: by name.
        reasons: failures by reason, and the operation that they are of.
        findings: the gates', by name.
        lag: how late the generator's timer fired at p99, in µs.
        gauges: over the run.
        levels: of the load, from the lowest to the highest; none where it did not change.
        booked: what the ledger says.
        parts: where the time went as the target told it: seconds by `hop.kind`.
        of_auth: the same of sign-ups and sign-ins alone.
    """

    run: Run
    seconds: int
    users: float = 0.0
    operations: Mapping[str, Work] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    findings: Mapping[str, Finding] = field(default_factory=dict)
    lag: float | None = None
    gauges: Mapping[SeriesKey, Over] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    booked: Booked | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    of_auth: Mapping[str, float] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Count the requests that were answered, well or not."""
        return sum(work.ok + work.failed for work in self.operations.values())

    @property
    def busy(self) -> float:
        """Give the service time of all successful requests, in seconds."""
        return sum(work.spent for work in self.operations.values())

    @property
    def median(self) -> float | None:
        """Give the median of the operation with the most requests, in µs."""
        most = max(self.operations.values(), key=lambda work: work.ok, default=None)
        return most.median if most else None

    @property
    def hashing(self) -> float:
        """Give the share of service time in sign-up and sign-in."""
        taken = sum(work.spent for name, work in self.operations.items() if name in AUTH_OPERATIONS)
        return taken / self.busy if self.busy else 0.0

    @property
    def hashed(self) -> float:
        """Give the share of what clients waited that was hashing itself, whatever its operations are called."""
        return sum(self.share(HASH).values())

    @property
    def refused(self) -> int:
        """Count the bookings that were refused while the run was judged; the ledger knows of those outside, too."""
        told = sum(count for (name, reason), count in self.reasons.items() if refusal(name, reason))
        return told if self.reasons or self.booked is None else self.booked.refused

    @property
    def cores_used(self) -> float | None:
        """Give how many cores the platform and the load used; None where the platform's were not measured."""
        used = self.over("cpu", "process")
        return sum(cpu.mean for cpu in used.values()) if any(process != LOAD for process in used) else None

    def over(self, metric: str, tag: str) -> dict[str, Over]:
        """Give a gauge by one of its tags."""
        return {dict(key.tags).get(tag, ""): value for key, value in self.gauges.items() if key.metric == metric}

    @property
    def waits_of_auth(self) -> dict[str, float]:
        """Give what sign-ups and sign-ins waited for a thread or a connection, as shares of all that clients waited."""
        whole = sum(self.parts.values()) or 1.0
        waits = {name: value / whole for name, value in self.of_auth.items() if name.endswith((".queue", ".pool"))}
        return dict(sorted(waits.items(), key=lambda part: -part[1]))

    def share(self, *kinds: str) -> dict[str, float]:
        """Give parts of these kinds of work as shares of all that clients waited, the largest first.

        Where password hashing is most of the load, what its requests wait for is its doing, and not counted.
        """
        whole = sum(self.parts.values()) or 1.0
        leave_out = self.of_auth if self.hashing > AUTH_SHARE and kinds != (HASH,) else {}
        left = {
            name: (value - leave_out.get(name, 0.0)) / whole
            for name, value in self.parts.items()
            if name.rpartition(".")[2] in kinds
        }
        return {name: value for name, value in sorted(left.items(), key=lambda part: -part[1]) if value > 0}


def refusal(operation: str, reason: str) -> bool:
    """Tell whether a failure is a booking that the target refused, as it does where too few seats are left."""
    return operation == BOOKING and reason.startswith(_CONFLICT)
