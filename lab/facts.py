"""What an audit goes by: what the load was answered, and what the platform shows before and after. Pure values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lab.model.dataset import Flight

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


BOOKED: Final = "Booked"
CANCELLED: Final = "Cancelled"
IN_PROCESS: Final = "InProcess"
TRIED: Final = "tried"
ACCEPTED: Final = "accepted"
UNKNOWN: Final = "unknown"
REFUSED: Final = "refused"
WITHDRAWING: Final = "withdrawing"
WITHDRAWN: Final = "withdrawn"
KEPT: Final = "kept"
UNSURE: Final = "unsure"
LOST: Final = {TRIED: UNKNOWN, WITHDRAWING: UNSURE}
"""What an outcome is whose second line was not written any more."""
WITHDRAWALS: Final = (WITHDRAWN, KEPT, UNSURE)
_KINDS: Final[tuple[tuple[type, ...], ...]] = ((int, str), (int, str), (int,), (str,), (int, float, NoneType))


class Row(NamedTuple):
    """An attempt to book, or (with an outcome of WITHDRAWALS) to cancel such a booking, as the ledger holds it."""

    outcome: str
    flight: int | str
    user: int | str
    email: str
    seats: int
    booking: int | str | None
    cost: float | None
    key: str


class Booking(NamedTuple):
    """A booking, as the platform lists it; `updated` is when it became what it is, where the platform says so."""

    id: int | str
    user: int | str
    seats: int
    status: str
    cost: float | None
    updated: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """The bookings that the load cancelled itself: surely, or perhaps, where the answer was lost."""

    surely: frozenset[Any]
    perhaps: frozenset[Any]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Undone:
        """Read it off the ledger's rows."""
        found = [(row.outcome, row.booking) for row in rows]
        return cls(
            frozenset(booking for outcome, booking in found if outcome == WITHDRAWN),
            frozenset(booking for outcome, booking in found if outcome == UNSURE),
        )

    def may_be(self, booking: Booking) -> bool:
        """Tell whether an accepted booking may stand in the database like this."""
        asked = booking.id in self.surely or booking.id in self.perhaps
        return booking.status == BOOKED or (asked and booking.status == CANCELLED)


@dataclass(frozen=True, slots=True)
class FlightFacts:
    """One flight before and after the run. `None` bookings: the target has no list of them."""

    flight: Flight
    left_before: int
    left_after: int
    before: tuple[Booking, ...] | None
    after: tuple[Booking, ...] | None


@dataclass(frozen=True, slots=True)
class MailFacts:
    """Notifications of this run, counted by recipient: tickets of any state, and mails handed over."""

    tickets: Mapping[str, int]
    mailed: Mapping[str, int]
    drain_seconds: float


def read_ledger(path: Path) -> Iterator[Row]:
    """Read a run's ledger: a row for each attempt to book or to cancel.

    One whose end was not written any more is `unknown`, or `unsure` for a cancellation. A last line that
    was cut off is left out.
    """
    open_attempts: dict[str, Row] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break
            row = Row(*json.loads(line))
            if row.outcome in LOST:
                open_attempts[row.key] = row
            else:
                open_attempts.pop(row.key, None)
                yield row
    for row in open_attempts.values():
        yield row._replace(outcome=LOST[row.outcome])


def booking_of(raw: Mapping[str, Any]) -> Booking:
    """Read a booking as the platform answers it.

    Raises:
        KeyError: a key of the contract is missing.
        ValueError: a value is not of the contract's type.
    """
    booking = Booking(raw["id"], raw["userId"], raw["NoOfSeats"], raw["status"], raw.get("totalCost"))
    # Whatever `updatedAt` is, only a measured delay rests on it, never a finding.
    for name, value, kinds in zip(Booking._fields, booking, _KINDS, strict=False):
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise ValueError(f"a booking's {name} is {value!r}")  # noqa: TRY004 - the value came from outside
    updated = raw.get("updatedAt")
    return booking._replace(updated=updated if isinstance(updated, str) else None)
