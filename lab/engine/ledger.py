"""The ledger: every booking that the load tried, and what it was answered. The audit reads it.

Two JSON lines an attempt: [outcome, flight, user, e-mail, seats, booking, cost, key]. The first says `tried` and is on
its way to the disk before the request is sent, so that a load process that is killed leaves no booking unheard of. The
second says `accepted`, `refused` or `unknown` (a time-out, a 5xx, no answer: the booking may exist or not).

A booking that its traveller cancels has two lines more, in the same way: `withdrawing`, and then `withdrawn`, `kept`
(the cancellation was refused) or `unsure`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

if TYPE_CHECKING:
    from types import TracebackType

    from lab.engine.rows import Lines

TRIED: Final = "tried"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"
WITHDRAWING: Final = "withdrawing"
WITHDRAWN: Final = "withdrawn"
KEPT: Final = "kept"
UNSURE: Final = "unsure"
_OK: Final = range(200, 300)
_REFUSALS: Final = range(400, 500)


class Attempt:
    """One booking that is being tried. Leaving it without `settle` (the user was stopped) counts as unknown."""

    __slots__ = ("_booking", "_cost", "_ledger", "_outcome", "_row", "key")

    def __init__(self, ledger: Ledger, flight: int | str, user: int | str, email: str, seats: int) -> None:
        self._ledger = ledger
        self._row = (flight, user, email, seats)
        self._outcome = UNKNOWN
        self._booking: Any = None
        self._cost: Any = None
        self.key = uuid4().hex

    def settle(self, status: int, booking: dict[str, Any] | None) -> bool:
        """Note what was answered.

        Args:
            status: the HTTP status; 0 when there was no answer.
            booking: the answer's `data`, if it could be read.

        Returns:
            True when the booking was accepted.
        """
        if status in _OK and booking and booking.get("status") == "Booked":
            self._outcome = ACCEPTED
            self._booking, self._cost = booking.get("id"), booking.get("totalCost")
        elif status in _REFUSALS:
            self._outcome = REFUSED
        return self._outcome == ACCEPTED

    def __enter__(self) -> Self:
        """Begin: from here on the booking may exist."""
        self._note(TRIED)
        self._ledger.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down what became of it, whatever ended it."""
        self._note(self._outcome)

    def _note(self, outcome: str) -> None:
        self._ledger.write([outcome, *self._row, self._booking, self._cost, self.key])


class Withdrawal:
    """A booking that its traveller is cancelling. Leaving it without `settle` counts as unsure."""

    __slots__ = ("_ledger", "_outcome", "_row")

    def __init__(self, ledger: Ledger, row: tuple[Any, ...]) -> None:
        self._ledger = ledger
        self._row = (*row, None, uuid4().hex)
        self._outcome = UNSURE

    def settle(self, status: int, booking: dict[str, Any] | None) -> bool:
        """Note what was answered; as for `Attempt.settle`.

        Returns:
            True when the booking is cancelled.
        """
        if status in _OK and booking and booking.get("status") == "Cancelled":
            self._outcome = WITHDRAWN
        elif status in _REFUSALS:
            self._outcome = KEPT
        return self._outcome == WITHDRAWN

    def __enter__(self) -> Self:
        """Begin: from here on the booking may be cancelled."""
        self._ledger.write([WITHDRAWING, *self._row])
        self._ledger.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down what became of it, whatever ended it."""
        self._ledger.write([self._outcome, *self._row])


class Ledger:
    """Appends attempts to a file, or to what passes its lines on."""

    def __init__(self, file: Lines) -> None:
        self._file = file

    def attempt(self, flight: int | str, user: int | str, email: str, seats: int) -> Attempt:
        """Begin to book: `with ledger.attempt(…) as attempt`, send `attempt.key` along, then `attempt.settle(…)`."""
        return Attempt(self, flight, user, email, seats)

    def withdraw(self, flight: int | str, user: int | str, email: str, seats: int, *, booking: int | str) -> Withdrawal:
        """Begin to cancel a booking of the run: `with ledger.withdraw(…) as withdrawal`, then its `settle(…)`."""
        return Withdrawal(self, (flight, user, email, seats, booking))

    def write(self, row: list[Any]) -> None:
        """Append a row."""
        self._file.write(json.dumps(row, separators=(",", ":")) + "\n")

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()
