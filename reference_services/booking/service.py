"""What the booking service does."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from reference_services.booking.models import BOOKED, CANCELLED, IN_PROCESS
from reference_services.booking.notify import booking_message, message
from reference_services.booking.seats import SeatsRefused
from reference_services.common.clock import iso
from reference_services.common.errors import Refusal, UpstreamError, unknown

if TYPE_CHECKING:
    from reference_services.booking.models import BookingQuery, NewBooking
    from reference_services.booking.notify import Notifier
    from reference_services.booking.seats import Seats
    from reference_services.booking.store import Booking, BookingStore

log = logging.getLogger(__name__)

SHOWN = ("id", "flightId", "userId", "status", "NoOfSeats", "totalCost")
NO_DELAY = timedelta(0)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the gateway names; without a gateway nobody is named, and everything is allowed.

    Attributes:
        user_id: the user, or None.
        email: the user's e-mail address, or None.
    """

    user_id: int | None = None
    email: str | None = None

    def must_be(self, user_id: int) -> None:
        """Refuse to act for somebody else.

        Raises:
            Refusal: 403.
        """
        if self.user_id is not None and self.user_id != user_id:
            sentence = f"You are user {self.user_id} and cannot act for user {user_id}."
            raise Refusal(403, sentence, {"userId": "another user"})


