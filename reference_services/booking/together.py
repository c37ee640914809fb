"""Bookings that come at the same time, made together: one transaction that begins them, one call, one that ends them.

Each booking goes the same way as alone (`service.py`), step by step: it is on record before its seats are asked for,
and booked with its notification in one transaction. So a crash leaves of many what it leaves of one, for the settler to
find. These steps of one booking may not overlap; those of many are one step each.

What does not go smoothly is left to the booking's own thread, which does it alone: a known idempotency key, a refusal,
an answer that did not come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from reference_services.booking.models import NewBooking
from reference_services.booking.notify import booking_message
from reference_services.booking.seats import AtomicSeats, SeatsRefused
from reference_services.booking.service import BookingService, Caller, address_of, keys, shown
from reference_services.common.errors import UpstreamError
from reference_services.common.gathered import Gathered

if TYPE_CHECKING:
    from reference_services.booking.notify import Notifier
    from reference_services.booking.seats import Seats
    from reference_services.booking.store import Booking, BookingStore
    from reference_services.common.profile import Profile

MOST: Final = 64

Finish = Callable[[], dict[str, Any]]
"""What is left to do for a booking, in the thread that waits for it: gives what its client sees, or raises."""


@dataclass(frozen=True, slots=True)
class Order:
    """A wish, who has it, the key under which it may be repeated, and since when it waits (monotonic seconds)."""

    wish: NewBooking
    caller: Caller
    key: str | None
    since: float


class BookingsTogether(BookingService):
    """Books in groups, and does all else as its base class."""

    def __init__(self, store: BookingStore, seats: AtomicSeats, notifier: Notifier) -> None:
        super().__init__(store, seats, notifier)
        self._groups = seats
        self._gathered: Gathered[Order, Finish] = Gathered(self._book_all, MOST)

    def book(self, wish: NewBooking, caller: Caller, idempotency_key: str | None) -> dict[str, Any]:
        """Book seats with all who come at this moment.

        Raises:
            Refusal: as alone.
        """
        caller.must_be(wish.user_id)
        return self._gathered.do(Order(wish, caller, idempotency_key, monotonic()))()

    def _book_all(self, orders: Sequence[Order]) -> list[Finish | Exception]:
        begun = self._store.begin_all([{**one.wish.model_dump(by_alias=True), **keys(one.key)} for one in orders])
        if begun is None:
            return [self._alone(order) for order in orders]
        try:
            answers = self._groups.take_all(begun, monotonic() - min(order.since for order in orders))
        except UpstreamError as problem:
            return [partial(self._unanswered, booking, problem) for booking in begun]
        return self._ended(orders, begun, answers)

    def _ended(
        self, orders: Sequence[Order], begun: Sequence[Booking], answers: Sequence[int | SeatsRefused]
    ) -> list[Finish | Exception]:
        """Book those that have their seats."""
        taken = {}
        for order, booking, price in zip(orders, begun, answers, strict=True):
            if not isinstance(price, SeatsRefused):
                cost = price * booking["NoOfSeats"]
                body = booking_message(booking, cost, address_of(order.caller, booking))
                taken[booking["id"]] = (booking, cost, self._notifier.note_for_outbox(body))
        booked = self._store.book_all(list(taken.values()))
        if booked:
            self._notifier.committed_all()
        finishes: list[Finish | Exception] = []
        for order, booking, price in zip(orders, begun, answers, strict=True):
            if isinstance(price, SeatsRefused):
                finishes.append(partial(self._turned_down, booking, price))
            elif booked is None:
                # One of them was finished by somebody else; who, each finds out for itself.
                finishes.append(partial(self._complete, booking, price, order.caller))
            else:
                finishes.append(partial(shown, booked[booking["id"]]))
        return finishes

    def _alone(self, order: Order) -> Finish:
        return partial(super().book, order.wish, order.caller, order.key)

    def _complete(self, booking: Booking, price: int, caller: Caller) -> dict[str, Any]:
        return shown(self._booked(booking, price, caller))

    def _turned_down(self, booking: Booking, refusal: SeatsRefused) -> dict[str, Any]:
        self._give_up(booking, nothing_taken=refusal.certain)
        raise refusal

    def _unanswered(self, booking: Booking, problem: UpstreamError) -> dict[str, Any]:
        raise self._unclear(booking, problem) from problem


def bookings_of(profile: Profile, store: BookingStore, seats: Seats, notifier: Notifier) -> BookingService:
    """Choose the profile's way of booking; only seats that are taken in one statement are taken in groups."""
    if profile.bookings == "together" and isinstance(seats, AtomicSeats):
        return BookingsTogether(store, seats, notifier)
    return BookingService(store, seats, notifier)
