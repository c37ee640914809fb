"""Settling bookings whose end is not known: abandoned ones are cancelled, owed seats are given back.

A booking stays in process when flights did not answer, or when this service died. Its client was told "503" or
nothing, so it is cancelled, never booked behind the client's back. First the booking is cancelled, which stops
every request that may still work on it; then its reservation is released, which also spends the key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reference_services.booking.models import CANCELLED, IN_PROCESS

if TYPE_CHECKING:
    from reference_services.booking.service import BookingService
    from reference_services.booking.store import BookingStore

BATCH = 100
TRY_AGAIN = timedelta(seconds=1)


class Settler:
    """Looks at the bookings that are due."""

    def __init__(self, store: BookingStore, service: BookingService) -> None:
        self._store = store
        self._service = service

    def step(self) -> bool:
        """Settle a batch; true when there may be more. Stops at the first booking that flights does not answer for."""
        due = self._store.due(BATCH)
        for booking in due:
            found = booking
            if booking["status"] == IN_PROCESS:
                abandoned = self._store.abandon(booking, owed=True)
                if abandoned is None:
                    continue
                found = abandoned
            if found["status"] == CANCELLED and found["seatsOwed"] and not self._service.release(found):
                self._store.settle_in(found["id"], TRY_AGAIN)
                return False
        return len(due) == BATCH
