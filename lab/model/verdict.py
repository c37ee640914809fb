"""What is said of a run: can it be believed, what was sold, did it hold, and the exit code of all that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Validity(StrEnum):
    """Whether a run's figures may be believed."""

    VALID = "VALID"
    SUSPECT = "SUSPECT"
    INVALID = "INVALID"


class Exit(IntEnum):
    """What `run` ends with: k6's codes, and 98 for a run that cannot be believed."""

    PASSED = 0
    ERROR = 1
    INVALID = 98
    THRESHOLDS = 99
    CONFIG = 104
    SIGNAL = 105
    SCRIPT = 107


@dataclass(frozen=True, slots=True)
class Finding:
    """A gate that was looked at: what it found, in a sentence with the figures, and how much it weighs."""

    gate: str
    level: Validity
    sentence: str


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold that was not met, what was measured (`inf`: no answer), and how many seconds into the run."""

    threshold: str
    actual: float
    unit: str
    second: int


@dataclass(frozen=True, slots=True)
class Breaking:
    """How high an arrival rate could be raised until a threshold was not met any more.

    Attributes:
        rate: iterations a second that came to an end in the last seconds in which all held; None where they never did.
        planned: how many should have begun then.
        second: where these seconds end.
        crossing: what did not hold right after; None where nothing broke.
    """

    rate: float | None
    planned: float = 0.0
    second: int = 0
    crossing: Crossing | None = None


@dataclass(frozen=True, slots=True)
class FlightDefect:
    """A flight whose count is wrong. `defect` = capacity − left − booked: negative lost updates, positive leaks."""

    flight: str
    number: str
    capacity: int
    left: int
    booked: int
    defect: int
    oversold: int


@dataclass(frozen=True, slots=True)
class Integrity:
    """The audit: what was sold against what there is. A figure is None when it could not be checked (and `notes` why).

    `seats_oversold`: seats sold beyond capacity. `seats_lost`: seats that the flights' counters and the bookings
    disagree about. `bookings_missing`: answered as booked, and not in the database as a `Booked` one of its own.
    `bookings_unexpected`: in the database, but nobody asked for them, or not with these seats, or at another price.
    `notifications_missing`: booked, and no mail after the queue had drained. `notifications_unexpected`: mails beyond
    one for each booking. `bookings_withdrawn`: accepted, and cancelled again by the load itself.
    """

    checked: bool
    seats_oversold: int | None = None
    seats_lost: int | None = None
    bookings_missing: int | None = None
    bookings_unexpected: int | None = None
    notifications_missing: int | None = None
    notifications_unexpected: int | None = None
    flights_checked: int = 0
    flights_sold_out: int = 0
    bookings_accepted: int = 0
    bookings_withdrawn: int = 0
    bookings_unknown: int = 0
    bookings_found: int = 0
    seats_accepted: int = 0
    notifications_found: int = 0
    drain_seconds: float = 0.0
    defects: tuple[FlightDefect, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run's verdict: `sentence` is what a person reads first."""

    validity: Validity
    passed: bool
    exit_code: int
    sentence: str
    findings: tuple[Finding, ...] = ()