class BookingService:
    """Books seats, and cancels bookings."""

    def __init__(self, store: BookingStore, seats: Seats, notifier: Notifier) -> None:
        self._store = store
        self._seats = seats
        self._notifier = notifier

    def book(self, wish: NewBooking, caller: Caller, idempotency_key: str | None) -> dict[str, Any]:
        """Book seats; the same idempotency key again gives the same booking.

        Raises:
            Refusal: 403 in another user's name; 404 no such flight; 409 too few seats, or the key's booking was
                cancelled; 422 the idempotency key was used for another wish; 503 flights said nothing (the booking
                is settled later).
        """
        caller.must_be(wish.user_id)
        booking = self._store.begin({**wish.model_dump(by_alias=True), **keys(idempotency_key)})
        if booking is None:
            booking = self._known(wish, idempotency_key or "")
        return shown(self._finish(booking, caller))

    def read(self, booking_id: int) -> dict[str, Any]:
        """Give a booking.

        Raises:
            Refusal: 404.
        """
        return shown(self._existing(booking_id))

    def list(self, query: BookingQuery) -> list[dict[str, Any]]:
        """Give a page of bookings."""
        return [shown(booking) for booking in self._store.list(query)]

    def cancel(self, booking_id: int, caller: Caller) -> dict[str, Any]:
        """Cancel a booking; its seats are given back once, at once or, when flights is away, soon.

        Raises:
            Refusal: 403 another user's; 404; 409 it is still in process.
        """
        booking = self._existing(booking_id)
        caller.must_be(booking["userId"])
        cancelled = self._store.cancel(booking, owed=self._seats.settles)
        if cancelled is None:
            now_is = self._existing(booking_id)
            if now_is["status"] == IN_PROCESS:
                raise Refusal(409, f"Booking {booking_id} is still in process.", {"status": IN_PROCESS})
            return shown(now_is)
        self.release(cancelled)
        return shown(cancelled)

    def release(self, booking: Booking) -> bool:
        """Give a cancelled booking's seats back; false when flights is away and the settler must try again."""
        try:
            self._seats.give_back(booking["flightId"], booking["NoOfSeats"], booking["reservationKey"])
        except UpstreamError as problem:
            log.warning("seats are owed: %s", problem, extra={"booking": booking["id"]})
            return False
        self._store.settled(booking["id"])
        return True

    def publish_test(self) -> None:
        """Publish a test notification."""
        identity = f"test-{uuid4().hex}"
        body = message(identity, "Test notification", "Sent by POST /publish.", "test@airbourne.invalid")
        self._notifier.send_alone(body)

    def _existing(self, booking_id: int) -> Booking:
        booking = self._store.by_id(booking_id)
        if booking is None:
            raise unknown("booking", booking_id)
        return booking

    def _known(self, wish: NewBooking, key: str) -> Booking:
        """Give the booking of a key that was seen before; a repetition helps to finish it."""
        booking = self._store.by_key(wish.user_id, key)
        if booking is None:
            # It came to nothing in this very moment, which freed the key.
            raise Refusal(503, "The booking with this Idempotency-Key just failed; try again.", {"booking": "retry"})
        if (booking["flightId"], booking["NoOfSeats"]) != (wish.flight_id, wish.no_of_seats):
            raise Refusal(422, "This Idempotency-Key belongs to another booking.", {"Idempotency-Key": "used"})
        if booking["status"] == CANCELLED:
            sentence = "The booking with this Idempotency-Key was cancelled; book again with a new key."
            raise Refusal(409, sentence, {"Idempotency-Key": "cancelled"})
        return booking

    def _finish(self, booking: Booking, caller: Caller) -> Booking:
        """Take the seats of a booking in process and make it booked."""
        if booking["status"] != IN_PROCESS:
            return booking
        return self._booked(booking, self._take(booking), caller)

    def _booked(self, booking: Booking, price: int, caller: Caller) -> Booking:
        """Make a booking that has its seats a booked one."""
        cost = price * booking["NoOfSeats"]
        body = booking_message(booking, cost, address_of(caller, booking))
        booked = self._store.book(booking, cost, self._notifier.note_for_outbox(body))
        if booked is None:
            return self._finished_by_another(booking)
        self._notifier.committed(body)
        return booked

    def _take(self, booking: Booking) -> int:
        try:
            return self._seats.take(booking["flightId"], booking["NoOfSeats"], booking["reservationKey"])
        except SeatsRefused as refusal:
            self._give_up(booking, nothing_taken=refusal.certain)
            raise
        except UpstreamError as problem:
            raise self._unclear(booking, problem) from problem

    def _unclear(self, booking: Booking, problem: UpstreamError) -> Refusal:
        """Let a booking be settled of which flights did not say whether it has its seats; gives the refusal."""
        log.warning("not booked: %s", problem, extra={"booking": booking["id"]})
        if not problem.sent:
            self._give_up(booking, nothing_taken=True)
        elif self._seats.settles:
            self._store.settle_in(booking["id"], NO_DELAY)
        return Refusal(503, f"Not booked: {problem}.", {"flights": "away"}, {"Retry-After": "1"})

    def _give_up(self, booking: Booking, *, nothing_taken: bool) -> None:
        """Cancel a booking that this request got no seats for.

        Only a booking without an idempotency key is this request's alone. Of one with a key, another request may
        have taken the seats, before this one or at this moment: then they are owed, whatever we were told.
        """
        alone = booking["idempotencyKey"] is None
        owed = self._seats.settles and not (nothing_taken and alone)
        abandoned = self._store.abandon(booking, owed=owed)
        if abandoned is not None and owed:
            self.release(abandoned)

    def _finished_by_another(self, booking: Booking) -> Booking:
        """Look what became of a booking that somebody else finished meanwhile."""
        found = self._existing(booking["id"])
        if found["status"] == BOOKED or found["idempotencyKey"] is not None:
            return found
        sentence = "Not booked: it took too long and was given up."
        raise Refusal(503, sentence, {"booking": CANCELLED}, {"Retry-After": "1"})


def shown(booking: Booking) -> dict[str, Any]:
    """Give what clients see of a booking."""
    seen = {name: booking[name] for name in SHOWN}
    return {**seen, "createdAt": iso(booking["createdAt"]), "updatedAt": iso(booking["updatedAt"])}


def address_of(caller: Caller, booking: Booking) -> str:
    """Give the address that a booking's notification goes to."""
    return caller.email or f"user-{booking['userId']}@airbourne.invalid"


def keys(idempotency_key: str | None) -> dict[str, str | None]:
    """Give the keys of a new booking: its client's, and its own at flights."""
    return {"idempotencyKey": idempotency_key, "reservationKey": uuid4().hex}
